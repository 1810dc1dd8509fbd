// What a page draws of a run, in bounded size however many requests there were.
import CServeCore

/// Draws a run's charts.
struct BenchCharts {
    private let answered: [RequestMeasurement]
    private let run: BenchRun
    private let objective: ServiceLevelObjective

    /// Points of a chart of single requests at most; beyond it every so manyth is drawn.
    private static let mostPoints: Int = 1500
    private static let bins: Int = 60

    init(_ run: BenchRun, _ objective: ServiceLevelObjective?) {
        self.run = run
        answered = run.requests.filter { $0.failure == nil }
        self.objective = objective ?? ServiceLevelObjective()
    }

    /// All of them, in the order of a page.
    var all: [SVGChart] {
        [
            percentiles("Time to first token and end-to-end latency, by percentile", [.ttft, .e2e]),
            percentiles("Time per output token and gaps between events, by percentile", [.tpot, .itl]),
            ttftOverTime, throughputOverTime, runningOverTime, histogram(.ttft), histogram(.e2e),
        ]
    }

    private func values(_ metric: LatencyMetric) -> [Nanoseconds] {
        switch metric {
        case .ttft: answered.compactMap(\.ttft)
        case .tpot: answered.compactMap(\.tpot)
        case .e2e: answered.map(\.e2e)
        case .itl: thinnedGaps
        }
    }

    /// At most some hundred thousand gaps: every so manyth request's.
    private var thinnedGaps: [Nanoseconds] {
        let total: Int = answered.reduce(0) { $0 + $1.chunks.count }
        let step: Int = max(1, total / 300_000)
        return stride(from: 0, to: answered.count, by: step).flatMap { answered[$0].gaps }
    }

    /// The quantile function: 0 to 99 in whole percents, then to 100 in tenths.
    private func percentiles(_ title: String, _ metrics: [LatencyMetric]) -> SVGChart {
        let places: [Double] = (0..<99).map { Double($0) } + (0...10).map { 99 + Double($0) / 10 }
        let series: [SVGChart.Series] = metrics.map { (metric: LatencyMetric) -> SVGChart.Series in
            let sorted: [Nanoseconds] = values(metric).sorted()
            let points: [(x: Double, y: Double)] =
                sorted.isEmpty ? [] : places.map { ($0, LatencySummary.percentile($0, of: sorted)) }
            return SVGChart.Series(name: metric.rawValue.uppercased(), points: points)
        }
        return SVGChart(
            title: title, xName: "percentile", yName: "ms", series: series, limits: limits(metrics), xEnd: 100)
    }

    private func limits(_ metrics: [LatencyMetric]) -> [(name: String, y: Double)] {
        objective.targets.filter { metrics.contains($0.metric) }.map { ($0.description, Double($0.limit) / 1e6) }
    }

    private var ttftOverTime: SVGChart {
        let step: Int = max(1, answered.count / Self.mostPoints)
        let points: [(x: Double, y: Double)] = stride(from: 0, to: answered.count, by: step).compactMap { place in
            answered[place].ttft.map { (seconds(answered[place].sent), Double($0) / 1e6) }
        }
        return SVGChart(
            title: "Time to first token over time", xName: "sent at, s", yName: "ms",
            series: [SVGChart.Series(name: "TTFT", mark: .points, points: points)], limits: limits([.ttft]))
    }

    private var throughputOverTime: SVGChart {
        let whole: Double = run.duration.seconds
        let width: Double = whole / Double(Self.bins)
        var tokens: [Double] = Array(repeating: 0, count: Self.bins)
        for one in answered where width > 0 {
            let each: Double = Double(one.outputTokens) / Double(max(1, one.chunks.count))
            for time in one.chunks { tokens[min(Self.bins - 1, max(0, Int(seconds(time) / width)))] += each }
        }
        return SVGChart(
            title: "Output tokens a second over time", xName: "s", yName: "tokens/s",
            series: [
                SVGChart.Series(
                    name: "tokens/s", mark: .bars,
                    points: tokens.indices.map { (Double($0) * width, width > 0 ? tokens[$0] / width : 0) })
            ], xEnd: whole)
    }

    /// Requests on their way, sampled at the bins' begins.
    private var runningOverTime: SVGChart {
        let whole: Double = run.duration.seconds
        let samples: Int = Self.bins * 4
        var changes: [Double] = Array(repeating: 0, count: samples + 2)
        for one in run.requests where whole > 0 && one.failure?.isUnsent != true {
            func place(_ time: Nanoseconds) -> Int {
                min(samples + 1, max(0, Int((seconds(time) / whole * Double(samples)).rounded(.up))))
            }
            changes[place(one.sent)] += 1
            changes[place(one.end)] -= 1
        }
        var running: Double = 0
        let points: [(x: Double, y: Double)] = (0...samples).map { (place: Int) -> (x: Double, y: Double) in
            running += changes[place]
            return (Double(place) / Double(samples) * whole, running)
        }
        return SVGChart(
            title: "Requests on their way over time", xName: "s", yName: "requests",
            series: [SVGChart.Series(name: "requests", points: points)])
    }

    /// Up to the 99th percentile and a little more: a few stragglers would leave the rest in one bar.
    private func histogram(_ metric: LatencyMetric) -> SVGChart {
        let sorted: [Nanoseconds] = values(metric).sorted()
        let end: Double = LatencySummary.percentile(99, of: sorted) * 1.1
        let count: Int = 40
        var bars: [Double] = Array(repeating: 0, count: count)
        for value in sorted where end > 0 && Double(value) / 1e6 < end {
            bars[min(count - 1, Int(Double(value) / 1e6 / end * Double(count)))] += 1
        }
        let points: [(x: Double, y: Double)] = bars.indices.map { (Double($0) / Double(count) * end, bars[$0]) }
        return SVGChart(
            title: "Requests by \(metric.rawValue.uppercased())", xName: "ms", yName: "requests",
            series: [SVGChart.Series(name: metric.rawValue, mark: .bars, points: points)], xEnd: end)
    }

    private func seconds(_ time: Nanoseconds) -> Double {
        (time - (run.requests.first?.due ?? 0)).seconds
    }
}
