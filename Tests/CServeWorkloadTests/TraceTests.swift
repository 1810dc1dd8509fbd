import CServeCore
import CServeWorkload
import Testing

@Suite("Traces")
struct TraceTests {
    private func parse(
        _ text: String, _ format: TraceFormat? = nil, options: TraceOptions = TraceOptions()
    ) throws(TraceError) -> Trace {
        try TraceParser.parse(Array(text.utf8), name: "t", format: format, options: options)
    }

    private func requests(_ trace: Trace) -> [WorkloadRequest] { (0..<trace.count).map { trace.request($0) } }

    private let azure: String = """
        TIMESTAMP,ContextTokens,GeneratedTokens
        2023-11-16 18:17:03.9799600,4808,10
        2023-11-16 18:17:04.0319600,3180,8
        2023-11-17 00:00:00,110,0

        """

    @Test("Azure's tables have times to 100 nanoseconds, from the first request on")
    func azureTable() throws {
        let trace: Trace = try parse(azure)
        #expect(trace.format == .azure && trace.count == 3)
        // 5 h 42 min 56.02004 s from 18:17:03.97996 to midnight.
        #expect(requests(trace).map(\.arrival) == [0, 52_000_000, 20_576_020_040_000])
        #expect(requests(trace).map(\.promptLength) == [4808, 3180, 110])
        #expect(requests(trace).map(\.outputLength) == [10, 8, 1])
        #expect(trace.notes.emptyAnswers == 1)
    }

    @Test("dates count leap days, zones and half hours")
    func dates() throws {
        let table = """
            TIMESTAMP,ContextTokens,GeneratedTokens
            2024-02-28T23:30:00Z,1,1
            2024-03-01 01:00:00.5+01:30,1,1
            """
        // 2024-02-29 lies between: 23:30 on the 28th to 23:30:00.5 UTC on the 29th.
        #expect(requests(try parse(table)).map(\.arrival) == [0, 86_400_500_000_000])
    }

    @Test("pieces of any size give the same trace and the digest of the whole file")
    func pieces() throws {
        let bytes: [UInt8] = Array(azure.utf8)
        let whole: Trace = try parse(azure)
        for size in [1, 2, 7, 64, 1000] {
            var parser = TraceParser(name: "t")
            for start in stride(from: 0, to: bytes.count, by: size) {
                try parser.take(Array(bytes[start..<min(start + size, bytes.count)]))
            }
            let trace: Trace = try parser.finish()
            #expect(trace.digest == whole.digest && requests(trace) == requests(whole))
        }
        #expect(whole.digest == SHA256.hexadecimal(of: bytes))
    }

    @Test("other tables: vidur's seconds, BurstGPT's columns, this program's own")
    func tables() throws {
        let vidur: Trace = try parse("arrived_at,num_prefill_tokens,num_decode_tokens\n0.5,10,2\n1.75,20,3\n")
        #expect(vidur.format == .vidur && requests(vidur).map(\.arrival) == [0, 1_250_000_000])
        let lengths: Trace = try parse("num_prefill_tokens,num_decode_tokens,pd_ratio\r\n10,2.0,5\r\n")
        #expect(lengths.format == .vidur && !lengths.hasTimes && requests(lengths)[0].outputLength == 2)
        let burst: Trace = try parse(
            "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,472,18,490,Conversation log\n"
        )
        #expect(burst.format == .burstGPT && requests(burst)[0].promptLength == 472)
        let own: Trace = try parse("arrival_s,prompt_tokens,output_tokens,session\n0.5,10,2,4\n0.75,11,3,\n")
        // Its own times are kept as they are: a replay is to be the same.
        #expect(own.format == .csv && requests(own).map(\.arrival) == [500_000_000, 750_000_000])
        #expect(requests(own).map(\.session) == [4, nil])
    }

    @Test("requests out of order are sorted, and counted")
    func sorting() throws {
        let trace: Trace = try parse("arrived_at,num_prefill_tokens,num_decode_tokens\n9,1,1\n2,2,1\n5,3,1\n2,4,1\n")
        #expect(requests(trace).map(\.promptLength) == [2, 4, 3, 1])
        #expect(requests(trace).compactMap { $0.arrival?.seconds } == [0, 0, 3, 7])
        #expect(trace.notes.unordered == 3)
    }

