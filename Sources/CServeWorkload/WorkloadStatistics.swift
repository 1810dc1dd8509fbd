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

/// Gathers figures request by request.
public struct StatisticsCollector: Sendable {
    private var prompts: [Int32] = []
    private var outputs: [Int32] = []
    private var arrivals: Int = 0
    private var first: Nanoseconds = 0
    private var last: Nanoseconds = 0
    private var squaredGaps: Double = 0
    private var minute: Int = 0
    private var inMinute: Int = 0
    private var busiest: Int = 0
    private var timed: Int = 0
    private var conversations: Int = 0
    private var openSession: Int?
    private var reuse: PrefixReuse = PrefixReuse()

    /// Nothing yet.
    public init() {}

    /// Takes the next request.
    public mutating func take(_ request: WorkloadRequest) {
        prompts.append(Int32(clamping: request.promptLength))
        outputs.append(Int32(clamping: request.outputLength))
        reuse.take(request)
        if request.after == nil {
            arrivals += 1
            openSession = nil
            if let arrival = request.arrival { take(arrival) }
        } else if openSession != request.session || request.session == nil {
            conversations += 1
            openSession = request.session
        }
    }

    private mutating func take(_ arrival: Nanoseconds) {
        if timed == 0 { first = arrival } else { squaredGaps += (arrival - last).seconds * (arrival - last).seconds }
        timed += 1
        last = arrival
        let place: Int = Int((arrival - first) / (60 * .second))
        if place != minute {
            minute = place
            inMinute = 0
        }
        inMinute += 1
        busiest = max(busiest, inMinute)
    }

    /// The figures so far.
    public func statistics() -> WorkloadStatistics {
        var result = WorkloadStatistics()
        result.requests = prompts.count
        result.prompt = LengthSummary(sorted: prompts.sorted())
        result.output = LengthSummary(sorted: outputs.sorted())
        result.reusedShare = result.prompt.total > 0 ? Double(reuse.reused) / Double(result.prompt.total) : 0
        result.conversations = conversations
        result.turns = Double(prompts.count) / Double(max(1, arrivals))
        addTimes(&result)
        return result
    }

    private func addTimes(_ result: inout WorkloadStatistics) {
        result.duration = last.seconds
        let span: Double = (last - first).seconds
        guard timed > 1, span > 0 else { return }
        let gaps: Double = Double(timed - 1)
        let mean: Double = span / gaps
        result.rate = gaps / span * result.turns
        result.gapVariation = max(0, squaredGaps / gaps - mean * mean).squareRoot() / mean
        result.peakMinute = span >= 60 ? Double(busiest) / (gaps / span * 60) : nil
        let tokens: Double = Double(result.prompt.total + result.output.total) / Double(prompts.count)
        result.tokenRate = result.rate.map { $0 * tokens }
    }

    /// How the prompts' (or the answers') lengths lie, in that many bins of equal factors.
    public func histogram(ofPrompts: Bool, bins: Int) -> LengthHistogram {
        let lengths: [Int32] = ofPrompts ? prompts : outputs
        guard let low = lengths.min(), let high = lengths.max() else { return LengthHistogram(edges: [], counts: []) }
        let factor: Double = PortableMath.log(Double(high + 1) / Double(low)) / Double(bins)
        var counts: [Int] = [Int](repeating: 0, count: bins)
        for length in lengths {
            let place: Double = PortableMath.log(Double(length) / Double(low)) / factor
            counts[min(max(Int(place), 0), bins - 1)] += 1
        }
        let edges: [Double] = (0...bins).map { Double(low) * PortableMath.exp(factor * Double($0)) }
        return LengthHistogram(edges: edges, counts: counts)
    }
}

/// Finds out which prompt tokens a prefix cache without limits would already have.
///
/// A prompt's beginning is known by its chain of segments; with each request its prompt's and its answer's become known.
struct PrefixReuse: Sendable {
    private(set) var reused: Int = 0
    /// Known beginnings, and the tokens of each one's last segment.
    private var known: [UInt64: Int32] = [:]

    mutating func take(_ request: WorkloadRequest) {
        var chain: UInt64 = 0
        var isKnown: Bool = true
        var left: Int = request.promptLength
        for segment in request.segments where left > 0 {
            let tokens: Int = min(segment.tokens, left)
            left -= tokens
            chain = PrefixReuse.extended(chain, by: segment.content)
            if let length = known[chain] {
                if isKnown { reused += min(tokens, Int(length)) }
                isKnown = isKnown && tokens <= Int(length)
                if tokens > Int(length) { known[chain] = Int32(clamping: tokens) }
            } else {
                isKnown = false
                known[chain] = Int32(clamping: tokens)
            }
        }
        // Only turns of conversations can quote an answer.
        guard request.session != nil, left == 0 else { return }
        known[PrefixReuse.extended(chain, by: .answer(request.index))] = Int32(clamping: request.outputLength)
    }

    private static func extended(_ chain: UInt64, by content: PromptSegment.Content) -> UInt64 {
        switch content {
        case .text(let number): SeededGenerator.mix(chain, number)
        case .answer(let index): SeededGenerator.mix(~chain, UInt64(index))
        }
    }
}
