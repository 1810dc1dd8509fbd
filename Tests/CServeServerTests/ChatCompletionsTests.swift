// Shapes of chat answers, whole and streamed.

import CServeCore
import Testing

@testable import CServeServer

struct ChatCompletionsTests {
    static let hello: String = #"{"messages":[{"role":"user","content":"Hi"}]}"#

    @Test("A whole answer has OpenAI's shape")
    func whole() async throws {
        try await TestServer.with(FakeEngine(Scripts.say("Hello"))) { server in
            let response: TestResponse = try await server.post(
                "/v1/chat/completions", Self.hello, headers: ["X-Request-Id: abc"])
            #expect(response.status == 200)
            #expect(response.headers["x-request-id"] == "abc")
            let json: JSONValue = try response.json()
            #expect(json["id"] == "chatcmpl-abc")
            #expect(json["object"] == "chat.completion")
            #expect(json["model"] == "test-model")
            let choice: JSONValue? = json["choices"]?[0]
            #expect(choice?["message"] == ["role": "assistant", "content": "Hello", "refusal": nil])
            #expect(choice?["finish_reason"] == "stop")
            #expect(choice?["stop_reason"] == .null)
            #expect(choice?["logprobs"] == .null)
            // "user: Hi\nA: " is 12 bytes; five bytes and the end token come back.
            #expect(json["usage"]?["prompt_tokens"] == 12)
            #expect(json["usage"]?["completion_tokens"] == 6)
            #expect(json["usage"]?["total_tokens"] == 18)
        }
    }

    @Test("A streamed answer opens with its role, ends with a reason, its usage and [DONE]")
    func streamed() async throws {
        try await TestServer.with(FakeEngine(Scripts.say("Hé!"))) { server in
            let body: String =
                #"{"messages":[{"role":"user","content":"Hi"}],"stream":true,"stream_options":{"include_usage":true}}"#
            let response: TestResponse = try await server.post("/v1/chat/completions", body)
            #expect(response.headers["content-type"] == "text/event-stream; charset=utf-8")
            #expect(response.events.last == "[DONE]")
            let chunks: [JSONValue] = try response.chunks()
            #expect(chunks.allSatisfy { $0["object"] == "chat.completion.chunk" })
            #expect(chunks[0]["choices"]?[0]?["delta"] == ["role": "assistant", "content": ""])
            #expect(chunks[0]["usage"] == .null)
            let texts: [String] = chunks.dropFirst().compactMap { $0["choices"]?[0]?["delta"]?["content"]?.stringValue }
            #expect(texts == ["H", "é", "!"])
            #expect(chunks[chunks.count - 2]["choices"]?[0]?["finish_reason"] == "stop")
            #expect(chunks.last?["choices"] == [])
            #expect(chunks.last?["usage"]?["completion_tokens"] == 5)
        }
    }

    @Test("A stop string across tokens ends the answer, is left out, and ends the branch in the engine")
    func stopString() async throws {
        try await TestServer.with(FakeEngine(Scripts.begin("one END two"))) { server in
            let body: String = #"{"messages":[{"role":"user","content":"Hi"}],"stop":["END"],"max_tokens":50}"#
            let json: JSONValue = try await server.post("/v1/chat/completions", body).json()
            #expect(json["choices"]?[0]?["message"]?["content"] == "one ")
            #expect(json["choices"]?[0]?["finish_reason"] == "stop")
            #expect(json["choices"]?[0]?["stop_reason"] == "END")
            #expect(server.engine.cancels.first?.reason == .stop)
            #expect(json["usage"]?["prompt_tokens_details"]?["cached_tokens"] == 2)
        }
    }

    @Test("Log-probabilities carry token, bytes and the asked-for alternatives, and stop with the text")
    func logprobs() async throws {
        try await TestServer.with(FakeEngine(Scripts.begin("ab|c"))) { server in
            let body: String =
                #"{"messages":[{"role":"user","content":"x"}],"logprobs":true,"top_logprobs":2,"stop":"|"}"#
            let json: JSONValue = try await server.post("/v1/chat/completions", body).json()
            let content: [JSONValue] = json["choices"]?[0]?["logprobs"]?["content"]?.arrayValue ?? []
            #expect(content.count == 2)
            #expect(content.first?["token"] == "a")
            #expect(content.first?["bytes"] == [97])
            #expect(content.first?["logprob"] == -0.5)
            #expect(content.first?["top_logprobs"]?.arrayValue?.count == 2)
            #expect(content.first?["top_logprobs"]?[1]?["token"] == "b")
        }
    }

