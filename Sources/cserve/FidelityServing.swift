// The third proof: published serving tables, predicted from the shipped catalogue without a look at their numbers.

import CServeCore
import CServeCost
import CServeSimulator

/// Published tables of throughput and latency.
enum FidelityServing: FidelitySection {
    static let name: String = "serving"
    static let title: String = "Published serving tables"

    static func markdown(_ folder: DataFolder, progress: FidelityProgress, note: inout String) throws -> String? {
        let files: [String] = folder.files("serving", suffix: ".csv")
        guard !files.isEmpty else {
            note = "serving/ holds no tables"
            return nil
        }
        let replay: ServingReplay = try ServingReplay()
        var errors: [[String]] = []
        var reasons: [[String]] = []
        for file in files {
            var table: ServingTable = try ServingTable(file, in: folder)
            let found: [String: [Double]] = try predict(&table, replay, progress)
            for (kind, values) in found.sorted(by: { $0.key < $1.key }) {
                let summary: ErrorSummary = ErrorSummary(values)
                errors.append([
                    file.lastComponent, kind, "\(summary.count)", Markdown.percent(summary.median),
                    Markdown.percent(summary.p90), Markdown.percent(summary.bias),
                ])
            }
            for (reason, count) in table.skipped.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
                reasons.append([file.lastComponent, "\(count)", reason])
            }
        }
        return introduction + Markdown.table(["table", "figures", "rows", "median", "P90", "bias"], errors)
            + "\nRows passed over:\n\n" + Markdown.table(["table", "rows", "reason"], reasons)
    }

    private static let introduction: String = """
        Each row's hardware, model, types, parallelism, lengths and load are simulated with the engine's profile; curves and
        profiles are those that ship, none is fitted to a row. Static batches arrive at once; concurrency is a closed loop;
        "inf" is a queue. 16-bit rows are taken as bfloat16. Goal: medians of 15% for throughput and for TPOT.


        """

    /// The errors by kind of figure; cases that cannot be placed join the rows passed over.
    private static func predict(
        _ table: inout ServingTable, _ replay: ServingReplay, _ progress: FidelityProgress
    ) throws -> [String: [Double]] {
        var errors: [String: [Double]] = [:]
        let cases: [ServingCase: [ServingRow]] = Dictionary(grouping: table.rows, by: \.serving)
        for (serving, rows) in cases.sorted(by: { $0.value[0].line < $1.value[0].line }) {
            progress.step("\(table.file.lastComponent) line \(rows[0].line)")
            do {
                let report: SimulationReport = try replay.report(serving)
                guard report.completed == report.offered else {
                    throw ServingSkip(reason: "requests would be refused in the simulation")
                }
                for row in rows {
                    guard let value = ServingMetric.value(row, report) else { continue }
                    errors[ServingMetric.kind(row.metric), default: []].append(value / row.value - 1)
                }
            } catch let skip as ServingSkip {
                table.skip(String(skip.reason.prefix(160)), rows: rows.count)
            }
        }
        return errors
    }
}

extension String {
    /// A path's last component.
    fileprivate var lastComponent: String { split(separator: "/").last.map(String.init) ?? self }
}
