// The figures in which two results are compared, and how each is taken from a run.
import CServeCore

/// A figure of a run.
enum ComparedFigure: Hashable {
    case latency(LatencyMetric, LatencyStatistic)
    case requestRate
    case tokenRate
    case goodShare

    /// What a comparison shows, in its order.
    static let all: [ComparedFigure] =
        [.requestRate, .tokenRate, .goodShare]
        + LatencyMetric.allCases.flatMap { (metric: LatencyMetric) -> [ComparedFigure] in
            let statistics: [LatencyStatistic] = [.mean, .percentile(50), .percentile(90), .percentile(99)]
            return statistics.map { ComparedFigure.latency(metric, $0) }
        }

    /// As JSON names it, with its unit.
    var name: String {
        switch self {
        case .latency(let metric, let statistic): "\(metric.rawValue)_\(statistic)_ms"
        case .requestRate: "requests_per_s"
        case .tokenRate: "output_tokens_per_s"
        case .goodShare: "good_share"
        }
    }

    /// As a table names it.
    var title: String {
        switch self {
        case .latency(let metric, let statistic): "\(metric.rawValue.uppercased()) \(statistic), ms"
        case .requestRate: "requests/s, steady"
        case .tokenRate: "output tokens/s, steady"
        case .goodShare: "kept every limit, share"
        }
    }

    /// Whether more is better.
    var isRate: Bool { if case .latency = self { false } else { true } }

    /// The figure of a report; nil if nothing was measured.
    func value(_ result: BenchResult) -> Double? {
        let report: BenchReport = result.report
        switch self {
        case .latency(let metric, let statistic):
            let summary: LatencySummary = report.latency(metric)
            return summary.count > 0 ? summary.value(statistic) : nil
        case .requestRate: return report.completed > 0 ? report.steadyThroughput.requestsPerSecond : nil
        case .tokenRate: return report.completed > 0 ? report.steadyThroughput.outputTokensPerSecond : nil
        case .goodShare: return result.objective == nil ? nil : report.goodShare
        }
    }

    /// What is asked of resamples.
    var asked: Bootstrap.Figure {
        guard case .latency(_, .percentile(let percent)) = self else { return .mean }
        return .percentile(Double(percent))
    }

    /// Figures of one source are resampled together.
    enum Source: Hashable {
        case latency(LatencyMetric)
        case requestRate
        case tokenRate
        case goodShare
    }

    var source: Source {
        switch self {
        case .latency(let metric, _): .latency(metric)
        case .requestRate: .requestRate
        case .tokenRate: .tokenRate
        case .goodShare: .goodShare
        }
    }
}

extension BenchResult {
    /// The values behind a figure, by request or by span of time; nil without the requests.
    func values(_ source: ComparedFigure.Source) -> [[Double]]? {
        guard let run else { return nil }
        let counted: [RequestMeasurement] = countedRequests(run).sorted { $0.sent < $1.sent }
        switch source {
        case .latency(let metric): return counted.map { $0.failure == nil ? $0.latencies(metric) : [] }
        case .goodShare:
            let slo: ServiceLevelObjective = objective ?? ServiceLevelObjective()
            return counted.map { $0.failure?.isNoAnswer == true ? [] : [$0.isGood(slo) ? 1 : 0] }
        case .requestRate: return spans(run) { Double($0.requests) }
        case .tokenRate: return spans(run) { Double($0.outputTokens) }
        }
    }

    private func countedRequests(_ run: BenchRun) -> [RequestMeasurement] {
        guard windows.leaveOut, report.steadyWindow.count == 2 else { return run.requests }
        return run.requests.filter { report.steadyWindow[0] <= $0.due && $0.due <= report.steadyWindow[1] }
    }

    /// The steady window in 64 spans, each with what came in it, a second.
    private func spans(_ run: BenchRun, _ count: (ThroughputTimeline.Bin) -> Double) -> [[Double]] {
        let timeline = ThroughputTimeline(run, until: RunBounds(run).lastEnd)
        guard report.steadyWindow.count == 2 else { return [] }
        let start: Nanoseconds = report.steadyWindow[0]
        let width: Nanoseconds = (report.steadyWindow[1] - start) / 64
        return (0..<64).compactMap { (place: Nanoseconds) -> [Double]? in
            let (bin, span) = timeline.total(from: start + place * width, to: start + (place + 1) * width)
            return span > 0 ? [count(bin) / span.seconds] : nil
        }
    }
}

extension RequestMeasurement {
    /// In milliseconds.
    fileprivate func latencies(_ metric: LatencyMetric) -> [Double] {
        switch metric {
        case .ttft: [ttft].compactMap { $0.map { Double($0) / 1e6 } }
        case .tpot: [tpot].compactMap { $0.map { Double($0) / 1e6 } }
        case .e2e: [Double(e2e) / 1e6]
        case .itl: gaps.map { Double($0) / 1e6 }
        }
    }

    fileprivate func isGood(_ slo: ServiceLevelObjective) -> Bool {
        failure == nil && slo.isMet(ttft: ttft ?? e2e, tpot: tpot, e2e: e2e)
    }
}
