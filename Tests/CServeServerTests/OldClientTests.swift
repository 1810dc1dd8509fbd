// Connections of HTTP/1.0 clients and of those that say close, each answered and then closed.

import CServeCore
import Testing

@testable import CServeServer

struct OldClientTests {
    @Test("An HTTP/1.0 client is answered in HTTP/1.0 and the connection is closed")
    func oldVersion() async throws {
        try await TestServer.with(FakeEngine(Scripts.say("ok"))) { server in
            for header in ["", "Connection: keep-alive\r\n"] {
                let client: TestConnection = try await TestConnection.open(port: server.port)
                try await client.send("GET /version HTTP/1.0\r\n\(header)\r\n")
                let text: String = try await client.read { _ in false }
                #expect(text.hasPrefix("HTTP/1.0 200 OK\r\n"))
                #expect(text.lowercased().contains("connection: close"))
                #expect(text.hasSuffix(#"{"version":"\#(ServerVersion.number)"}"#))
            }
        }
    }

    @Test("A stream to an HTTP/1.0 client is not chunked and ends with the connection")
    func oldStream() async throws {
        try await TestServer.with(FakeEngine(Scripts.say("ok"))) { server in
            let body: String = #"{"prompt":"a","stream":true}"#
            let client: TestConnection = try await TestConnection.open(port: server.port)
            try await client.send(
                "POST /v1/completions HTTP/1.0\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
            let text: String = try await client.read { _ in false }
            #expect(!text.lowercased().contains("transfer-encoding"))
            #expect(text.contains("\r\n\r\ndata: {"))
            #expect(text.hasSuffix("data: [DONE]\n\n"))
        }
    }

    @Test("Connection: close is obeyed in every spelling", arguments: ["close", "Close", "keep-alive, CLOSE"])
    func close(value: String) async throws {
        try await TestServer.with(FakeEngine(Scripts.say("ok"))) { server in
            let client: TestConnection = try await TestConnection.open(port: server.port)
            try await client.send("GET /version HTTP/1.1\r\nHost: a\r\nConnection: \(value)\r\n\r\n")
            let text: String = try await client.read { _ in false }
            #expect(text.lowercased().contains("connection: close"))
        }
    }
}
