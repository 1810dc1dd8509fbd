// What /metrics says after known traffic.

import CServeCore
import Testing

@testable import CServeServer

struct MetricsTests {
    @Test("Paths that clients make up do not become labels, whatever the method and status")
    func labels() async throws {
        let change: (inout ServerSettings) -> Void = { $0.apiKeys = APIKeys(["k"]) }
        try await TestServer.with(FakeEngine(Scripts.say("ok")), settings: change) { server in
            for (method, path) in [("OPTIONS", "/made/up"), ("GET", "/v1/models/made-up"), ("DELETE", "/v1/models/x")] {
                let client: TestConnection = try await TestConnection.open(port: server.port)
                try await client.send("\(method) \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                _ = try await client.read { _ in false }
            }
            let client: TestConnection = try await TestConnection.open(port: server.port)
            try await client.send(
                "GET /metrics HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer k\r\nConnection: close\r\n\r\n")
            let text: String = try await client.read { _ in false }
            #expect(!text.contains("made"))
            #expect(text.contains(#"http_requests_total{handler="none",method="OPTIONS",status="2xx"} 1.0"#))
            #expect(text.contains(#"http_requests_total{handler="/v1/models/{model}",method="GET",status="4xx"} 1.0"#))
        }
    }

    @Test("The length that a request was allowed is observed, not the default")
    func maxTokens() async throws {
        try await TestServer.with(FakeEngine(Scripts.say("ok"))) { server in
            _ = try await server.post("/v1/completions", #"{"prompt":"a","max_tokens":7}"#)
            _ = try await server.post("/v1/completions", #"{"prompt":["a","b"],"max_tokens":100}"#)
            let text: String = try await server.get("/metrics").body
            #expect(text.contains("vllm:request_params_max_tokens_sum{model_name=\"test-model\",engine=\"0\"} 207.0"))
            #expect(text.contains("vllm:request_params_max_tokens_count{model_name=\"test-model\",engine=\"0\"} 3.0"))
        }
    }

    @Test("Drafts are counted under vLLM's names, where there are any")
    func speculation() async throws {
        let engine: FakeEngine = FakeEngine(Scripts.say("ok"))
        try await TestServer.with(engine) { server in
            #expect(try await !server.get("/metrics").body.contains("spec_decode"))
            var counters: SpeculationCounters = SpeculationCounters()
            (counters.drafts, counters.draftTokens, counters.acceptedTokens) = (5, 9, 4)
            counters.acceptedPerPosition = [3, 1]
            engine.set(speculation: counters)
            let text: String = try await server.get("/metrics").body
            let labels: String = #"model_name="test-model",engine="0""#
            #expect(text.contains("vllm:spec_decode_num_drafts_total{\(labels)} 5.0"))
            #expect(text.contains("vllm:spec_decode_num_draft_tokens_total{\(labels)} 9.0"))
            #expect(text.contains("vllm:spec_decode_num_accepted_tokens_total{\(labels)} 4.0"))
            let perPosition: String = "vllm:spec_decode_num_accepted_tokens_per_pos_total{\(labels),position="
            #expect(text.contains(perPosition + "\"0\"} 3.0") && text.contains(perPosition + "\"1\"} 1.0"))
        }
    }

    @Test("Tokens that come together are streamed and timed one by one; nothing comes after a stop string")
    func together() async throws {
        let script: FakeEngine.Script = { request throws(SubmitRefusal) in
            func tokens(_ text: String) -> RequestEvent {
                .tokens(branch: 0, text.utf8.map { Scripts.scored(TokenID($0), request, position: 0) })
            }
            return [
                [.started(cachedTokens: 0), tokens("a")], [tokens("bcd")], [tokens("eST")], [tokens("OPxyz")],
                [.finished(branch: 0, reason: .stop, stopToken: nil)],
            ]
        }
        try await TestServer.with(FakeEngine(script)) { server in
            let body: String = try await server.post(
                "/v1/completions",
                #"{"prompt":"p","max_tokens":20,"stop":"STOP","stream":true,"stream_options":{"include_usage":true}}"#
            ).body
            for piece in ["\"text\":\"a\"", "\"text\":\"bcd\"", "\"text\":\"e\""] { #expect(body.contains(piece)) }
            #expect(!body.contains("xyz") && !body.contains("\"text\":\"S"))
            #expect(body.contains("\"completion_tokens\":9"))
            let text: String = try await server.get("/metrics").body
            let labels: String = #"{model_name="test-model",engine="0"}"#
            #expect(text.contains("vllm:inter_token_latency_seconds_count\(labels) 11.0"))
            #expect(text.contains("vllm:request_time_per_output_token_seconds_count\(labels) 1.0"))
        }
    }
}
