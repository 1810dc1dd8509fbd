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
}
