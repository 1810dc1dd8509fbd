// `cserve serve` from start to end, with the binary alone.

import Foundation
import Testing

@testable import cserve

@Suite(.serialized)
struct ServeTests {
    @Test("The binary alone, copied elsewhere, serves the built-in model and ends with 0 on SIGTERM")
    func serve() async throws {
        let folder: URL = FileManager.default.temporaryDirectory.appendingPathComponent("cserve-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let copy: URL = folder.appendingPathComponent("copied")
        try FileManager.default.copyItem(at: Command.binary, to: copy)
        let server: RunningCommand = try RunningCommand(
            ["serve", "--port", "0", "--device", "null", "--max-num-seqs", "4", "--log-json"], binary: copy)
        let address: String = try #require(try await server.line("Listening on http://"))
        _ = try #require(try await server.line("Ready: "))
        let port: String = try #require(address.split(separator: ":").last.map { String($0) })
        let chat: CommandResult = try Command.run(
            ["chat", "--url", "http://127.0.0.1:\(port)/v1", "--max-tokens", "5"], input: "Hello\n")
        #expect(chat.status == 0)
        #expect(chat.output.count > 5)
        let second: CommandResult = try Command.run(["serve", "--port", port, "--device", "null"])
        #expect(second.status == 1)
        #expect(second.errors.contains("the port is in use"), "\(second.errors)")
        server.signal(SIGTERM)
        let result: CommandResult = server.wait()
        #expect(result.status == 0)
        #expect(result.output.contains("Stopped."))
        #expect(result.errors.contains("\"message\":\"POST /v1/chat/completions 200\""), "\(result.errors)")
        #expect(!result.errors.contains("Hello"))
    }

    @Test("A second signal ends at once, although an answer is still being made")
    func twice() async throws {
        let server: RunningCommand = try RunningCommand([
            "serve", "--port", "0", "--device", "reference", "--max-num-seqs", "4",
        ])
        let address: String = try #require(try await server.line("Listening on "))
        _ = try #require(try await server.line("Ready: "))
        // Without an end of its own, on the slowest backend: the answer outlives the test, however busy the machine is.
        let body: String =
            #"{"messages":[{"role":"user","content":"Hi"}],"stream":true,"ignore_eos":true,"max_tokens":1900}"#
        let endpoint: Endpoint = try Endpoint(url: address + "/v1").adding("/chat/completions")
        let (events, begun) = AsyncStream<Void>.makeStream()
        let client: Task<Void, Never> = Task {
            defer { begun.finish() }
            try? await StreamingClient.post(endpoint, key: nil, body: Array(body.utf8)) { _ in begun.yield() }
        }
        for await _ in events { break }
        server.signal(SIGINT)
        _ = try await server.line("Finishing")
        server.signal(SIGINT)
        #expect(server.wait().status != 0)
        await client.value
    }

    @Test("Chat without a server answers from the built-in model")
    func chat() throws {
        let result: CommandResult = try Command.run(
            ["chat", "--device", "null", "--max-num-seqs", "2", "--max-tokens", "4"], input: "Hi\n/exit\n")
        #expect(result.status == 0)
        #expect(!result.output.isEmpty, "\(result.errors)")
    }
}
