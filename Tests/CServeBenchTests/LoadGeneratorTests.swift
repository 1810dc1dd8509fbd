// Requests leave when they should, whatever the server does, and say what the simulator's requests say.
import CServeCore
import CServeWorkload
import Testing

@testable import CServeBench

@Suite("The load generator")
struct LoadGeneratorTests {
    private let writer = RequestWriter(
        endpoint: .completions, model: "m", source: .tokens(vocabularySize: 1000), seed: 7, wantsTokens: true)

    private func workload(
        _ arrivals: ArrivalProcess, requests: Int? = nil, duration: Nanoseconds? = nil,
        conversations: Conversations? = nil
    ) -> Workload {
        let lengths = RequestLengths.separate(prompt: .fixed(6), output: .fixed(2), correlation: 0)
        return Workload(
            name: "test", seed: 7, drawing: SyntheticRequests(lengths: lengths, conversations: conversations),
            arrivals: arrivals, requests: requests, duration: duration)
    }

    private func measure(
        _ workload: Workload, _ settings: LoadSettings = LoadSettings(), on server: ScriptedServer
    ) async throws -> [RequestMeasurement] {
        try await server.withClient { client in
            await LoadGenerator(client, workload: workload, writer: writer, settings: settings).measure()
        }
    }

    private func fastServer(after: Nanoseconds = 0) async throws -> ScriptedServer {
        try await ScriptedServer { _ in [Wire.text(Wire.answer(tokens: 2, prompt: 6), after: after)] }
    }

    /// The prompt that a request said, by its text.
    private func prompt(_ record: ScriptedRecord) -> [TokenID] {
        (record.request.json["prompt"]?.arrayValue ?? []).compactMap { $0.intValue.map { TokenID($0) } }
    }

    @Test("The server is sent the very tokens that a simulation has")
    func sameRequests() async throws {
        let server: ScriptedServer = try await fastServer()
        let work: Workload = workload(.poisson(rate: 400), requests: 30)
        let all: [RequestMeasurement] = try await measure(work, on: server)
        #expect(all.map(\.index) == Array(0..<30) && all.allSatisfy { $0.failure == nil && $0.outputTokens == 2 })
        let expected = work.stream().map { $0.promptTokens(vocabularySize: 1000, seed: 7) }
        #expect(Set(server.log.records.map(prompt)) == Set(expected))
        #expect(all.map(\.due) == work.stream().map { $0.arrival ?? -1 })
        #expect(all.allSatisfy { $0.sent >= $0.due })
        let body: JSONValue = server.log.records[0].request.json
        #expect(body["max_tokens"] == 2 && body["ignore_eos"] == true && body["stream"] == true)
        #expect(body["stream_options"]?["include_usage"] == true && body["model"] == "m")
    }

    @Test("An open loop does not wait for a server that hangs, and the run ends on time")
    func hangingServer() async throws {
        let server = try await ScriptedServer { _ in [] }
        var settings = LoadSettings()
        settings.timeout = 300 * .millisecond
        let all: [RequestMeasurement] = try await measure(
            workload(.constant(rate: 200), requests: 20), settings, on: server)
        #expect(all.count == 20 && all.allSatisfy { $0.failure == .timeout })
        #expect(server.log.records.count == 20)
    }

    @Test("The run's own end interrupts what still waits")
    func maxRunTime() async throws {
        let server = try await ScriptedServer { _ in [] }
        var settings = LoadSettings()
        settings.maxRunTime = 200 * .millisecond
        let all: [RequestMeasurement] = try await measure(
            workload(.constant(rate: 100), requests: 1000), settings, on: server)
        #expect(!all.isEmpty && all.count < 1000 && all.allSatisfy { $0.failure == .interrupted })
    }

    @Test("Ctrl-C gives what there is by then")
    func interrupted() async throws {
        let server = try await ScriptedServer { request in
            request.number < 3 ? [Wire.text(Wire.answer(tokens: 1))] : []
        }
        let all: [RequestMeasurement] = try await server.withClient { client in
            let generator = LoadGenerator(
                client, workload: workload(.closedLoop(ClosedLoop(clients: 1))), writer: writer
            )
            async let measured = generator.measure()
            while server.log.records.count < 4 { try await Task.sleep(for: .milliseconds(5)) }
            generator.interrupt()
            return await measured
        }
        #expect(all.map { $0.failure == nil } == [true, true, true, false])
        #expect(all.last?.failure == .interrupted)
    }

