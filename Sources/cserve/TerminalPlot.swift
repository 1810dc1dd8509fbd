// A chart in characters: latency against throughput.

import CServeCore
import CServePlanner

/// Draws.
struct TerminalPlot {
    /// Points that share a mark.
    struct Series {
        var name: String
        var points: [(x: Double, y: Double)]
    }

    var series: [Series]
    var xName: String
    var yName: String
    /// A line across, such as a limit.
    var limit: Double?

    static let width: Int = 72
    static let height: Int = 18
    private static let marks: [Character] = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ")

    /// The loads of the reported options: throughput against the first target's latency (as far as points keep it), or the
    /// median end-to-end latency.
    static func latencyOverThroughput(_ points: [PlanPoint], _ plan: DeploymentPlan) -> String {
        let target: LatencyTarget? = plan.targets.objective.targets.first
        let names: [String] = plan.alternatives.map(\.name)
        let (name, latency) = axis(target)
        let series: [Series] = names.map { (option: String) -> Series in
            let own: [PlanPoint] = points.filter { $0.option == option && $0.phase != "search" }
            return Series(name: option, points: own.map { (x: $0.outputThroughput, y: latency($0)) })
        }
        return TerminalPlot(
            series: series, xName: "generated tokens/s", yName: "\(name), ms",
            limit: target.map { Double($0.limit) / 1e6 }
        ).text
    }

    static func axis(_ target: LatencyTarget?) -> (name: String, latency: @Sendable (PlanPoint) -> Double) {
        let isMedian: Bool = target?.statistic == .percentile(50) || target?.statistic == .mean
        switch target?.metric {
        case .ttft: return isMedian ? ("ttft p50", { $0.ttftMedian }) : ("ttft p99", { $0.ttftP99 })
        case .tpot, .itl: return isMedian ? ("tpot p50", { $0.tpotMedian }) : ("tpot p99", { $0.tpotP99 })
        case .e2e where !isMedian: return ("e2e p99", { $0.e2eP99 })
        case .e2e, nil: return ("e2e p50", { $0.e2eMedian })
        }
    }

    /// A limit as it was written: whole numbers without a fraction.
    private static func plain(_ value: Double) -> String {
        value == value.rounded() ? "\(Int(value))" : BenchText.figure(value)
    }

    /// The chart with its axes and a legend; points far above the limit are drawn at the top edge.
    var text: String {
        let all = series.flatMap(\.points).filter { $0.x.isFinite && $0.y.isFinite }
        guard let mostX = all.map(\.x).max(), let highest = all.map(\.y).max(), mostX > 0, highest > 0 else {
            return "There is nothing to draw."
        }
        let mostY: Double = min(highest, limit.map { $0 * 2.5 } ?? highest)
        var grid: [[Character]] = Array(
            repeating: Array(repeating: " ", count: TerminalPlot.width), count: TerminalPlot.height)
        if let limit, limit <= mostY {
            let row: Int = Self.row(limit, of: mostY)
            grid[row] = Array(repeating: "-", count: TerminalPlot.width)
        }
        for (place, one) in series.enumerated() {
            let mark: Character = TerminalPlot.marks[place % TerminalPlot.marks.count]
            for point in one.points {
                let column: Int = min(TerminalPlot.width - 1, Int(point.x / mostX * Double(TerminalPlot.width - 1)))
                grid[Self.row(min(point.y, mostY), of: mostY)][column] = mark
            }
        }
        return framed(grid, mostX: mostX, mostY: mostY)
    }

    private static func row(_ y: Double, of mostY: Double) -> Int {
        TerminalPlot.height - 1 - Int(max(0, y) / mostY * Double(TerminalPlot.height - 1))
    }

    private func framed(_ grid: [[Character]], mostX: Double, mostY: Double) -> String {
        let labels: [String] = grid.indices.map { (row: Int) -> String in
            let share: Double = Double(TerminalPlot.height - 1 - row) / Double(TerminalPlot.height - 1)
            return row % 4 == 0 || row == TerminalPlot.height - 1 ? BenchText.figure(mostY * share) : ""
        }
        let margin: Int = labels.map(\.count).max() ?? 0
        func padded(_ text: String) -> String { String(repeating: " ", count: margin - text.count) + text }
        var lines: [String] = ["\(yName)" + (limit.map { "   (- limit \(Self.plain($0)))" } ?? "")]
        for (row, cells) in grid.enumerated() { lines.append(padded(labels[row]) + " |" + String(cells)) }
        lines.append(padded("") + " +" + String(repeating: "-", count: TerminalPlot.width))
        let end: String = BenchText.figure(mostX)
        let gap: Int = max(1, TerminalPlot.width - 1 - end.count - xName.count - 1)
        lines.append(padded("") + "  0 " + xName + String(repeating: " ", count: gap) + end)
        for (place, one) in series.enumerated() {
            lines.append("  \(TerminalPlot.marks[place % TerminalPlot.marks.count])  \(one.name)")
        }
        return lines.joined(separator: "\n")
    }
}
