// What a workload amounts to: the figures by which a reader recognises it, from its requests themselves.
import CServeCore

/// Figures of a workload's requests.
public struct WorkloadStatistics: Hashable, Codable, Sendable {
    /// Requests.
    public var requests: Int = 0
    /// From the start to the last arrival, in seconds; 0 without arrivals.
    public var duration: Double = 0
    /// Requests per second: gaps counted, over the span from the first to the last arrival, times requests per arrival.
    public var rate: Double?
    /// Standard deviation of the gaps between arrivals over their mean: 1 is Poisson, more is burstier.
    public var gapVariation: Double?
    /// Arrivals of the busiest minute (counted from the first arrival) over those of a mean minute.
    public var peakMinute: Double?
    /// Tokens of prompts.
    public var prompt: LengthSummary = LengthSummary()
    /// Tokens of answers.
    public var output: LengthSummary = LengthSummary()
    /// Prompt and answer tokens per second.
    public var tokenRate: Double?
    /// The share of prompt tokens that a prefix cache without limits would have, each request after the one before.
    public var reusedShare: Double = 0
    /// Conversations with more than one request.
    public var conversations: Int = 0
    /// Requests per arrival on average.
    public var turns: Double = 1

    /// Figures of nothing.
    public init() {}

    /// Takes all requests of a workload. Cost: one pass and two sorts; eight bytes a request, and the different texts.
    public init(of requests: some Sequence<WorkloadRequest>) {
        var collector = StatisticsCollector()
        for request in requests { collector.take(request) }
        self = collector.statistics()
    }

    /// JSON names carry the units.
    public enum CodingKeys: String, CodingKey {
        case requests
        case duration = "duration_s"
        case rate = "rate_per_s"
        case gapVariation = "gap_cv"
        case peakMinute = "peak_minute_over_mean"
        case prompt = "prompt_tokens"
        case output = "output_tokens"
        case tokenRate = "tokens_per_s"
        case reusedShare = "reused_share"
        case conversations
        case turns
    }
}

/// Mean, percentiles (linear between ranks, as numpy's) and ends of lengths in tokens.
public struct LengthSummary: Hashable, Codable, Sendable {
    /// The sum.
    public var total: Int = 0
    /// Arithmetic mean.
    public var mean: Double = 0
    /// Median.
    public var p50: Double = 0
    /// 90th percentile.
    public var p90: Double = 0
    /// 99th percentile.
    public var p99: Double = 0
    /// The shortest.
    public var min: Int = 0
    /// The longest.
    public var max: Int = 0

    /// A summary of nothing.
    public init() {}

    /// Sums up sorted lengths.
    init(sorted: [Int32]) {
        guard let first = sorted.first, let last = sorted.last else { return }
        total = sorted.reduce(0) { (sum: Int, next: Int32) -> Int in sum + Int(next) }
        mean = Double(total) / Double(sorted.count)
        p50 = LengthSummary.percentile(50, of: sorted)
        p90 = LengthSummary.percentile(90, of: sorted)
        p99 = LengthSummary.percentile(99, of: sorted)
        min = Int(first)
        max = Int(last)
    }

    private static func percentile(_ percent: Double, of sorted: [Int32]) -> Double {
        let rank: Double = Double(sorted.count - 1) * percent / 100
        let below: Int = Int(rank)
        let above: Int = Swift.min(below + 1, sorted.count - 1)
        return Double(sorted[below]) + Double(sorted[above] - sorted[below]) * (rank - Double(below))
    }
}

/// Counts in equal bins, for a small drawing.
public struct LengthHistogram: Hashable, Sendable {
    /// The first bin's lower end and every bin's upper end, by equal factors.
    public var edges: [Double]
    /// Requests in each bin.
    public var counts: [Int]
}
