// What `cserve bench` prints and writes.

import ArgumentParser
import CServeBench
import CServeCore
import Foundation

/// Where the result goes, and in which form.
struct BenchOutputOptions: ParsableArguments {
    @Option(
        name: [.long, .customLong("goodput")],
        help: "Latencies to keep: ttft:p99<1s,tpot:p95<50ms. Goodput counts requests that keep every limit.")
    var slo: String?

    @Flag(help: "Print JSON.")
    var json: Bool = false

    func objective() throws -> ServiceLevelObjective? { try slo.map { try ServiceLevelObjective(parsing: $0) } }

    func write(_ run: BenchRun, window: BenchWindows) throws {
        let report: BenchReport = try BenchReport(run: run, slo: try objective(), window: window)
        Console.say(try JSONValue(encoding: report).text(.pretty))
    }
}
