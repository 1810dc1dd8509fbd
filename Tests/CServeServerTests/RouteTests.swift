// Routes, keys, probes and metrics.

import CServeCore
import Testing

@testable import CServeServer

struct RouteTests {
    @Test("Every route answers, also under /openai, and with HEAD")
    func all() async throws {
        try await TestServer.with(FakeEngine(Scripts.say("ok"))) { server in
            for path in [
                "/", "/health", "/ping", "/startupz", "/readyz", "/livez", "/version", "/load", "/metrics", "/docs",
                "/openapi.json", "/v1/models", "/v1/models/alias", "/openai/v1/models", "/openai/v1/models/test-model",
            ] {
                let response: TestResponse = try await server.get(path)
                #expect(response.status == 200, "\(path)")
            }
            let models: JSONValue = try await server.get("/openai/v1/models").json()
            #expect(models["data"]?[0]?["id"] == "test-model")
            #expect(models["data"]?[0]?["max_model_len"] == 1000)
            let status: JSONValue = try await server.get("/").json()
            #expect(status == ["status": "RUNNING", "model": "test-model", "api_type": "chat"])
            let document: JSONValue = try await server.get("/openapi.json").json()
            #expect(document["paths"]?["/v1/chat/completions"]?["post"] != nil)
        }
    }

    @Test("A server that logs no steps says how to, and a step's number must be one")
    func steps() async throws {
        try await TestServer.with(FakeEngine(Scripts.say("ok"))) { server in
            let none: TestResponse = try await server.get("/debug/steps?after=0")
            #expect(none.status == 404)
            let message: String = try none.json()["error"]?["message"]?.stringValue ?? ""
            #expect(message.contains("--step-log 4096"))
            try await expectStatus(400, server.get("/debug/steps?after=x"))
        }
    }

    @Test("Unknown paths get 404, wrong methods 405 with Allow, unknown models 404")
    func misses() async throws {
        try await TestServer.with(FakeEngine(Scripts.say("ok"))) { server in
            try await expectStatus(404, server.get("/nothing"))
            let wrong: TestResponse = try await server.get("/v1/chat/completions")
            #expect(wrong.status == 405)
            #expect(wrong.headers["allow"] == "POST")
            let missing: TestResponse = try await server.get("/v1/models/other")
            #expect(missing.status == 404)
            let body: String = #"{"model":"other","messages":[{"role":"user","content":"x"}]}"#
            let error: JSONValue? = try await server.post("/v1/chat/completions", body).json()["error"]
            #expect(error?["code"] == "model_not_found")
            #expect(error?["param"] == "model")
            #expect(error?["status"] == 404)
        }
    }

    @Test("With keys, every route but health checks is closed")
    func keys() async throws {
        let change: (inout ServerSettings) -> Void = { $0.apiKeys = APIKeys(["one", "two"]) }
        try await TestServer.with(FakeEngine(Scripts.say("ok")), settings: change) { server in
            for path in ["/v1/models", "/metrics", "/docs", "/", "/version"] {
                try await expectStatus(401, server.get(path), "\(path)")
                try await expectStatus(200, server.get(path, headers: ["Authorization: Bearer two"]), "\(path)")
                try await expectStatus(401, server.get(path, headers: ["Authorization: Bearer tw"]), "\(path)")
            }
            for path in ["/health", "/ping", "/startupz", "/readyz", "/livez"] {
                try await expectStatus(200, server.get(path), "\(path)")
            }
            let error: JSONValue? = try await server.get("/v1/models").json()["error"]
            #expect(error?["code"] == "invalid_api_key")
        }
    }

    @Test("Before the model is there, probes and work are answered with 503")
    func starting() async throws {
        try await TestServer.with(FakeEngine(Scripts.say("ok")), publish: false) { server in
            for path in ["/health", "/startupz", "/readyz", "/v1/models"] {
                try await expectStatus(503, server.get(path), "\(path)")
            }
            try await expectStatus(200, server.get("/livez"))
            let status: JSONValue = try await server.get("/").json()
            #expect(status["status"] == "STARTING")
        }
    }

