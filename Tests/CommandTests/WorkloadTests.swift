// `cserve workload` end to end: every preset, files, slices, what it writes, and what it refuses.

import CServeWorkload
import Foundation
import Testing

@testable import cserve

struct WorkloadTests {
    private struct Report: Decodable {
        struct Notes: Decodable {
            var unordered: Int
        }
        var digest: String
        var statistics: WorkloadStatistics
        var notes: Notes?
    }

    private func describe(_ arguments: [String]) throws -> Report {
        let result: CommandResult = try Command.run(["workload", "describe"] + arguments + ["--json"])
        #expect(result.status == 0, "\(result.output) \(result.errors)")
        return try JSONDecoder().decode(Report.self, from: Data(result.output.utf8))
    }

    /// Runs with a file that is gone afterwards.
    private func withFile<Value>(_ name: String, _ text: String, _ body: (String) throws -> Value) throws -> Value {
        let folder: URL = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file: URL = folder.appending(path: name)
        try Data(text.utf8).write(to: file)
        return try body(file.path)
    }

    @Test("every preset is found by all its names, and its lengths are those of its source")
    func presets() throws {
        let catalog: WorkloadCatalog = try WorkloadCatalog.builtIn()
        let names: Set<String> = Set(catalog.presets.flatMap { [$0.name] + $0.aliases })
        #expect(names.count == catalog.presets.reduce(0) { $0 + 1 + $1.aliases.count })
        for name in [
            "chat", "rag", "summarization", "summarisation", "code", "code-completion", "agent", "batch", "offline",
        ] {
            #expect(names.contains(name))
        }
        // Mean tokens in and out, from the presets' sources: measured traces, published means.
        let expected: [String: (Double, Double)] = [
            "chat": (1155, 211), "summarization": (2588, 291), "code-completion": (2048, 28), "rag": (4096, 512),
            "long-summarization": (10240, 1536), "code-generation": (1024, 1024), "batch": (1000, 1000),
            "agent": (27_000, 440), "conversation": (686, 216), "snowflake": (127.5, 255),
        ]
        for preset in catalog.presets {
            var workload: Workload = preset.workload
            workload.requests = 20_000
            let figures = WorkloadStatistics(of: workload.stream())
            let (prompt, output): (Double, Double) = try #require(expected[preset.name], "\(preset.name)")
            #expect(abs(figures.prompt.mean / prompt - 1) < 0.05, "\(preset.name) \(figures.prompt.mean)")
            #expect(abs(figures.output.mean / output - 1) < 0.06, "\(preset.name) \(figures.output.mean)")
        }
    }

    @Test("list names presets, targets and published shapes")
    func list() throws {
        let result: CommandResult = try Command.run(["workload", "list"])
        #expect(result.status == 0)
        #expect(result.output.contains("| rag ") && result.output.contains("ttft:p99<1.2s"))
        #expect(result.output.contains("128/2048"))
        let json: CommandResult = try Command.run(["workload", "list", "--json"])
        #expect(json.output.contains("\"objective_source\""))
    }

