// Rates over a span, and the span in which rates are steady: the same for a simulation and for a benchmark.

/// Rates of a span of time.
public struct Throughput: Hashable, Codable, Sendable {
    /// Requests that ended well, a second.
    public var requestsPerSecond: Double = 0
    /// Generated tokens a second.
    public var outputTokensPerSecond: Double = 0
    /// Generated tokens and prompt tokens a second.
    public var totalTokensPerSecond: Double = 0

    /// Divides counts by a span; without a span all rates are 0.
    public init(requests: Int, outputTokens: Int, promptTokens: Int, during span: Nanoseconds) {
        guard span > 0 else { return }
        requestsPerSecond = Double(requests) / span.seconds
        outputTokensPerSecond = Double(outputTokens) / span.seconds
        totalTokensPerSecond = Double(outputTokens + promptTokens) / span.seconds
    }

    /// The rates of a part of a timeline.
    public init(of timeline: ThroughputTimeline, from start: Nanoseconds, to end: Nanoseconds) {
        let (sum, span) = timeline.total(from: start, to: end)
        self.init(
            requests: sum.requests, outputTokens: sum.outputTokens, promptTokens: sum.promptTokens, during: span)
    }
}

/// A part of a run.
public struct SteadyWindow: Hashable, Sendable {
    /// Its begin.
    public var start: Nanoseconds
    /// Its end.
    public var end: Nanoseconds

    /// Describes a part.
    public init(start: Nanoseconds, end: Nanoseconds) {
        self.start = start
        self.end = end
    }

    /// The sending time without its ramp; where all is sent early on, the middle of the whole instead.
    /// - Parameter rampShare: the share that is left out at the beginning.
    public init(firstSent: Nanoseconds, lastSent: Nanoseconds, lastEnd: Nanoseconds, rampShare: Double) {
        let isSentEarly: Bool = lastSent - firstSent < (lastEnd - firstSent) / 2
        let whole: Double = Double(lastEnd - firstSent)
        let end: Double = isSentEarly ? whole * (1 - rampShare) : Double(lastSent - firstSent)
        self.init(start: firstSent + Nanoseconds(end * rampShare), end: firstSent + Nanoseconds(end))
    }
}