    @Test("A stalled engine fails /livez and /health")
    func stalled() async throws {
        let engine: FakeEngine = FakeEngine(Scripts.say("ok"))
        try await TestServer.with(engine) { server in
            engine.stall(for: 119 * .second)
            try await expectStatus(200, server.get("/livez"))
            engine.stall(for: 121 * .second)
            try await expectStatus(503, server.get("/livez"))
            try await expectStatus(503, server.get("/health"))
        }
    }

    @Test("/metrics has vLLM's names, edges and labels, and no prompt text")
    func metrics() async throws {
        try await TestServer.with(FakeEngine(Scripts.say("secret"))) { server in
            _ = try await server.post("/v1/completions", #"{"prompt":"password","max_tokens":3}"#)
            let text: String = try await server.get("/metrics").body
            let labels: String = #"model_name="test-model",engine="0""#
            #expect(text.contains(#"vllm:request_success_total{\#(labels),finished_reason="length"} 1.0"#))
            #expect(text.contains(#"vllm:time_to_first_token_seconds_bucket{\#(labels),le="2560.0"} 1.0"#))
            #expect(text.contains(#"vllm:e2e_request_latency_seconds_bucket{\#(labels),le="7680.0"} 1.0"#))
            #expect(text.contains(#"vllm:request_generation_tokens_sum{\#(labels)} 3.0"#))
            #expect(text.contains(#"vllm:iteration_tokens_total_bucket{\#(labels),le="16384.0"} 0.0"#))
            #expect(text.contains(#"cserve:inter_token_latency_seconds_bucket{\#(labels),le="0.0001"}"#))
            #expect(text.contains(#"http_requests_total{handler="/v1/completions",method="POST",status="2xx"} 1.0"#))
            #expect(!text.contains("secret"))
            #expect(!text.contains("password"))
        }
    }

    @Test("Generate answers as CServe did, whole and as raw text")
    func generate() async throws {
        try await TestServer.with(FakeEngine(Scripts.say("hello"))) { server in
            let body: String = #"{"prompt":"x","sampling_params":{"n":2,"max_tokens":9,"use_beam_search":false}}"#
            let whole: JSONValue = try await server.post("/cserve/v1/generate", body).json()
            #expect(whole == ["text": ["hello", "hello"]])
            let stream: TestResponse = try await server.post("/cserve/v1/generate", #"{"prompt":"x","stream":true}"#)
            #expect(stream.body == "hello")
        }
    }

    @Test("Text becomes tokens and tokens text")
    func tokenize() async throws {
        try await TestServer.with(FakeEngine(Scripts.say(""))) { server in
            let tokens: JSONValue = try await server.post("/tokenize", #"{"prompt":"ab","return_token_strs":true}"#)
                .json()
            #expect(
                tokens == [
                    "count": 3, "max_model_len": 1000, "tokens": [257, 97, 98], "token_strs": ["<257>", "a", "b"],
                ])
            let chat: JSONValue = try await server.post(
                "/tokenize", #"{"messages":[{"role":"u","content":"x"}],"add_generation_prompt":false}"#
            ).json()
            #expect(chat["count"] == 4)
            let text: JSONValue = try await server.post("/detokenize", #"{"tokens":[97,98]}"#).json()
            #expect(text == ["prompt": "ab"])
            try await expectStatus(400, server.post("/detokenize", #"{"tokens":[9999]}"#))
        }
    }

    @Test("Browsers are told of allowed origins only")
    func origins() async throws {
        let change: (inout ServerSettings) -> Void = { $0.allowedOrigins = ["https://a.example"] }
        try await TestServer.with(FakeEngine(Scripts.say("")), settings: change) { server in
            let allowed: TestResponse = try await server.send(
                "OPTIONS", "/v1/chat/completions", headers: ["Origin: https://a.example"])
            #expect(allowed.status == 204)
            #expect(allowed.headers["access-control-allow-origin"] == "https://a.example")
            let other: TestResponse = try await server.get("/version", headers: ["Origin: https://b.example"])
            #expect(other.headers["access-control-allow-origin"] == nil)
        }
    }
}