    @Test("describe prints a table, drawings and the digest, and its digest depends on the seed")
    func table() throws {
        let result: CommandResult = try Command.run(["workload", "describe", "chat", "--requests", "300"])
        #expect(result.status == 0, "\(result.errors)")
        for part in ["| tokens ", "█", "digest ", "Azure"] { #expect(result.output.contains(part), "\(result.output)") }
        #expect(try describe(["chat"]).digest == describe(["chat"]).digest)
        #expect(try describe(["chat"]).digest != describe(["chat", "--seed", "5"]).digest)
    }

    @Test("flags set rate, burstiness, lengths, number and duration")
    func flags() throws {
        let report: Report = try describe([
            "--prompt-len", "100", "--output-len", "10", "--prefix-len", "20", "--rate", "50", "--burstiness", "0.25",
            "--duration", "100s",
        ])
        #expect(report.statistics.prompt.mean == 120 && report.statistics.output.mean == 10)
        #expect(abs(Double(report.statistics.requests) / 5000 - 1) < 0.2)
        #expect(abs((report.statistics.gapVariation ?? 0) - 2) < 0.2)
        #expect(report.statistics.reusedShare > 0.16)
        #expect(try describe(["128/64", "--concurrency", "4", "--requests", "9"]).statistics.requests == 9)
        #expect(try describe(["chat", "--rate", "inf"]).statistics.duration == 0)
        #expect(try describe(["rag", "--wave", "1", "9", "20"]).statistics.rate == nil)
    }

    private let trace: String = """
        TIMESTAMP,ContextTokens,GeneratedTokens
        2023-11-16 18:17:03.0,10,1
        2023-11-16 18:17:05.0,20,2
        2023-11-16 18:17:04.0,30,3
        2023-11-16 18:17:13.0,40,4

        """

    @Test("traces are found out, sorted, sliced and sped up")
    func traces() throws {
        try withFile("t.csv", trace) { file in
            let whole: Report = try describe([file])
            #expect(whole.statistics.requests == 4 && whole.statistics.duration == 10)
            #expect(whole.notes?.unordered == 1)
            #expect(try describe([file, "--speedup", "2"]).statistics.duration == 5)
            #expect(try describe([file, "--rate", "3"]).statistics.duration == 1)
            #expect(try describe([file, "--from", "1s", "--to", "3s"]).statistics.prompt.total == 50)
            #expect(try describe([file, "--repeat", "--requests", "10"]).statistics.requests == 10)
            #expect(try describe([file, "--trace-format", "azure", "--concurrency", "2"]).statistics.rate == nil)
        }
    }

    @Test("what generate writes is read again as the same requests", arguments: ["jsonl", "csv"])
    func generate(ending: String) throws {
        try withFile("w.\(ending)", "") { file in
            let name: String = ending == "csv" ? "chat" : "conversation"
            let result: CommandResult = try Command.run(
                ["workload", "generate", name, "--requests", "200", "--seed", "3", "-o", file])
            #expect(result.status == 0, "\(result.errors)")
            let again: Report = try describe([file])
            let first: WorkloadStatistics = try describe([name, "--requests", "200", "--seed", "3"]).statistics
            #expect(first.conversations > 0 || ending == "csv")
            #expect(again.statistics == first)
        }
    }

    @Test("a workload file describes its own requests, and may name a trace beside it")
    func files() throws {
        let own: String = """
            {
              "name": "mine", "lengths": {"prompt": 7, "output": {"kind": "uniform", "min_tokens": 1, "max_tokens": 3}},
              "arrivals": {"kind": "constant", "rate_per_s": 2}, "requests": 11
            }
            """
        try withFile("w.json", own) { file in
            let report: Report = try describe([file])
            #expect(report.statistics.requests == 11 && report.statistics.prompt.mean == 7)
            let folder: URL = URL(filePath: file).deletingLastPathComponent()
            try Data(trace.utf8).write(to: folder.appending(path: "t.csv"))
            let named: URL = folder.appending(path: "n.json")
            try Data(
                #"{"trace": {"file": "t.csv", "format": "azure", "limit_requests": 3},"arrivals":{"kind":"all_at_once"}}"#
                    .utf8
            )
            .write(to: named)
            #expect(try describe([named.path]).statistics.requests == 3)
        }
    }

    @Test(
        "what makes no workload is refused, and the message says what does",
        arguments: [
            (["chta"], "Use a preset (chat, conversation"), (["chat", "--rate", "0"], "arrivals.rate_per_s is 0"),
            (["chat", "--rate", "2", "--concurrency", "3"], "cannot be used with"),
            (["chat", "--duration", "soon"], "a span with its unit"), (["chat", "--burstiness", "0"], "burstiness"),
            (["chat", "--requests", "0"], "requests is 0"), (["batch", "--burstiness", "2"], "given with --rate"),
            (["chat", "--speedup", "2"], "--speedup"), (["chat", "--trace-format", "x"], "one of azure"),
            (["chat", "--workload", "rag"], "Leave one of them out"), (["/tmp"], "it is a folder"),
            (["chat", "--concurrency", "2", "--duration", "1m"], "say how many requests"),
        ])
    func refusals(arguments: [String], hint: String) throws {
        let result: CommandResult = try Command.run(["workload", "describe"] + arguments)
        #expect(result.status == 1, "\(result.output)")
        #expect(result.errors.contains(hint), "\(result.errors)")
    }

    @Test("broken files are refused with their name and line")
    func broken() throws {
        let texts: [(String, String, String)] = [
            ("t.csv", trace + "2023-11-16 18:17:14.0,5", "t.csv, line 6 has 2 cells"),
            ("e.jsonl", "", "e.jsonl is empty"), ("w.json", "{\n \"lengths\": }", "The workload is not JSON"),
            ("w.json", "{\"lengths\": 5}", "w.json: lengths is integer"),
            ("w.json", "{\"trace\": {\"file\": \"gone.csv\"}}", "gone.csv cannot be read"),
        ]
        for (name, text, message) in texts {
            try withFile(name, text) { file in
                let result: CommandResult = try Command.run(["workload", "describe", file])
                #expect(result.status == 1 && result.errors.contains(message), "\(result.errors)")
            }
        }
    }
}

@Test("Every error of workload flags names the flag or the file")
func workloadOptionErrorMessages() {
    let messages: [(WorkloadOptionError, String)] = [
        (
            .badValue(flag: "--duration", value: "soon", expected: "a span"),
            "--duration is soon, but must be a span."
        ),
        (
            .conflict("--rate", "--concurrency"),
            "--rate cannot be used with --concurrency. Leave one of them out."
        ),
        (.unreadable(file: "t.csv", reason: "it is a folder"), "t.csv cannot be read: it is a folder."),
        (.invalid(file: "w.json", reason: "lengths is missing."), "w.json: lengths is missing."),
    ]
    for (error, message) in messages { #expect(error.description == message) }
}
