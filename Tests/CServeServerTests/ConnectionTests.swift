// Clients that go, dawdle, keep alive or send no HTTP.

import CServeCore
import Testing

@testable import CServeServer

struct ConnectionTests {
    static let chat: String = #"{"messages":[{"role":"user","content":"Hi"}]}"#
    static let streamed: String = #"{"messages":[{"role":"user","content":"Hi"}],"stream":true}"#

    @Test(
        "A client that goes away cancels its request: queued, running, streaming, whole or several prompts",
        arguments: [
            ("/v1/chat/completions", chat, false), ("/v1/chat/completions", chat, true),
            ("/v1/chat/completions", streamed, false), ("/v1/chat/completions", streamed, true),
            ("/v1/completions", #"{"prompt":["a","b","c"],"max_tokens":9}"#, true),
            ("/cserve/v1/generate", #"{"prompt":"a","stream":true}"#, true),
        ])
    func gone(path: String, body: String, begun: Bool) async throws {
        let engine: FakeEngine = FakeEngine(begun ? Scripts.begin("abc") : Scripts.hold)
        try await TestServer.with(engine) { server in
            let connection: TestConnection = try await .open(port: server.port)
            try await connection.send(TestServer.request("POST", path, body: body))
            try await server.eventually("the request reaches the engine") { engine.live > 0 }
            if begun, body == Self.streamed { _ = try await connection.read { $0.contains("abc") } }
            try await connection.close()
            try await server.eventually("the engine is told") { engine.live == 0 }
            #expect(engine.cancels.allSatisfy { $0.reason == .abort && $0.branch == nil })
        }
    }

    @Test("A connection stays open for further requests, also after errors and streams")
    func keepAlive() async throws {
        try await TestServer.with(FakeEngine(Scripts.say("ok"))) { server in
            let connection: TestConnection = try await .open(port: server.port)
            for (body, status) in [(Self.chat, 200), ("{", 400), (Self.streamed, 200), (Self.chat, 200)] {
                connection.forget()
                try await connection.send(TestServer.request("POST", "/v1/chat/completions", body: body))
                let text: String = try await connection.read { TestResponse($0) != nil }
                #expect(TestResponse(text)?.status == status)
            }
            #expect(!connection.isClosed)
            #expect(server.engine.cancels.isEmpty)
            try await connection.close()
        }
    }

    @Test("Pipelined requests are answered in order")
    func pipelined() async throws {
        try await TestServer.with(FakeEngine(Scripts.say("ok"))) { server in
            let connection: TestConnection = try await .open(port: server.port)
            let one: String = TestServer.request("POST", "/v1/chat/completions", body: Self.chat)
            try await connection.send(one + TestServer.request("GET", "/version") + one)
            let text: String = try await connection.read {
                $0.components(separator: "HTTP/1.1 200").count == 4 && $0.hasSuffix("}")
            }
            let order: [String] = text.components(separator: "HTTP/1.1 200")
            #expect(order[1].contains("chat.completion"))
            #expect(order[2].contains("\"version\""))
            #expect(order[3].contains("chat.completion"))
            try await connection.close()
        }
    }

    @Test("A body beyond the limit gets 413 whether its length is told or not, and the connection closes")
    func largeBody() async throws {
        let change: (inout ServerSettings) -> Void = { $0.limits.bodyBytes = 100 }
        try await TestServer.with(FakeEngine(Scripts.hold), settings: change) { server in
            let told: TestResponse = try await server.post("/v1/completions", String(repeating: " ", count: 101))
            #expect(told.status == 413)
            #expect(told.headers["connection"] == "close")
            let connection: TestConnection = try await .open(port: server.port)
            let chunk: String = "80\r\n" + String(repeating: " ", count: 128) + "\r\n"
            try await connection.send(
                "POST /tokenize HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk)
            let text: String = try await connection.read { TestResponse($0) != nil }
            #expect(TestResponse(text)?.status == 413)
            try await server.eventually("the connection closes") { connection.isClosed }
        }
    }

    @Test("Header fields beyond the limit get 431, bytes that are no HTTP get 400")
    func malformed() async throws {
        let change: (inout ServerSettings) -> Void = { $0.limits.headerBytes = 1000 }
        try await TestServer.with(FakeEngine(Scripts.hold), settings: change) { server in
            for (bytes, status) in [
                ("GET / HTTP/1.1\r\nHost: x\r\nX-Long: \(String(repeating: "a", count: 2000))\r\n\r\n", 431),
                ("this is no HTTP\r\n\r\n", 400),
            ] {
                let connection: TestConnection = try await .open(port: server.port)
                try await connection.send(bytes)
                let text: String = try await connection.read { TestResponse($0) != nil }
                #expect(TestResponse(text)?.status == status)
                #expect(TestResponse(text)?.body.contains("\"error\"") ?? false)
                try? await connection.close()
            }
            try await expectStatus(200, server.get("/health"))
        }
    }

    @Test("A body that does not arrive in time gets 408")
    func slowBody() async throws {
        let change: (inout ServerSettings) -> Void = { $0.limits.bodySeconds = 1 }
        try await TestServer.with(FakeEngine(Scripts.hold), settings: change) { server in
            let connection: TestConnection = try await .open(port: server.port)
            try await connection.send("POST /tokenize HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
            let text: String = try await connection.read { TestResponse($0) != nil }
            #expect(TestResponse(text)?.status == 408)
            try? await connection.close()
        }
    }

    @Test("A connection that sends no request, or trickles its header, is closed after the idle time")
    func idle() async throws {
        let change: (inout ServerSettings) -> Void = { $0.limits.idleSeconds = 1 }
        try await TestServer.with(FakeEngine(Scripts.hold), settings: change) { server in
            let connection: TestConnection = try await .open(port: server.port)
            for byte in "GET / HTTP/1.1".map(String.init) where !connection.isClosed {
                try? await connection.send(byte)
                try await Task.sleep(for: .milliseconds(150))
            }
            try await server.eventually("the connection closes") { connection.isClosed }
        }
    }

    @Test("Expect: 100-continue is answered before the body is sent")
    func expectation() async throws {
        try await TestServer.with(FakeEngine(Scripts.hold)) { server in
            let connection: TestConnection = try await .open(port: server.port)
            try await connection.send(
                "POST /tokenize HTTP/1.1\r\nHost: x\r\nContent-Length: 14\r\nExpect: 100-continue\r\n\r\n")
            _ = try await connection.read { $0.contains("100 Continue\r\n\r\n") }
            connection.forget()
            try await connection.send(#"{"prompt":"a"}"#)
            let text: String = try await connection.read { TestResponse($0) != nil }
            #expect(TestResponse(text)?.body.contains("\"tokens\":[257,97]") ?? false)
            try await connection.close()
        }
    }

    @Test("A drain refuses new work with 503, lets running answers end, and then returns")
    func drain() async throws {
        let engine: FakeEngine = FakeEngine(Scripts.begin("abc"))
        try await TestServer.with(engine) { server in
            let connection: TestConnection = try await .open(port: server.port)
            try await connection.send(TestServer.request("POST", "/v1/chat/completions", body: Self.streamed))
            _ = try await connection.read { $0.contains("abc") }
            let draining: Task<Void, Never> = Task { await server.server.drain() }
            try await server.eventually("the engine drains") { engine.snapshot().draining }
            let refused: TestResponse = try await server.post("/v1/chat/completions", Self.chat)
            #expect(refused.status == 503)
            #expect(refused.headers["retry-after"] != nil)
            try await expectStatus(503, server.get("/readyz"))
            try await expectStatus(200, server.get("/livez"))
            engine.cancel(RequestID(1), branch: nil, reason: .length)
            let text: String = try await connection.read { TestResponse($0) != nil }
            #expect(TestResponse(text)?.events.last == "[DONE]")
            await draining.value
            try await connection.close()
        }
    }
}
