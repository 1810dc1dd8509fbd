// The figures by which latencies are told: the same for a simulation, a benchmark and a plan.

/// Mean, percentiles and maximum of a set of latencies, in milliseconds.
///
/// Percentiles interpolate linearly between the two nearest ranks, as numpy's default and `vllm bench serve` do.
public struct LatencySummary: Hashable, Codable, Sendable {
    /// Latencies summed up; with 0 all figures are 0.
    public var count: Int = 0
    /// Arithmetic mean.
    public var mean: Double = 0
    /// Median.
    public var p50: Double = 0
    /// 90th percentile.
    public var p90: Double = 0
    /// 95th percentile.
    public var p95: Double = 0
    /// 99th percentile.
    public var p99: Double = 0
    /// The worst case.
    public var max: Double = 0

    /// A summary of nothing.
    public init() {}

    /// Sums up latencies in any order. Cost: one sort.
    public init(of latencies: [Nanoseconds]) {
        guard !latencies.isEmpty else { return }
        let sorted: [Nanoseconds] = latencies.sorted()
        count = sorted.count
        let sum: Double = sorted.reduce(0.0) { (total: Double, next: Nanoseconds) -> Double in total + Double(next) }
        mean = sum / Double(count) / 1e6
        p50 = Self.percentile(50, of: sorted)
        p90 = Self.percentile(90, of: sorted)
        p95 = Self.percentile(95, of: sorted)
        p99 = Self.percentile(99, of: sorted)
        max = Double(sorted[count - 1]) / 1e6
    }

    /// A percentile of sorted latencies, in milliseconds; 0 of none.
    public static func percentile(_ percent: Double, of sorted: [Nanoseconds]) -> Double {
        guard let last = sorted.indices.last else { return 0 }
        let rank: Double = Double(last) * Swift.min(Swift.max(percent, 0), 100) / 100
        let below: Int = Int(rank)
        let share: Double = rank - Double(below)
        let low: Double = Double(sorted[below])
        let high: Double = Double(sorted[Swift.min(below + 1, last)])
        return (low + (high - low) * share) / 1e6
    }

    /// The figure that a target speaks of.
    public func value(_ statistic: LatencyStatistic) -> Double? {
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
        case count
        case mean = "mean_ms"
        case p50 = "p50_ms"
        case p90 = "p90_ms"
        case p95 = "p95_ms"
        case p99 = "p99_ms"
        case max = "max_ms"
    }
}
