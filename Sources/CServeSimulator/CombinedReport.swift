// How sure a simulation's figures are: several seeds, and the interval that they leave.
import CServeCore

/// A mean over several runs and half of its 95% confidence interval.
public struct Estimate: Hashable, Codable, Sendable {
    /// The mean.
    public var mean: Double
    /// The interval is `mean - halfWidth ... mean + halfWidth`; 0 for a single run, whose spread is not known.
    public var halfWidth: Double

    /// Estimates a mean by Student's t over runs that do not depend on one another.
    public init(of values: [Double]) {
        let count: Double = Double(values.count)
        mean = values.isEmpty ? 0 : values.reduce(0, +) / count
        halfWidth = 0
        guard values.count > 1 else { return }
        let mean: Double = mean
        let squares: Double = values.reduce(0.0) { (sum: Double, value: Double) -> Double in
            sum + (value - mean) * (value - mean)
        }
        let deviation: Double = (squares / (count - 1)).squareRoot()
        halfWidth = StudentT.quantile(degrees: values.count - 1) * deviation / count.squareRoot()
    }

    /// The interval's lower end.
    public var low: Double { mean - halfWidth }
    /// The interval's upper end.
    public var high: Double { mean + halfWidth }
}

/// The figures of a latency over several runs, in milliseconds.
public struct LatencyEstimate: Hashable, Codable, Sendable {
    /// Arithmetic mean.
    public var mean: Estimate
    /// Median.
    public var p50: Estimate
    /// 90th percentile.
    public var p90: Estimate
    /// 95th percentile.
    public var p95: Estimate
    /// 99th percentile.
    public var p99: Estimate
    /// The worst case.
    public var max: Estimate

    init(_ summaries: [LatencySummary]) {
        mean = Estimate(of: summaries.map(\.mean))
        p50 = Estimate(of: summaries.map(\.p50))
        p90 = Estimate(of: summaries.map(\.p90))
        p95 = Estimate(of: summaries.map(\.p95))
        p99 = Estimate(of: summaries.map(\.p99))
        max = Estimate(of: summaries.map(\.max))
    }

    /// The figure that a target speaks of; nil for a percentile that is not kept.
    public func value(_ statistic: LatencyStatistic) -> Estimate? {
        switch statistic {
        case .mean: mean
        case .max: max
        case .percentile(50): p50
        case .percentile(90): p90
        case .percentile(95): p95
        case .percentile(99): p99
        case .percentile: nil
        }
    }

    /// JSON names carry the unit.
    public enum CodingKeys: String, CodingKey {
        case mean = "mean_ms"
        case p50 = "p50_ms"
        case p90 = "p90_ms"
        case p95 = "p95_ms"
        case p99 = "p99_ms"
        case max = "max_ms"
    }
}

/// Several runs of one configuration, each of a seed of its own.
public struct CombinedReport: Hashable, Codable, Sendable {
    /// Runs.
    public var runs: Int
    /// Time to first token.
    public var ttft: LatencyEstimate
    /// Time per output token.
    public var tpot: LatencyEstimate
    /// Gaps between tokens.
    public var itl: LatencyEstimate
    /// End-to-end latency.
    public var e2e: LatencyEstimate
    /// Time in the queue.
    public var queueTime: LatencyEstimate
    /// Requests a second, over the whole duration.
    public var requestsPerSecond: Estimate
    /// Generated tokens a second, over the whole duration.
    public var outputTokensPerSecond: Estimate
    /// Generated and prompt tokens a second, over the whole duration.
    public var totalTokensPerSecond: Estimate
    /// Requests a second in the steady window.
    public var steadyRequestsPerSecond: Estimate
    /// Generated tokens a second in the steady window.
    public var steadyOutputTokensPerSecond: Estimate
    /// Requests a second that met the objective.
    public var goodput: Estimate
    /// Those as a share of the offered ones.
    public var goodShare: Estimate
    /// Failed requests as a share of the offered ones.
    public var failedShare: Estimate
    /// The mean of all stages' utilisation.
    public var utilisation: Estimate
    /// The mean of all replicas' use of KV blocks.
    public var meanKVUse: Estimate
    /// Preemptions per thousand requests.
    public var preemptionsPerThousand: Estimate
    /// The share of prompt tokens that prefix caches had.
    public var prefixHitShare: Estimate
    /// Energy per generated token.
    public var joulesPerOutputToken: Estimate
    /// Price of a million generated tokens.
    public var usdPerMillionOutputTokens: Estimate
}

extension SimulationReport {
    /// Means and 95% intervals over reports of one configuration, each of a workload with another seed.
    public static func combine(_ reports: [SimulationReport]) -> CombinedReport {
        precondition(!reports.isEmpty, "no report to combine")
        let estimate = { (figure: (SimulationReport) -> Double) -> Estimate in Estimate(of: reports.map(figure)) }
        return CombinedReport(
            runs: reports.count, ttft: LatencyEstimate(reports.map(\.ttft)), tpot: LatencyEstimate(reports.map(\.tpot)),
            itl: LatencyEstimate(reports.map(\.itl)), e2e: LatencyEstimate(reports.map(\.e2e)),
            queueTime: LatencyEstimate(reports.map(\.queueTime)),
            requestsPerSecond: estimate { $0.throughput.requestsPerSecond },
            outputTokensPerSecond: estimate { $0.throughput.outputTokensPerSecond },
            totalTokensPerSecond: estimate { $0.throughput.totalTokensPerSecond },
            steadyRequestsPerSecond: estimate { $0.steadyThroughput.requestsPerSecond },
            steadyOutputTokensPerSecond: estimate { $0.steadyThroughput.outputTokensPerSecond },
            goodput: estimate(\.goodput), goodShare: estimate(\.goodShare),
            failedShare: estimate { Double($0.failed) / Double(max(1, $0.offered)) },
            utilisation: estimate(\.utilisation), meanKVUse: estimate(\.meanKVUse),
            preemptionsPerThousand: estimate { 1000 * Double($0.preemptions) / Double(max(1, $0.offered)) },
            prefixHitShare: estimate(\.prefixHitShare), joulesPerOutputToken: estimate(\.joulesPerOutputToken),
            usdPerMillionOutputTokens: estimate { $0.usdPerMillionOutputTokens ?? 0 })
    }
}
