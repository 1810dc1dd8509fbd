// Every error of workloads and traces, with the message that a user reads, and what causes it.
import CServeCore
import CServeWorkload
import Testing

@Suite("Workload errors")
struct WorkloadErrorTests {
    @Test("every workload error says what to write instead")
    func workloadMessages() {
        let json = JSONError.unexpectedEnd(at: JSONPosition(offset: 3, line: 1, column: 4))
        let messages: [(WorkloadError, String)] = [
            (.notJSON(json), "The workload is not JSON: \(json)."),
            (
                .badField(field: "arrivals.rate_per_s", found: "-1", expected: "above 0"),
                "arrivals.rate_per_s is -1, but must be above 0."
            ),
            (.missingField(field: "lengths", expected: "an object"), "lengths is missing. It is an object."),
            (
                .unknownField(field: "lengthes", known: ["name", "lengths"]),
                "lengthes is no field of a workload. Here may stand: name, lengths."
            ),
            (
                .unknownName("chta", presets: ["chat", "rag"]),
                "There is no workload \"chta\". Use a preset (chat, rag), lengths such as 1024/128, or the path of a workload "
                    + "or trace file."
            ),
            (
                .traceNotLoaded(name: "t.csv"),
                "The workload replays the trace t.csv, whose requests are not here. Give the trace file itself."
            ),
            (
                .otherTrace(name: "t.csv", expected: "0123456789abcdef", found: "fedcba9876543210"),
                "The trace t.csv has the digest fedcba987654..., but the workload was made with 0123456789ab.... Use the "
                    + "file of then, or take the digest out of the workload."
            ),
            (
                .noTimes(name: "t.csv"),
                "The trace t.csv has no times (or only one), so it cannot be replayed as recorded. Give a rate or a "
                    + "concurrency."
            ),
            (
                .nothingSelected(name: "t.csv", requests: 9),
                "Of the 9 requests of the trace t.csv none is left. Widen the slice or the sample."
            ),
            (
                .endless(arrivals: "all requests at once"),
                "With all requests at once a duration ends nothing: say how many requests there are."
            ),
        ]
        for (error, message) in messages { #expect(error.description == message) }
    }

    @Test("every trace error names file and line")
    func traceMessages() {
        let messages: [(TraceError, String)] = [
            (.empty(file: "t"), "t is empty. A trace has at least one request."),
            (
                .unknownFormat(file: "t", start: "hello"),
                "t begins with \"hello\", which is no trace format that is known. Choose one of azure, mooncake, sharegpt, "
                    + "vidur, burstgpt, csv, jsonl, openai with --trace-format."
            ),
            (
                .malformed(file: "t", line: 3, column: 7, found: "the end", expected: "a number"),
                "t, line 3, column 7: expected a number, found the end."
            ),
            (
                .badValue(file: "t", line: 3, field: "x", found: "-1", expected: "above 0"),
                "t, line 3: x is -1, but must be above 0."
            ),
            (
                .missingField(file: "t", line: 3, field: "input_length", format: .mooncake),
                "t, line 3: there is no input_length, which the format mooncake needs."
            ),
            (
                .cellCount(file: "t", line: 3, cells: 2, columns: 3),
                "t, line 3 has 2 cells, but the header names 3 columns."
            ),
            (
                .missingColumns(file: "t", format: .azure, missing: ["TIMESTAMP"], found: ["a", "b"]),
                "t, line 1: the format azure needs the columns TIMESTAMP, but the header names a, b."
            ),
            (
                .noRequests(file: "t", format: .requestLog, entries: 4),
                "t has 4 entries but no request that can be replayed (format openai). Is it the right --trace-format?"
            ),
        ]
        for (error, message) in messages { #expect(error.description == message) }
    }

    @Test(
        "broken traces are refused with their line",
        arguments: [
            ("", "t is empty"), ("  \n\n", "t is empty"), ("hello\n1,2\n", "begins with \"hello\""),
            ("TIMESTAMP,ContextTokens,GeneratedTokens\n", "t is empty"),
            ("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03,5\n", "line 2 has 2 cells"),
            ("TIMESTAMP,ContextTokens,GeneratedTokens\nnoon,5,5\n", "line 2: TIMESTAMP is \"noon\""),
            (
                "TIMESTAMP,ContextTokens,GeneratedTokens\n\n2023-11-16 18:17:03,5,-4\n",
                "line 3: the answer's length is -4"
            ),
            ("arrival_s,prompt_tokens,output_tokens\n1,many,5\n", "line 2: prompt_tokens is \"many\""),
            ("{\"timestamp\":0,\"input_length\":5,\"hash_ids\":[]}\n", "line 1: there is no output_length"),
            (
                "{\"timestamp\":0,\"input_length\":5,\"output_length\":1,\"hash_ids\":[]}\n{\"timestamp\":1,\"input\n",
                "line 2, column 16: expected a string with its closing quote"
            ),
            (
                "{\"timestamp\":0,\"input_length\":5,\"output_length\":1,\"hash_ids\":[1,2]}\n",
                "line 1: hash_ids is 2 blocks, but must be at most 1"
            ),
            ("{\"a\":1}\n", "no trace format"), ("[{\"conversations\":[{\"from\":\"human\"\n", "line 1"),
            ("[{\"conversations\":[]}]", "has 1 entries but no request"),
            ("{\"prompt\":\"a\",\"timestamp\":1}\n", "there is no usage.completion_tokens"),
            ("{\"prompt_tokens\":1,\"output_tokens\":1,\"after\":0}\n", "after is 0"),
            ("{\"usage\":{\"prompt_tokens\":1}},\n", "expected the end of the line"),
        ])
    func brokenTraces(text: String, message: String) {
        let error = #expect(throws: TraceError.self) { try TraceParser.parse(Array(text.utf8), name: "t") }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "no error")")
    }

    @Test(
        "broken workload files are refused with the field",
        arguments: [
            ("{", "not JSON"), ("[]", "The workload is array"), ("{}", "lengths is missing"),
            ("{\"lengths\":{\"prompt\":1}}", "lengths.output is missing"),
            ("{\"lengths\":{\"prompt\":1,\"output\":-1},\"requests\":1}", "lengths.output is -1"),
            ("{\"lengths\":{\"prompt\":1,\"output\":1},\"rate\":1}", "rate is no field"),
            ("{\"lengths\":{\"prompt\":1,\"output\":1}}", "a duration ends nothing"),
            (
                "{\"lengths\":{\"prompt\":1,\"output\":1},\"arrivals\":{\"kind\":\"poisson\",\"rate_per_s\":0}}",
                "arrivals.rate_per_s is 0"
            ),
            (
                "{\"lengths\":{\"prompt\":1,\"output\":1},\"arrivals\":{\"kind\":\"bursts\"}}",
                "one of poisson, gamma, constant"
            ),
            (
                "{\"lengths\":{\"prompt\":{\"kind\":\"lognormal\",\"p50_tokens\":5},\"output\":1}}",
                "given by two of mean_tokens"
            ),
            (
                "{\"lengths\":{\"prompt\":{\"kind\":\"quantiles\",\"points_tokens\":[[0,5],[1,4]]},\"output\":1}}",
                "tokens do not fall"
            ),
            (
                "{\"lengths\":{\"prompt\":{\"kind\":\"histogram\",\"bins_tokens\":[[1,5,1],[4,9,1]]},\"output\":1}}",
                "do not overlap"
            ),
            ("{\"trace\":{\"file\":\"a\",\"format\":\"x\"}}", "trace.format is \"x\""),
            ("{\"lengths\":{\"prompt\":1,\"output\":1},\"arrivals\":{\"kind\":\"recorded\"}}", "has no times"),
        ])
    func brokenWorkloads(text: String, message: String) {
        let error = #expect(throws: WorkloadError.self) { try Workload(parsing: Array(text.utf8)) }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "no error")")
    }

    @Test("a selection that leaves nothing, and a trace that is not loaded, are refused")
    func nothingLeft() throws {
        let trace: Trace = try TraceParser.parse(
            Array("arrival_s,prompt_tokens,output_tokens\n0,1,1\n1,1,1\n".utf8), name: "t")
        var selection = TraceSelection()
        selection.from = 5 * .second
        let empty = Workload(name: "w", replaying: TraceReplay(trace, selection: selection))
        #expect(throws: WorkloadError.nothingSelected(name: "t", requests: 2)) { try empty.validate() }
        let whole = Workload(name: "w", replaying: TraceReplay(trace))
        let named = try Workload(json: whole.json)
        #expect(throws: WorkloadError.traceNotLoaded(name: "t")) { try named.validate() }
        #expect(try named.attaching(trace).stream().map(\.index) == [0, 1])
        let other: Trace = try TraceParser.parse(
            Array("arrival_s,prompt_tokens,output_tokens\n0,1,1\n".utf8), name: "t")
        #expect(throws: WorkloadError.self) { try named.attaching(other) }
    }
}