    @Test("Several answers are streamed under their own index")
    func several() async throws {
        try await TestServer.with(FakeEngine(Scripts.say("ab"))) { server in
            let body: String = #"{"messages":[{"role":"user","content":"x"}],"n":3,"stream":true,"max_tokens":2}"#
            let chunks: [JSONValue] = try await server.post("/v1/chat/completions", body).chunks()
            for index in 0..<3 {
                let own: [JSONValue] = chunks.compactMap { $0["choices"]?[0] }.filter { $0["index"]?.intValue == index }
                #expect(own.compactMap { $0["delta"]?["content"]?.stringValue }.joined() == "ab")
                #expect(own.last?["finish_reason"] == "length")
            }
        }
    }

    @Test("A request that the engine fails gets 500, a stream gets an error event and [DONE]")
    func failure() async throws {
        let engine: FakeEngine = FakeEngine { _ throws(SubmitRefusal) in
            [[.started(cachedTokens: 0)], [.failed(message: "a step failed")]]
        }
        try await TestServer.with(engine) { server in
            let whole: TestResponse = try await server.post("/v1/chat/completions", Self.hello)
            #expect(whole.status == 500)
            let error: JSONValue? = try whole.json()["error"]
            #expect(error?["code"] == "internal_error")
            let stream: TestResponse = try await server.post(
                "/v1/chat/completions", #"{"messages":[{"role":"user","content":"Hi"}],"stream":true}"#)
            let last: JSONValue? = try stream.chunks().last?["error"]?["message"]
            #expect(last?.stringValue?.contains("a step failed") ?? false)
            #expect(stream.events.last == "[DONE]")
        }
    }

    @Test("Overload is 429 with Retry-After, a draining engine is 503")
    func refusals() async throws {
        let full: FakeEngine = FakeEngine { _ throws(SubmitRefusal) in
            throw .overloaded(message: "The queue is full.", retryAfterSeconds: 7)
        }
        try await TestServer.with(full) { server in
            let response: TestResponse = try await server.post("/v1/chat/completions", Self.hello)
            #expect(response.status == 429)
            #expect(response.headers["retry-after"] == "7")
            let error: JSONValue? = try response.json()["error"]
            #expect(error?["code"] == "rate_limit_exceeded")
        }
        try await TestServer.with(FakeEngine { _ throws(SubmitRefusal) in throw .shuttingDown }) { server in
            let response: TestResponse = try await server.post("/v1/chat/completions", Self.hello)
            #expect(response.status == 503)
        }
    }

    @Test("The model's recommended sampling is used where the request says nothing")
    func defaults() async throws {
        var defaults: SamplingDefaults = SamplingDefaults()
        defaults.temperature = 0.25
        defaults.topK = 40
        try await TestServer.with(FakeEngine(Scripts.say("a")), defaults: defaults) { server in
            _ = try await server.post("/v1/chat/completions", Self.hello)
            _ = try await server.post(
                "/v1/chat/completions", #"{"messages":[{"role":"user","content":"Hi"}],"temperature":1.5,"top_k":null}"#
            )
            let sampling: [SamplingParameters] = server.engine.submitted.map(\.sampling)
            #expect(sampling.map(\.temperature) == [0.25, 1.5])
            #expect(sampling.map(\.topK) == [40, 40])
            // The rest of the context: 1000 tokens less 12.
            #expect(sampling.map(\.maxTokens) == [988, 988])
        }
    }

    @Test("best_of counts in a chat too, and cannot be streamed")
    func bestOf() async throws {
        let body: String = #"{"messages":[{"role":"user","content":"a"}],"best_of":3"#
        try await TestServer.with(FakeEngine(Scripts.say("ok"))) { server in
            let json: JSONValue = try await server.post("/v1/chat/completions", body + "}").json()
            #expect(json["choices"]?.arrayValue?.count == 1)
            #expect(server.engine.submitted.first?.sampling.branches == 3)
            let refused: TestResponse = try await server.post("/v1/chat/completions", body + #","stream":true}"#)
            #expect(try refused.json()["error"]?["param"] == "best_of")
        }
    }
}
