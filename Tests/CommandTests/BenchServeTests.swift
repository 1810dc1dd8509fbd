// `cserve bench` against a running server, from flags to files.

import Foundation
import Testing

@testable import cserve

@Suite(.serialized)
struct BenchServeTests {
    private func withServer(_ work: (String) async throws -> Void) async throws {
        let server: RunningCommand = try RunningCommand(["serve", "--port", "0", "--device", "null"])
        let address: String = try #require(try await server.line("Listening on http://"))
        _ = try #require(try await server.line("Ready: "))
        defer {
            server.signal(SIGTERM)
            _ = server.wait()
        }
        try await work("http://" + address)
    }

    @Test("A run prints its report, and its files can be compared and read by others")
    func files() async throws {
        let folder: URL = FileManager.default.temporaryDirectory.appendingPathComponent("bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (first, second): (String, String) = (folder.path + "/a.json", folder.path + "/b.json")
        let page: String = folder.path + "/a.html"
        try await withServer { url in
            let common: [String] = ["bench", "--url", url, "-w", "20/5", "--rate", "100", "--requests", "20"]
            let run: CommandResult = try Command.run(
                common + ["--slo", "ttft:p99<10s", "--out", first, "--html", page])
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.output.contains("20 offered, 20 answered"), "\(run.output)")
            #expect(try Command.run(common + ["-o", second]).status == 0)
            let compared: CommandResult = try Command.run(["bench", "compare", first, second])
            #expect(compared.status == 0 && compared.output.contains("95% interval"), "\(compared.errors)")
            let vllm: CommandResult = try Command.run(common + ["--endpoint", "chat", "--format", "vllm", "--json"])
            #expect(vllm.output.contains("\"completed\": 20"), "\(vllm.output) \(vllm.errors)")
        }
        #expect(try String(contentsOfFile: page, encoding: .utf8).hasPrefix("<!"))
        let names: [String] = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(names == ["a.html", "a.json", "b.json"])
    }

    @Test("A sweep goes from one client to rates, and says where answers no longer keep up")
    func sweep() async throws {
        try await withServer { url in
            let result: CommandResult = try Command.run([
                "bench", "--url", url, "-w", "10/3", "--sweep", "--sweep-runs", "3", "--requests", "10",
            ])
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.output.contains("1 client") && result.output.contains("Saturation:"), "\(result.output)")
        }
    }

    @Test(
        "What cannot be measured is refused before anything is sent",
        arguments: [
            (["--url", "http://127.0.0.1:1"], 1, "connection refused"), (["--url", "https://h"], 1, "asks for TLS"),
            (["-w", "nope"], 1, "There is no workload"), (["--header", "x"], 1, "has no colon"),
            (["--extra-body", "3"], 1, "no JSON object"), (["--endpoint", "rerank"], 1, "completions or chat"),
            (["--prompts", "/nowhere", "-w", "chat"], 1, "cannot be used with"), (["--format", "xml"], 64, "--format"),
            (["--out", "/nowhere/a.json"], 1, "cannot be written"), (["--max-concurrency", "0"], 1, "1 or more"),
            (["--sweep", "--format", "fib"], 1, "cannot be used with"), (["--slo", "x"], 1, "no latency target"),
        ])
    func refusals(arguments: [String], status: Int32, hint: String) throws {
        let url: [String] = arguments.contains("--url") ? [] : ["--url", "http://127.0.0.1:1"]
        let result: CommandResult = try Command.run(["bench"] + url + arguments)
        #expect(result.status == status, "\(result.errors)")
        #expect(result.errors.contains(hint), "\(result.errors)")
    }

    @Test("A result that cannot be kept says where")
    func unwritable() {
        #expect(
            BenchOutputError.unwritable(file: "a", reason: "it is a folder").description
                == "a cannot be written: it is a folder. Choose another place.")
    }
}
