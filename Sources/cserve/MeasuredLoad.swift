// What a benchmark came to: one run or the curve of a sweep, with what the record book keeps of it.

import CServeBench
import CServeCore

/// One run, or a sweep.
enum MeasuredLoad {
    /// A load and its figures.
    case run(MeasuredBench)
    /// Figures over loads.
    case curve(LoadCurve)

    /// What the record book keeps.
    var outcome: RunOutcome {
        get throws {
            switch self {
            case .run(let run): return try run.outcome
            case .curve(let curve):
                return RunOutcome(
                    summary: "a sweep of \(curve.points.count) loads", results: curve.json,
                    outputs: [("sweep.json", curve.json.serialized(.pretty))])
            }
        }
    }
}

/// A measured run with its figures.
struct MeasuredBench {
    var run: BenchRun
    var result: BenchResult
    var setting: BenchSetting

    /// Whether any request was answered.
    var wasAnswered: Bool { run.requests.contains { $0.failure == nil } }

    /// The figures, and the whole with every request as a document.
    var outcome: RunOutcome {
        get throws {
            var whole: [UInt8] = []
            try result.write { whole += $0 }
            var figures: BenchResult = result
            figures.requests = nil
            let failed: Int = run.requests.count { $0.failure != nil }
            let summary: String =
                "\(run.requests.count - failed) of \(run.requests.count) answered, ttft p99 "
                + BenchText.time(result.report.ttft.p99 / 1e3)
            return RunOutcome(
                summary: summary, results: try JSONValue(encoding: figures), outputs: [("bench.json", whole)])
        }
    }
}
