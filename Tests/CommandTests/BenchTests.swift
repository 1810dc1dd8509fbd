// `cserve bench` end to end on the built-in model: its tables and its JSON, never its times.

import Foundation
import Testing

@Suite(.serialized)
struct BenchTests {
    private struct Report: Decodable {
        struct Test: Decodable {
            var test: String
            var steps: Int
            var limit: String
            var tokens_per_second: Samples
            var peak: Samples
            var share_of_peak: Double
        }
        struct Samples: Decodable {
            var median: Double
            var samples: [Double]
        }
        var model: String
        var threads: Int
        var tests: [Test]
    }

    private let small: [String] = ["bench", "offline", "-p", "16,33", "-n", "3", "-b", "1,2", "-r", "2"]

    @Test("offline reports a row per prompt length, batch and depth")
    func offline() throws {
        let result: CommandResult = try Command.run(small + ["-d", "1,8", "--threads", "1", "--json"])
        #expect(result.status == 0, "\(result.errors)")
        let report: Report = try JSONDecoder().decode(Report.self, from: Data(result.output.utf8))
        #expect(
            report.tests.map(\.test) == ["pp16", "pp33", "tg3", "tg3 b2", "tg3 @ d8", "tg3 b2 @ d8"])
        #expect(report.model == "cserve-demo")
        #expect(report.threads == 1)
        for test in report.tests {
            #expect(test.tokens_per_second.samples.count == 2)
            #expect(test.tokens_per_second.median > 0)
            #expect(test.peak.median > 0)
            #expect(test.share_of_peak > 0)
            #expect((test.limit == "read") == test.test.hasPrefix("tg"))
            #expect(test.steps == (test.test.hasPrefix("tg") ? 3 : 1))
        }
    }

    @Test("offline prints a table for people")
    func table() throws {
        let result: CommandResult = try Command.run(small)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("| test"))
        #expect(result.output.contains("| tg3 b2 "))
        #expect(result.output.contains("Read bandwidth beside the tests"))
    }

    /// The file's matrices are Q8_0 (a byte a number, an f16 scale for 32: ggml's block_q8_0), Q4_0, Q4_K and Q6_K.
    @Test("offline names the codes that a file is stored in, not the type of the few numbers beside them")
    func codes() throws {
        let file: String = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/gguf/mixed/model.gguf").path
        let result: CommandResult = try Command.run(
            ["bench", "offline", "--model", file, "-p", "16", "-n", "0", "-r", "1"])
        #expect(result.status == 0, "\(result.errors)")
        let line: Substring = try #require(result.output.split(separator: "\n").first { $0.hasPrefix("Weights: ") })
        #expect(line.contains("int8 in groups of 32 with float16 scales ("), "\(line)")
        #expect(result.output.contains("int8"), "the peak beside a prefill is that of bytes")
    }

    @Test("CSERVE_CPU_ISA names the kernels' level for every command, or is refused")
    func levels() throws {
        let portable: CommandResult = try Command.run(
            ["bench", "offline", "-p", "4", "-n", "0", "-r", "1"], environment: ["CSERVE_CPU_ISA": "portable"])
        #expect(portable.output.contains("threads, portable"), "\(portable.errors)")
        let unknown: CommandResult = try Command.run(
            ["bench", "offline", "-p", "4", "-n", "0", "-r", "1"], environment: ["CSERVE_CPU_ISA": "mmx"])
        #expect(unknown.status == 1)
        #expect(unknown.errors.contains("CSERVE_CPU_ISA is mmx. Use one of: portable"), "\(unknown.errors)")
    }

    @Test("kernels are chosen by words of their names")
    func kernels() throws {
        let result: CommandResult = try Command.run(
            ["bench", "kernels", "--filter", "sampling argmax", "-r", "1", "--isa", "portable"])
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("argmax 32000"))
        #expect(!result.output.contains("linear"))
        let none: CommandResult = try Command.run(["bench", "kernels", "--filter", "nothing"])
        #expect(none.status == 1)
        #expect(none.errors.contains("Families: attention, linear, packing, rows, sampling."))
    }

    @Test(
        "What cannot be measured is refused before anything is",
        arguments: [
            (["-p", "5000"], 1, "pp5000 needs 5001 tokens"), (["-p", "x"], 64, "-p"),
            (["-b", "0"], 64, "from 1 on"), (["-r", "0"], 64, "Use 1 or more"),
            (["--output-tokens=-1"], 64, "no decode"),
            (["-b", "4", "--max-num-seqs", "2"], 1, "Leave it out"), (["--device", "null"], 1, "Use cpu or reference"),
        ])
    func refusals(arguments: [String], status: Int32, hint: String) throws {
        let result: CommandResult = try Command.run(["bench", "offline"] + arguments)
        #expect(result.status == status)
        #expect(result.errors.contains(hint), "\(result.errors)")
    }
}
