// `cserve serve` from start to end, with the binary alone.

import Foundation
import Testing

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
        let server: RunningCommand = try RunningCommand(["serve", "--port", "0", "--device", "null"])
        let address: String = try #require(try await server.line("Listening on http://"))
        _ = try #require(try await server.line("Ready: "))
        let port: String = try #require(address.split(separator: ":").last.map { String($0) })
        // A request whose body never comes is not answered; "100 Continue" says that the server has begun it.
        let head: String =
            #"POST /v1/completions HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n"#
        let client: RunningCommand = try RunningCommand(
            ["-c", "exec 3<>/dev/tcp/127.0.0.1/\(port); printf '\(head)' >&3; cat <&3"],
            binary: URL(fileURLWithPath: "/bin/bash"))
        _ = try #require(try await client.line("HTTP/1.1 100"))
        server.signal(SIGINT)
        _ = try await server.line("Finishing")
        server.signal(SIGINT)
        #expect(server.wait().status != 0)
        _ = client.wait()
    }

    @Test("Chat without a server answers from the built-in model")
    func chat() throws {
        let result: CommandResult = try Command.run(
            ["chat", "--device", "null", "--max-num-seqs", "2", "--max-tokens", "4"], input: "Hi\n/exit\n")
        #expect(result.status == 0)
        #expect(!result.output.isEmpty, "\(result.errors)")
    }
}
