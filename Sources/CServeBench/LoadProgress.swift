// How far a run is, for the line that a terminal shows.
import CServeCore

/// A run under way.
public struct LoadProgress: Hashable, Sendable {
    /// Since the first request was due.
    public var elapsed: Nanoseconds = 0
    /// Requests sent.
    public var sent: Int = 0
    /// Requests that wait for their answers.
    public var running: Int = 0
    /// Requests with a whole answer.
    public var finished: Int = 0
    /// Requests without one.
    public var failed: Int = 0
    /// Events with text so far.
    public var chunks: Int = 0
    /// Generated tokens of finished requests.
    public var outputTokens: Int = 0
    /// Mean of the finished requests' times to first token.
    public var ttft: Nanoseconds { finished > 0 ? ttftSum / Nanoseconds(finished) : 0 }
    /// Mean of the finished requests' times per output token; 0 without any.
    public var tpot: Nanoseconds { tpotCount > 0 ? tpotSum / Nanoseconds(tpotCount) : 0 }
    /// Requests finished a second.
    public var rate: Double { elapsed > 0 ? Double(finished) / elapsed.seconds : 0 }

    private var ttftSum: Nanoseconds = 0
    private var tpotSum: Nanoseconds = 0
    private var tpotCount: Int = 0

    /// Nothing yet.
    public init() {}

    mutating func take(_ measurement: RequestMeasurement) {
        guard measurement.failure == nil else {
            failed += 1
            return
        }
        finished += 1
        outputTokens += measurement.outputTokens
        ttftSum += measurement.ttft ?? 0
        guard let tpot = measurement.tpot else { return }
        tpotSum += tpot
        tpotCount += 1
    }
}