    @Test("Mooncake's block hashes become shared texts; the last block ends with the prompt")
    func mooncake() throws {
        let trace: Trace = try parse(
            """
            {"timestamp": 27000, "input_length": 1100, "output_length": 5, "hash_ids": [0, 1, 2]}
            {"timestamp": 30000, "input_length": 600, "output_length": 7, "hash_ids": [0, 9]}
            """)
        #expect(trace.format == .mooncake)
        #expect(requests(trace).map(\.arrival) == [0, 3 * .second])
        #expect(
            requests(trace)[0].segments == [
                PromptSegment(.text(0), tokens: 512), PromptSegment(.text(1), tokens: 512),
                PromptSegment(.text(2), tokens: 76),
            ])
        // 512 of the second prompt's 600 tokens are the first's: 512 / 1700.
        let figures = WorkloadStatistics(of: requests(trace))
        #expect(abs(figures.reusedShare - 512.0 / 1700) < 1e-12)
    }

    private let shareGPT: String = """
        [{"id": "a", "conversations": [
            {"from": "human", "value": "12345678"}, {"from": "gpt", "value": "abcd\\n"},
            {"from": "human", "value": "x]}\\"{["}, {"from": "gpt", "value": "abc"}]},
         {"id": "b", "conversations": [{"from": "gpt", "value": "unasked"}]},
         {"id": "c", "conversations": [{"from": "system", "value": "1234"}, {"from": "human", "value": "1234567"},
            {"from": "gpt", "value": "yes"}]}]
        """

    @Test("ShareGPT's turns quote what was said before; four bytes count as a token")
    func conversations() throws {
        let trace: Trace = try parse(shareGPT)
        #expect(trace.format == .shareGPT && !trace.hasTimes)
        // "12345678" has 2 tokens, "abcd\n" 2, six bytes 2, "abc" 1; then "1234" 1, "1234567" 2, "yes" 1.
        #expect(requests(trace).map(\.promptLength) == [2, 6, 3])
        #expect(requests(trace).map(\.outputLength) == [2, 1, 1])
        #expect(requests(trace).map(\.after) == [nil, 0, nil])
        #expect(requests(trace).map(\.session) == [0, 0, 1])
        #expect(requests(trace)[1].segments[1] == PromptSegment(.answer(0), tokens: 2))
        #expect(trace.notes.failed == 1 && trace.notes.estimated == 3)
        var options = TraceOptions()
        options.maxTurns = 1
        options.countTokens = { $0.count }
        let first: Trace = try parse(shareGPT, options: options)
        #expect(requests(first).map(\.promptLength) == [8, 11])
        #expect(requests(first).map(\.outputLength) == [5, 3])
    }

    @Test("logs of an OpenAI-style API are read in the forms that gateways write")
    func requestLog() throws {
        let system = String(repeating: "s", count: 2048)
        let trace: Trace = try parse(
            """
            {"timestamp":"2025-01-01T00:00:00Z","body":{"model":"m","messages":[{"role":"system","content":"\(system)"},\
            {"role":"user","content":"first"}]},"usage":{"prompt_tokens":1030,"completion_tokens":20}}
            {"ts":1735689602.5,"request":"{\\"messages\\":[{\\"role\\":\\"system\\",\\"content\\":\\"\(system)\\"},\
            {\\"content\\":[{\\"type\\":\\"text\\",\\"text\\":\\"second\\"}]}]}","response":{"status_code":200,\
            "body":{"usage":{"prompt_tokens":1031,"completion_tokens":0}}}}
            {"time":1735689603000,"prompt":"abc","status":500,"error":{"message":"down"}}
            {"time":1735689604000,"prompt":[1,2,3,4],"max_tokens":9,"session_id":"u1"}
            {"time":1735689605000,"prompt":"12345678","choices":[{"message":{"content":"four chr"}}]}
            """)
        #expect(trace.format == .requestLog)
        let requests: [WorkloadRequest] = requests(trace)
        #expect(requests.compactMap { $0.arrival?.seconds } == [0, 2.5, 4, 5])
        #expect(requests.map(\.promptLength) == [1030, 1031, 4, 4])
        #expect(requests.map(\.outputLength) == [20, 1, 9, 2])
        #expect(requests.map(\.session) == [nil, nil, 0, nil])
        #expect(trace.notes.failed == 1 && trace.notes.emptyAnswers == 1)
        // The system prompt is two pieces of 1,024 bytes at (1030 + 1031) / (2053 + 2054) tokens a byte: 514 each.
        #expect(requests[0].segments.prefix(2) == requests[1].segments.prefix(2))
        #expect(requests[0].segments[0].tokens == 514)
        #expect(WorkloadStatistics(of: requests).reusedShare > 0.45)
    }

    @Test("what this program writes it reads again, to the token")
    func roundTrip() throws {
        let drawn = SyntheticRequests(
            lengths: .independent(prompt: .uniform(5, 500), output: .uniform(1, 90)),
            prefixes: SharedPrefixes(groups: 3, tokens: .fixed(40), share: 0.7),
            conversations: Conversations(turns: .uniform(1, 4), thinkTime: .exponential(mean: .second)))
        let workload = Workload(
            name: "w", seed: 12_345_678_901_234_567_890, drawing: drawn, arrivals: .poisson(rate: 2), requests: 300)
        let written: [WorkloadRequest] = Array(workload.stream())
        let lines: Trace = try parse(written.map(\.jsonLine).joined(separator: "\n"))
        #expect(lines.format == .jsonl && requests(lines) == written)
        let alone = Workload(
            name: "w", drawing: SyntheticRequests(lengths: .fixed(prompt: 4, output: 5)), arrivals: .poisson(rate: 2),
            requests: 50)
        let rows: String = ([WorkloadRequest.tableHead] + alone.stream().map(\.tableRow)).joined(separator: "\n")
        #expect(requests(try parse(rows)) == Array(alone.stream()))
    }

    @Test("a slice keeps whole conversations, and its times begin with it")
    func selection() throws {
        let lines: [String] = (0..<10).flatMap { number -> [String] in
            let root: Int = 2 * number
            return [
                "{\"arrival_ns\":\(number)000000000,\"prompt_tokens\":5,\"output_tokens\":2,\"session\":\(number)}",
                "{\"prompt_tokens\":9,\"output_tokens\":2,\"session\":\(number),\"after\":\(root),"
                    + "\"segments\":[{\"answer\":\(root),\"tokens\":2}]}",
            ]
        }
        let trace: Trace = try parse(lines.joined(separator: "\n"))
        var selection = TraceSelection()
        selection.from = 3 * .second
        selection.to = 6 * .second
        let part: [WorkloadRequest] = requests(trace.selecting(selection))
        #expect(part.map { $0.arrival?.seconds } == [0, nil, 1, nil, 2, nil])
        #expect(part.map(\.after) == [nil, 0, nil, 2, nil, 4])
        #expect(part[3].segments == [PromptSegment(.answer(2), tokens: 2)])
        var sample = TraceSelection()
        sample.sample = 0.5
        let half: [WorkloadRequest] = requests(trace.selecting(sample))
        #expect(half.count { $0.after == nil } == half.count { $0.after != nil })
        #expect(half.count > 0 && half.count < 20)
        var counted = TraceSelection()
        counted.skip = 4
        counted.limit = 6
        #expect(requests(trace.selecting(counted)).map(\.session) == [2, 2, 3, 3, 4, 4])
    }

    @Test("a trace replays faster, at a rate, with other arrivals, and again with other texts")
    func replay() throws {
        let trace: Trace = try parse(
            """
            {"timestamp": 0, "input_length": 10, "output_length": 5, "hash_ids": [1]}
            {"timestamp": 2000, "input_length": 20, "output_length": 5, "hash_ids": [2]}
            {"timestamp": 8000, "input_length": 30, "output_length": 5, "hash_ids": [1]}
            """)
        let recorded = Workload(name: "t", replaying: TraceReplay(trace))
        #expect(recorded.stream().map(\.arrival) == [0, 2 * .second, 8 * .second])
        #expect(recorded.meanRate == 0.25)
        #expect(recorded.scaled(toRate: 1).stream().map(\.arrival) == [0, .second / 2, 2 * .second])
        let poisson = Workload(name: "t", replaying: TraceReplay(trace), arrivals: .poisson(rate: 5))
        #expect(poisson.stream().map(\.promptLength) == [10, 20, 30])
        #expect(poisson.stream().map(\.arrival) != recorded.stream().map(\.arrival))
        let again = Workload(name: "t", replaying: TraceReplay(trace, repeats: true), requests: 5)
        let rounds: [WorkloadRequest] = Array(again.stream())
        // The span of 8 s and one mean gap of 4 s.
        #expect(rounds.compactMap { $0.arrival?.seconds } == [0, 2, 8, 12, 14])
        #expect(rounds.map(\.index) == [0, 1, 2, 3, 4])
        #expect(rounds[3].segments[0] != rounds[0].segments[0])
        #expect(recorded.digest != again.digest)
    }

    @Test("statistics agree with numpy's")
    func statistics() {
        // Origin: numpy 2.4: np.percentile, np.std of np.diff, counts of minutes from the first arrival.
        let times: [Double] = [0, 1, 1.5, 4, 70, 71, 200]
        let prompts: [Int] = [100, 200, 50, 400, 1000, 10, 300]
        let requests: [WorkloadRequest] = times.indices.map {
            WorkloadRequest(
                index: $0, arrival: Nanoseconds(times[$0] * 1e9), promptLength: prompts[$0], outputLength: 10)
        }
        let figures = WorkloadStatistics(of: requests)
        #expect(abs((figures.gapVariation ?? 0) - 1.4665691255443774) < 1e-12)
        #expect(abs((figures.rate ?? 0) - 0.03) < 1e-12)
        #expect(abs((figures.peakMinute ?? 0) - 2.2222222222222223) < 1e-12)
        #expect(figures.prompt.p50 == 200 && abs(figures.prompt.p90 - 640) < 1e-9)
        #expect(abs(figures.prompt.p99 - 964) < 1e-9 && abs(figures.prompt.mean - 294.2857142857143) < 1e-12)
        #expect(figures.prompt.max == 1000 && figures.prompt.min == 10 && figures.prompt.total == 2060)
    }

    @Test("a cache without limits has all that earlier turns said")
    func reuse() {
        let talk = SyntheticRequests(
            lengths: .fixed(prompt: 10, output: 5), conversations: Conversations(turns: .fixed(3)))
        let workload = Workload(name: "w", drawing: talk, arrivals: .poisson(rate: 1), requests: 6)
        let figures = WorkloadStatistics(of: workload.stream())
        // Prompts of 10, 25 and 40 tokens, of which 0, 15 and 30 are known: 45 of 75.
        #expect(abs(figures.reusedShare - 0.6) < 1e-12)
        #expect(figures.conversations == 2 && figures.turns == 3)
    }
}
