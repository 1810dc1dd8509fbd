// Bodies say what they should, for every source of prompts.
import CServeCore
import CServeWorkload
import Testing

@testable import CServeBench

@Suite("Writing requests")
struct RequestWriterTests {
    private let request = WorkloadRequest(
        index: 2, arrival: nil, promptLength: 9, outputLength: 4,
        segments: [
            PromptSegment(.text(5), tokens: 3), PromptSegment(.answer(1), tokens: 2),
            PromptSegment(.text(6), tokens: 4),
        ])

    private func body(
        _ source: PromptSource, _ endpoint: BenchEndpoint = .completions, answers: [Int: ReceivedAnswer] = [:],
        extra: JSONObject = JSONObject()
    ) throws -> JSONValue {
        let writer = RequestWriter(endpoint: endpoint, model: "m\"1", source: source, seed: 3, extra: extra)
        return try JSONValue(parsing: writer.body(request, answers: answers))
    }

    @Test("Token ids are the simulator's, with answers in their places, cut or filled to their lengths")
    func tokens() throws {
        let drawn: [TokenID] = request.promptTokens(vocabularySize: 500, seed: 3)
        func sent(_ answer: [TokenID]) throws -> [Int] {
            let json = try body(.tokens(vocabularySize: 500), answers: [1: ReceivedAnswer(text: "", tokens: answer)])
            return json["prompt"]?.arrayValue?.compactMap(\.intValue) ?? []
        }
        let before: [Int] = drawn[..<3].map { Int($0) }
        let behind: [Int] = drawn[5...].map { Int($0) }
        #expect(try sent([40, 41]) == before + [40, 41] + behind)
        #expect(try sent([40, 41, 42]) == before + [40, 41] + behind)
        #expect(try sent([40]) == before + [40, 1] + behind)
        #expect(try body(.tokens(vocabularySize: 500))["model"] == "m\"1")
    }

    @Test("Words make messages between answers, shortened by what the template adds")
    func words() throws {
        let list = WordList(words: ["a", "b", "c"], overhead: 1, pairOverhead: 2)
        let json = try body(.words(list), .chat, answers: [1: ReceivedAnswer(text: "so it is")])
        let messages: [JSONValue] = json["messages"]?.arrayValue ?? []
        #expect(messages.map { $0["role"]?.stringValue } == ["user", "assistant", "user"])
        #expect(messages[1]["content"] == "so it is")
        let words: [Int] = messages.map { ($0["content"]?.stringValue ?? "").split(separator: " ").count }
        #expect(words == [2, 3, 2])
        #expect(messages[0]["content"]?.stringValue?.hasPrefix("a ") == true)
        let text: String = try body(.words(list), answers: [1: ReceivedAnswer(text: "so")])["prompt"]?.stringValue ?? ""
        #expect(text.split(separator: " ").count == 2 + 1 + 2)
    }

    @Test("Recorded prompts are sent as they are, one after the other")
    func recorded() throws {
        let prompts: [RecordedPrompt] = [
            RecordedPrompt(.text("x"), line: 1, promptTokens: 1), RecordedPrompt(.text("y"), line: 2, promptTokens: 1),
        ]
        #expect(try body(.recorded(prompts))["prompt"] == "x")
        #expect(try body(.recorded(prompts), .chat)["messages"]?[0]?["content"] == "x")
    }

    @Test("Extra members stand in place of ours")
    func extra() throws {
        let json = try body(
            .tokens(vocabularySize: 9), extra: JSONObject([("temperature", 0.5), ("max_tokens", 1), ("top_k", 3)]))
        #expect(json["temperature"] == 0.5 && json["max_tokens"] == 1 && json["top_k"] == 3)
    }
}

@Suite("Files of prompts")
struct PromptFileTests {
    private func read(_ text: String) throws -> PromptFile { try PromptFile(name: "p.jsonl", bytes: Array(text.utf8)) }

    @Test("Lines in vLLM's form, with messages and with token ids are read; their lengths are kept")
    func lines() throws {
        let file: PromptFile = try read(
            """
            {"prompt": "What is it?", "output_tokens": 12}

            {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 3}
            {"prompt": [5, 6, 7]}
            """)
        #expect(file.prompts.map(\.outputTokens) == [12, 3, nil])
        #expect(file.prompts.map(\.line) == [1, 3, 4])
        #expect(file.prompts[2].content == .tokens([5, 6, 7]))
        let trace: Trace = try file.trace(outputTokens: 64)
        #expect(trace.count == 3 && trace.request(2).outputLength == 64 && trace.request(2).promptLength == 3)
        #expect(
            trace.digest
                == SHA256.hexadecimal(
                    of: Array(
                        """
                        {"prompt": "What is it?", "output_tokens": 12}

                        {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 3}
                        {"prompt": [5, 6, 7]}
                        """.utf8)))
    }

    @Test("ShareGPT's first question is the prompt, its answer's length the answer's")
    func shareGPT() throws {
        let file: PromptFile = try read(
            #"[{"conversations":[{"from":"human","value":"Why?"},{"from":"gpt","value":"Because of it all."}]},{"conversations":[]}]"#
        )
        #expect(file.prompts.count == 1 && file.prompts[0].content == .text("Why?"))
        #expect(file.prompts[0].outputTokens == 5)
    }

    @Test(
        "What is no prompt is refused with its line",
        arguments: [
            ("{\"prompt\": \"a\"}\n{oops", "p.jsonl, line 2: it is no JSON."), ("", "p.jsonl has no prompts."),
            ("{\"text\": 1}", "line 1: it has neither prompt"), ("[1", "the array is no JSON"),
            ("{\"prompt\": \"a\", \"max_tokens\": 0}", "the answer's length is 0"),
        ])
    func refusals(text: String, message: String) {
        #expect { try read(text) } throws: { "\($0)".contains(message) }
    }

    @Test("Token ids cannot go to a chat")
    func wrongEndpoint() throws {
        let file: PromptFile = try read("{\"prompt\": [1]}")
        #expect(throws: BenchSetupError.wrongEndpoint(file: "p.jsonl", line: 1, path: "/v1/chat/completions")) {
            try file.check(.chat)
        }
        try file.check(.completions)
    }
}

@Suite("Addresses of servers")
struct ServerAddressTests {
    @Test(
        "Addresses are read as people write them",
        arguments: [
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000"), ("localhost:9", "http://localhost:9"),
            ("HTTP://h/v1/", "http://h:80"), ("http://[::1]:8000/v1", "http://[::1]:8000"),
            ("http://h:1/openai/v1", "http://h:1/openai"),
        ])
    func good(text: String, address: String) throws {
        #expect(try ServerAddress(parsing: text).description == address)
    }

    @Test(
        "Others are refused", arguments: ["", "http://", "h:0", "h:x", "http://u@h", "http://h/?q", "[::1", "[::1]8"])
    func bad(text: String) {
        #expect(throws: BenchSetupError.badURL(text)) { try ServerAddress(parsing: text) }
    }

    @Test("https is refused by its name")
    func tls() {
        #expect(throws: BenchSetupError.needsTLS("https://h")) { try ServerAddress(parsing: "https://h") }
    }
}
