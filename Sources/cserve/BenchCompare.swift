// `cserve bench compare`: two results, or two sets of repeats, side by side.

import ArgumentParser
import CServeBench
import CServeCore
import Foundation

extension Bench {
    /// Compares results.
    struct Compare: ParsableCommand {
        static let configuration: CommandConfiguration = CommandConfiguration(
            abstract: "Show two results side by side: ratios, and whether they are more than chance.",
            discussion: """
                A side is a file of cserve bench --out, or several repeats with commas between them; with repeats on both
                sides the intervals hold all that varies from run to run.

                EXAMPLES
                  cserve bench compare before.json after.json
                  cserve bench compare a1.json,a2.json,a3.json b1.json,b2.json,b3.json --json
                """)

        @Argument(help: "A result, or repeats with commas between them.", completion: .file())
        var first: String

        @Argument(help: "The other one.", completion: .file())
        var second: String

        @Flag(help: "Compare different workloads all the same.")
        var force: Bool = false

        @Flag(help: "Print JSON.")
        var json: Bool = false

        func run() throws {
            try Failure.explained(asJSON: json) {
                let comparison = try BenchComparison(
                    (try Self.results(first), try Self.results(second)), names: (first, second), force: force)
                Console.say(json ? comparison.json.text(.pretty) : comparison.text)
            }
        }

        private static func results(_ list: String) throws -> [BenchResult] {
            try list.split(separator: ",").map { (path: Substring) throws -> BenchResult in
                let path: String = String(path)
                guard let data = FileManager.default.contents(atPath: path) else {
                    throw WorkloadOptionError.unreadable(file: path, reason: "there is no such file, or it is a folder")
                }
                return try BenchResult.read([UInt8](data), file: path)
            }
        }
    }
}