    /// The most requests that were on their way at once, by the client's own times.
    private func peak(_ all: [RequestMeasurement]) -> Int {
        all.map { one in all.count { $0.sent <= one.sent && $0.end > one.sent } }.max() ?? 0
    }

    @Test("A closed loop has as many requests on their way as it has clients")
    func closedLoop() async throws {
        let all: [RequestMeasurement] = try await measure(
            workload(.closedLoop(ClosedLoop(clients: 3)), requests: 24), on: try await fastServer(after: .second / 100))
        #expect(all.count == 24 && all.allSatisfy { $0.failure == nil })
        #expect(peak(all) == 3)
        // Each of the others was due when an answer came.
        let ends: [Nanoseconds] = all.map(\.end)
        #expect(all.dropFirst(3).allSatisfy { one in ends.contains { $0 <= one.due } })
    }

    @Test("A closed loop ends with its duration")
    func closedLoopDuration() async throws {
        let all: [RequestMeasurement] = try await measure(
            workload(.closedLoop(ClosedLoop(clients: 2)), duration: .second / 5),
            on: try await fastServer(after: .second / 100))
        #expect(!all.isEmpty && all.allSatisfy { $0.due < .second / 5 && $0.failure == nil })
    }

    @Test("A wave's clients come and go")
    func wave() async throws {
        let loop = ClosedLoop(clients: 6, wave: ConcurrencyWave(min: 1, max: 6, sustain: 4))
        let all: [RequestMeasurement] = try await measure(
            workload(.closedLoop(loop), requests: 60), on: try await fastServer(after: .second / 200))
        #expect(all.count == 60 && peak(all) <= 6)
        let alone: Int = all.dropFirst(6).count { one in !all.contains { $0.sent < one.sent && $0.end > one.sent } }
        #expect(alone > 0)
    }

    @Test("A bound on running requests holds others back, and counts their time from when they are let in")
    func maxConcurrency() async throws {
        var settings = LoadSettings()
        settings.maxConcurrency = 2
        let all: [RequestMeasurement] = try await measure(
            workload(.allAtOnce, requests: 12), settings, on: try await fastServer(after: .second / 100))
        #expect(all.count == 12 && peak(all) == 2)
        let ends: [Nanoseconds] = all.map(\.end).sorted()
        #expect(all.map(\.due).sorted().last ?? 0 >= ends[8])
    }

    private let talk = Conversations(turns: .fixed(3), thinkTime: .fixed(.second / 50))

    @Test("A turn waits for the answer before it, thinks, and repeats that answer's tokens")
    func turns() async throws {
        let server = try await ScriptedServer { request in
            let id: Int = 900 + request.number
            let event: String =
                "data: {\"choices\":[{\"text\":\"a\",\"token_ids\":[\(id),\(id)],\"finish_reason\":\"length\"}]}\n\n"
            return [Wire.text(Wire.eventsHead + Wire.chunk(event + Wire.done) + Wire.lastChunk)]
        }
        let all: [RequestMeasurement] = try await measure(
            workload(.constant(rate: 50), requests: 3, conversations: talk), on: server)
        #expect(all.map(\.failure) == [nil, nil, nil])
        for turn in 1...2 { #expect(all[turn].due >= all[turn - 1].end + .second / 50) }
        let prompts: [[TokenID]] = server.log.records.map(prompt)
        #expect(prompts[1].starts(with: prompts[0] + [900, 900]))
        #expect(prompts[2].starts(with: prompts[1] + [901, 901]))
        #expect(prompts.map(\.count) == [6, 14, 22])
    }

    @Test("Turns behind a failed answer are counted as lost")
    func lostTurns() async throws {
        let server = try await ScriptedServer { _ in [Wire.text(Wire.whole("500 Oops", "no"))] }
        let all: [RequestMeasurement] = try await measure(
            workload(.constant(rate: 50), requests: 3, conversations: talk), on: server)
        #expect(all.map(\.failure) == [.status(500, "no"), .answerBeforeMissing, .answerBeforeMissing])
        #expect(server.log.records.count == 1)
    }
}
