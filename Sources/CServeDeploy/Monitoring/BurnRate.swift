// Alerts on the plan's targets: how fast the share of answers that may miss a limit is being used up.

import CServeCore

/// A target as Prometheus can watch it.
struct WatchedTarget {
    /// The target.
    let target: LatencyTarget
    /// A short name: `ttft_p99`.
    let name: String
    /// The share of answers that may miss the limit.
    let budget: Double
    /// Answers within this many seconds count as good: the largest edge of the histogram within the limit.
    let edge: Double
    private let histogram: Metrics.Histogram
    private let metrics: Metrics

    /// Nil for what no ratio tells: means and maxima, and limits below the histogram's first edge.
    init?(_ target: LatencyTarget, _ metrics: Metrics) {
        guard case .percentile(let percent) = target.statistic, let histogram = metrics.histogram(target.metric),
            let edge = histogram.edge(within: target.limit.seconds)
        else { return nil }
        self.target = target
        self.metrics = metrics
        self.histogram = histogram
        self.edge = edge
        name = "\(target.metric.rawValue)_p\(percent)"
        budget = Double(100 - percent) / 100
    }

    /// The rule that records the share of bad answers over a window.
    func record(_ window: String) -> String { "cserve:slo_bad_\(name):ratio_rate\(window)" }

    /// The share of answers above the edge. Prometheus writes whole edges as `2.0` or `2`, by version.
    func ratio(_ window: String) -> String {
        let whole: Bool = edge == edge.rounded()
        let label: String = whole ? "le=~\"\(Int(edge))(\\\\.0)?\"" : "le=\"\(edge)\""
        let good: String = "sum(rate(\(metrics.series(histogram.name + "_bucket", label))[\(window)]))"
        let all: String = "sum(rate(\(metrics.series(histogram.name + "_count"))[\(window)]))"
        return "1 - (\(good) / \(all))"
    }

    /// The share of bad answers that means a burn of so many budgets. A budget of 10% cannot burn 14.4 times as fast, for no
    /// share exceeds 1: there the alert stands half-way between the budget and everything.
    func threshold(_ factor: Double) -> Double { min(factor * budget, (1 + budget) / 2) }
}

/// The windows of multi-window, multi-burn-rate alerts. Source: the SRE workbook, chapter 5, table 5-8.
struct BurnWindow {
    let name: String
    let factor: Double
    let long: String
    let short: String
    let wait: String
    let severity: String

    static let all: [BurnWindow] = [
        BurnWindow(name: "Fast", factor: 14.4, long: "1h", short: "5m", wait: "2m", severity: "page"),
        BurnWindow(name: "Slow", factor: 6, long: "6h", short: "30m", wait: "15m", severity: "page"),
        BurnWindow(name: "Steady", factor: 1, long: "3d", short: "6h", wait: "1h", severity: "ticket"),
    ]

    static var windows: [String] { ["5m", "30m", "1h", "6h", "3d"] }
}
