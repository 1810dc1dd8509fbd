// Shapes of completions: prompts, echo, scores, best_of and infilling.

import CServeCore
import Testing

@testable import CServeServer

struct CompletionsTests {
    @Test("Prompts are a string, strings, token ids, or lists of those; answers keep their order")
    func prompts() async throws {
        try await TestServer.with(FakeEngine(Scripts.say("ok"))) { server in
            for (prompt, count) in [(#""a""#, 1), (#"["a","b"]"#, 2), ("[97,98]", 1), ("[[97],[98,99],[100]]", 3)] {
                let json: JSONValue = try await server.post("/v1/completions", #"{"prompt":\#(prompt),"n":2}"#).json()
                let choices: [JSONValue] = json["choices"]?.arrayValue ?? []
                #expect(json["object"] == "text_completion")
                #expect(choices.map { $0["index"] } == (0..<(2 * count)).map { .integer($0) })
                #expect(choices.allSatisfy { $0["text"] == "ok" })
            }
            #expect(server.engine.submitted.first?.sampling.maxTokens == 16)
        }
    }

    @Test("An echo repeats the prompt with its scores, the first of which is null")
    func echo() async throws {
        let engine: FakeEngine = FakeEngine { request throws(SubmitRefusal) in
            let scored: [ScoredToken] = request.promptTokens.enumerated().map { index, token in
                guard index > 0 else { return ScoredToken(token: token) }
                let own: TokenLogprob = TokenLogprob(token: token, logprob: -.infinity, rank: 5)
                return ScoredToken(token: token, logprob: own, top: [TokenLogprob(token: 65, logprob: -1, rank: 1)])
            }
            return [
                [.started(cachedTokens: 0), .promptScored(scored)],
                [.finished(branch: 0, reason: .length, stopToken: nil)],
            ]
        }
        try await TestServer.with(engine) { server in
            let body: String = #"{"prompt":[97,98,99],"echo":true,"logprobs":1,"max_tokens":0}"#
            let choice: JSONValue? = try await server.post("/v1/completions", body).json()["choices"]?[0]
            #expect(choice?["text"] == "abc")
            #expect(choice?["logprobs"]?["tokens"] == ["a", "b", "c"])
            #expect(choice?["logprobs"]?["token_logprobs"] == [nil, -9999.0, -9999.0])
            #expect(choice?["logprobs"]?["text_offset"] == [0, 1, 2])
            #expect(choice?["logprobs"]?["top_logprobs"]?[1] == ["A": -1.0, "b": -9999.0])
            #expect(server.engine.submitted.first?.sampling.promptLogprobs == 1)
        }
    }

    @Test("Offsets count characters, and parts of characters have keys of their own")
    func offsets() async throws {
        try await TestServer.with(FakeEngine(Scripts.say("é!"))) { server in
            let body: String = #"{"prompt":"x","logprobs":0}"#
            let logprobs: JSONValue? = try await server.post("/v1/completions", body).json()["choices"]?[0]?["logprobs"]
            #expect(logprobs?["tokens"] == [#"bytes:\xc3"#, #"bytes:\xa9"#, "!"])
            #expect(logprobs?["text_offset"] == [0, 0, 1])
        }
    }

    @Test("best_of returns the answers with the highest mean log-probability")
    func bestOf() async throws {
        let engine: FakeEngine = FakeEngine { request throws(SubmitRefusal) in
            let scores: [Float] = [-3, -1, -2]
            return [
                scores.enumerated().map { branch, score in
                    let token: TokenID = TokenID(97 + branch)
                    let own: TokenLogprob = TokenLogprob(token: token, logprob: score, rank: 1)
                    return .tokens(branch: branch, [ScoredToken(token: token, logprob: own)])
                } + (0..<3).map { .finished(branch: $0, reason: .length, stopToken: nil) }
            ]
        }
        try await TestServer.with(engine) { server in
            let json: JSONValue = try await server.post(
                "/v1/completions", #"{"prompt":"x","n":2,"best_of":3,"max_tokens":1}"#
            ).json()
            #expect(json["choices"]?.arrayValue?.map { $0["text"] } == ["b", "c"])
            #expect(json["choices"]?.arrayValue?.map { $0["index"] } == [0, 1])
            #expect(json["usage"]?["completion_tokens"] == 3)
        }
    }

    @Test("A suffix asks for an infill where the model can, and is refused elsewhere")
    func suffix() async throws {
        let body: String = #"{"prompt":"a","suffix":"b"}"#
        try await TestServer.with(FakeEngine(Scripts.say("ok")), codec: ByteCodec(hasInfill: true)) { server in
            _ = try await server.post("/v1/completions", body)
            #expect(server.engine.submitted.first?.promptTokens == [258, 97, 259, 98, 260])
        }
        try await TestServer.with(FakeEngine(Scripts.say("ok"))) { server in
            let error: JSONValue? = try await server.post("/v1/completions", body).json()["error"]
            #expect(error?["code"] == "unsupported_parameter")
            #expect(error?["param"] == "suffix")
        }
    }

    @Test("Token ids are returned where they are asked for, also in a stream")
    func tokenIDs() async throws {
        try await TestServer.with(FakeEngine(Scripts.say("ab"))) { server in
            let body: String = #"{"prompt":[97],"return_token_ids":true,"max_tokens":2"#
            let choice: JSONValue? = try await server.post("/v1/completions", body + "}").json()["choices"]?[0]
            #expect(choice?["token_ids"] == [97, 98])
            #expect(choice?["prompt_token_ids"] == [97])
            let chunks: [JSONValue] = try await server.post("/v1/completions", body + #","stream":true}"#).chunks()
            #expect(chunks.first?["choices"]?[0]?["prompt_token_ids"] == [97])
            let ids: [JSONValue] = chunks.flatMap { $0["choices"]?[0]?["token_ids"]?.arrayValue ?? [] }
            #expect(ids == [97, 98])
        }
    }

    @Test("The default length is cut to what the context leaves; a length that was asked for is not")
    func defaultLength() async throws {
        try await TestServer.with(FakeEngine(maxModelLength: 10, Scripts.say("ok"))) { server in
            #expect(try await server.post("/v1/completions", #"{"prompt":[1,2,3]}"#).status == 200)
            #expect(server.engine.submitted.first?.sampling.maxTokens == 7)
            #expect(try await server.post("/v1/completions", #"{"prompt":[1,2,3],"max_tokens":16}"#).status == 400)
            let full: String = #"{"prompt":[1,2,3,4,5,6,7,8,9,10]}"#
            let error: JSONValue? = try await server.post("/v1/completions", full).json()["error"]
            #expect(error?["code"] == "context_length_exceeded")
        }
    }

    @Test("An empty suffix asks for nothing")
    func emptySuffix() async throws {
        try await TestServer.with(FakeEngine(Scripts.say("ok"))) { server in
            let status: Int = try await server.post("/v1/completions", #"{"prompt":"a","suffix":""}"#).status
            #expect(status == 200)
        }
    }

    @Test("Offsets of an echo pass over the tokens that the tokenizer added, and never run ahead of the text")
    func echoOffsets() {
        let codec: ByteCodec = ByteCodec()
        let echo: [TokenID] = [ByteCodec.begin, 97, 0xC3, 0xA9, 98]
        #expect(EchoOffsets.offsets(of: echo, in: "aéb", codec) == [0, 0, 1, 2, 2])
        #expect(EchoOffsets.offsets(of: [32, 97], in: "a", codec) == [0, 0])
        #expect(EchoOffsets.offsets(of: [32, 97], in: " a", codec) == [0, 1])
        #expect(EchoOffsets.offsets(of: [ByteCodec.begin, 97], in: "<257>a", codec) == [0, 5])
        #expect(EchoOffsets.offsets(of: [97, 98, 99], in: "a", codec) == [0, 1, 1])
    }
}
