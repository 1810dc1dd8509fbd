// Gathers the figures of a workload while its requests pass by.
import CServeCore

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
