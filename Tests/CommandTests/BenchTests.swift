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
