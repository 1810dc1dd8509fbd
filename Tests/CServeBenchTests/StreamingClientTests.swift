// The client against a server that follows a script: what it measures is what the server did.
import CServeCore
import NIOCore
import NIOPosix
import Testing

@testable import CServeBench

@Suite("The streaming client")
struct StreamingClientTests {
    /// Sends one request and waits for its end.
    private func measure(
        _ client: StreamingClient, timeout: Nanoseconds = 20 * .second, origin: NIODeadline = .now()
    ) async -> RequestMeasurement {
        await withCheckedContinuation { continuation in
            client.loop.execute {
                let request = WireRequest(
                    method: .POST, path: "/v1/completions", body: ByteBuffer(string: "{\"prompt\":[1]}"))
                let reader = AnswerReader(RequestMeasurement(index: 0, due: 0, promptTokens: 1))
                let exchange = StreamingExchange(request, reader: reader, origin: origin, onChunk: {}) { one, _ in
                    continuation.resume(returning: one)
                }
                client.send(exchange, timeout: timeout)
            }
        }
    }

    private func outcome(
        timeout: Nanoseconds = 20 * .second, _ answer: @escaping ScriptedServer.Answer
    ) async throws -> RequestMeasurement {
        try await ScriptedServer(answer).withClient { await measure($0, timeout: timeout) }
    }

    @Test("Events that come one by one are stamped after they were sent, in order, and all of them")
    func schedule() async throws {
        let times: [Nanoseconds] = (0..<40).map { 20 * .millisecond + Nanoseconds($0) * 5 * .millisecond }
        let server = try await ScriptedServer { _ in Wire.answer(at: times, tokensPerEvent: 3) }
        let origin: NIODeadline = .now()
        let one: RequestMeasurement = try await server.withClient { await measure($0, origin: origin) }
        let record: ScriptedRecord = try #require(server.log.records.first)
        #expect(one.failure == nil && one.outputTokens == 120 && one.chunks.count == 40)
        for (stamp, sent) in zip(one.chunks, record.sent) { #expect(stamp >= (sent - origin).nanoseconds) }
        #expect(one.chunks == one.chunks.sorted())
        #expect(one.sent <= one.chunks[0] && one.end >= one.chunks[39] && one.connect > 0)
        // Generous: a busy machine may deliver late, but not by so much on the median.
        let delays: [Nanoseconds] = zip(one.chunks, record.sent).map { $0 - ($1 - origin).nanoseconds }.sorted()
        #expect(delays[20] < .second / 2)
    }

    @Test("An event cut into packets counts once, and when its last byte came")
    func cutEvents() async throws {
        let event: String = Wire.event("ab", finish: "length")
        let chunk: String = Wire.chunk(event + Wire.done) + Wire.lastChunk
        let server = try await ScriptedServer { _ in
            [Wire.text(Wire.eventsHead + String(chunk.prefix(15)))]
                + [
                    Wire.text(String(chunk.dropFirst(15).prefix(20)), after: 30 * .millisecond),
                    Wire.text(String(chunk.dropFirst(35)), after: 60 * .millisecond),
                ]
        }
        let origin: NIODeadline = .now()
        let one: RequestMeasurement = try await server.withClient { await measure($0, origin: origin) }
        #expect(one.failure == nil && one.chunks.count == 1)
        let last: NIODeadline = try #require(server.log.records.first?.sent.last)
        #expect(one.chunks[0] >= (last - origin).nanoseconds)
    }

    @Test("A hang ends with the request's time, in the head, in the stream, or before any byte")
    func hangs() async throws {
        for script in [
            [], [Wire.text("HTTP/1.1 200 OK\r\n")], [Wire.text(Wire.eventsHead + Wire.chunk(Wire.event("a")))],
        ] {
            let one: RequestMeasurement = try await outcome(timeout: 200 * .millisecond) { _ in script }
            #expect(one.failure == .timeout)
        }
    }

    @Test("A connection that closes is told from an answer that ends")
    func closes() async throws {
        let early: RequestMeasurement = try await outcome { _ in
            [Wire.text(Wire.eventsHead + Wire.chunk(Wire.event("a"))), ScriptedStep(after: 20 * .millisecond)]
        }
        #expect(early.failure == .closedEarly && early.chunks.count == 1)
        #expect(try await outcome { _ in [Wire.close] }.failure == .closedEarly)
        // HTTP/1.0's way: the answer ends with the connection.
        let old: RequestMeasurement = try await outcome { _ in
            let head: String = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
            return [
                Wire.text(head + Wire.event("a", finish: "stop") + Wire.done), ScriptedStep(after: 20 * .millisecond),
            ]
        }
        #expect(old.failure == nil && old.outputTokens == 1)
    }

    @Test("What is no HTTP is called so")
    func garbage() async throws {
        let one: RequestMeasurement = try await outcome { _ in [Wire.text("\u{1}\u{2} garbage\r\n\r\n")] }
        guard case .malformed(let text) = one.failure else {
            Issue.record("\(String(describing: one.failure))")
            return
        }
        #expect(text.hasPrefix("no HTTP"))
    }

    @Test("Refusals carry the status, the message and when to come again")
    func refusals() async throws {
        let busy: RequestMeasurement = try await outcome { _ in
            [
                Wire.text(
                    Wire.whole(
                        "429 Too Many Requests", "{\"error\":{\"message\":\"busy\"}}", more: "retry-after: 2\r\n"))
            ]
        }
        #expect(busy.failure == .status(429, "busy (Retry-After: 2)"))
        let broken: RequestMeasurement = try await outcome { _ in [Wire.text(Wire.whole("500 Oops", "trace"))] }
        #expect(broken.failure == .status(500, "trace"))
    }

    @Test("Where nobody listens the connection is refused")
    func refused() async throws {
        let server = try await ScriptedServer { _ in [] }
        let address: String = server.url
        await server.stop()
        let client = StreamingClient(try ServerAddress(parsing: address))
        let one: RequestMeasurement = await measure(client)
        await client.shutDown()
        #expect(one.failure == .connection("connection refused"))
    }

    @Test("[DONE] ends an answer whose HTTP never ends")
    func doneIsEnough() async throws {
        let one: RequestMeasurement = try await outcome { _ in
            [Wire.text(Wire.eventsHead + Wire.chunk(Wire.event("a", finish: "stop") + Wire.done))]
        }
        #expect(one.failure == nil)
    }

    @Test("A connection is used again, and a request that met its closing is sent once more")
    func keepAlive() async throws {
        let server = try await ScriptedServer { request in
            // The second request of the first connection is met with silence and a close.
            request.place == 1 ? [Wire.close] : [Wire.text(Wire.answer(tokens: 2))]
        }
        let both: [RequestMeasurement] = try await server.withClient { client in
            [await measure(client), await measure(client)]
        }
        #expect(both.map(\.failure) == [nil, nil])
        #expect(both[0].connect > 0)
        #expect(server.log.records.map(\.request.place) == [0, 1, 0])
    }

    @Test("Every request carries the headers that were asked for")
    func headers() async throws {
        let server = try await ScriptedServer { _ in [Wire.text(Wire.answer(tokens: 1))] }
        _ = try await server.withClient(headers: [("Authorization", "Bearer k")]) { await measure($0) }
        let head: String = try #require(server.log.records.first?.request.headers)
        #expect(head.contains("Authorization: Bearer k") && head.contains("Host: 127.0.0.1:"))
    }
}
