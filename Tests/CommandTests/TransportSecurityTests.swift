// HTTPS from certificate files: only where the build has it (`swift build --traits TLS`).

#if TLS
    import Foundation
    import Testing

    struct TransportSecurityTests {
        @Test(
            "A certificate and its key serve HTTPS, whole, streamed and closed on request",
            .enabled(if: Tool.exists("openssl") && Tool.exists("curl"), "openssl and curl make and use a certificate"))
        func secure() async throws {
            let folder: URL = FileManager.default.temporaryDirectory.appendingPathComponent("tls-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let (certificate, key): (String, String) = (folder.path + "/cert.pem", folder.path + "/key.pem")
            let made: Int32 = try Tool.run(
                "openssl",
                [
                    "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-keyout", key, "-out", certificate,
                ]
            ).status
            try #require(made == 0)
            let server: RunningCommand = try RunningCommand([
                "serve", "--port", "0", "--device", "null", "--max-num-seqs", "4", "--ssl-certfile", certificate,
                "--ssl-keyfile", key,
            ])
            let address: String = try #require(try await server.line("Listening on "))
            #expect(address.hasPrefix("https://"))
            _ = try #require(try await server.line("Ready: "))
            try check(address, certificate)
            server.signal(SIGTERM)
            #expect(server.wait().status == 0)
        }

        private func check(_ address: String, _ certificate: String) throws {
            let health: CommandResult = try Tool.run(
                "curl", ["-sk", "-H", "Connection: close", "-w", "%{http_code}", address + "/health"])
            #expect(health.output == "200")
            let body: String = #"{"prompt":"a","max_tokens":4,"stream":true}"#
            let stream: CommandResult = try Tool.run("curl", ["-skN", address + "/v1/completions", "-d", body])
            #expect(stream.status == 0)
            #expect(stream.output.hasSuffix("data: [DONE]\n\n"))
            let plain: CommandResult = try Tool.run(
                "curl", ["-s", "-m", "10", address.replacingOccurrences(of: "https", with: "http") + "/health"])
            #expect(plain.status != 0)
        }
    }

    /// Programs of the system.
    private enum Tool {
        static func exists(_ name: String) -> Bool { FileManager.default.isExecutableFile(atPath: "/usr/bin/" + name) }

        static func run(_ name: String, _ arguments: [String]) throws -> CommandResult {
            try RunningCommand(arguments, binary: URL(fileURLWithPath: "/usr/bin/" + name)).wait()
        }
    }
#endif
