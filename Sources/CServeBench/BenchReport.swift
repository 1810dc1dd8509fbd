// What a run says: counts, latencies, rates and how well the targets were kept.
import CServeCore

/// The figures of one run.
///
/// Definitions: TTFT, TPOT and E2E as in ``RequestMeasurement``, of answered requests; ITL: every gap between two events that
/// carry text, pooled over answered requests (an event may hold several tokens: see ``tokensPerChunk``). Percentiles
/// interpolate as numpy's default does.
public struct BenchReport: Hashable, Codable, Sendable {
    /// Requests that count: all, without those left out by warm-up and cool-down.
    public var offered: Int = 0
    /// Those that were answered.
    public var completed: Int = 0
    /// Requests that warm-up and cool-down leave out.
    public var leftOut: Int = 0
    /// Those that got no whole answer, by reason, the most frequent first.
    public var failures: [BenchFailureCount] = []
    /// From the first request's due time to the last answer's end.
    public var duration: Nanoseconds = 0
    /// Prompt tokens of answered requests.
    public var promptTokens: Int = 0
    /// Those of them that the server's prefix cache had, where it says so.
    public var cachedTokens: Int = 0
    /// Generated tokens of answered requests.
    public var outputTokens: Int = 0
    /// Events with text of answered requests.
    public var chunks: Int = 0
    /// Time to first token.
    public var ttft: LatencySummary = LatencySummary()
    /// Time per output token, of answers of two and more.
    public var tpot: LatencySummary = LatencySummary()
    /// Gaps between events with text, pooled; percentiles of more than four million are within 0.1%.
    public var itl: LatencySummary = LatencySummary()
    /// End-to-end latency.
    public var e2e: LatencySummary = LatencySummary()
    /// Waiting in the server, of requests of which it says so.
    public var queueTime: LatencySummary = LatencySummary()
    /// Opening connections, of requests that opened one.
    public var connect: LatencySummary = LatencySummary()
    /// How late the generator sent requests.
    public var lateness: LatencySummary = LatencySummary()
    /// Standard deviations.
    public var deviations: LatencyDeviations = LatencyDeviations()
    /// Rates over the whole duration, requests that are left out included.
    public var throughput: Throughput = Throughput(requests: 0, outputTokens: 0, promptTokens: 0, during: 0)
    /// Rates in ``steadyWindow``: without filling up and emptying.
    public var steadyThroughput: Throughput = Throughput(requests: 0, outputTokens: 0, promptTokens: 0, during: 0)
    /// The window's begin and end, from the run's start: what warm-up and cool-down leave, or else a simulation's default.
    public var steadyWindow: [Nanoseconds] = [0, 0]
    /// Requests sent a second in the steady window.
    public var offeredRate: Double = 0
    /// Seconds by which the wait for the first token grew in a second of sending: what the load exceeds the capacity by, as a
    /// share of it, and about 0 below. However long answers take, they do not change it.
    public var waitGrowth: Double = 0
    /// Requests a second that kept every limit.
    public var goodput: Double = 0
    /// Those as a share of the offered ones; interrupted ones, which no server could have answered, do not count.
    public var goodShare: Double = 0
    /// How each target was kept.
    public var attainment: [TargetAttainment] = []
    /// Most requests on their way at once.
    public var peakConcurrency: Int = 0
    /// Requests on their way on average over the duration.
    public var meanConcurrency: Double = 0

    /// Requests without a whole answer.
    public var failed: Int { failures.reduce(0) { $0 + $1.count } }
    /// Tokens of an event; 0 without events.
    public var tokensPerChunk: Double { chunks > 0 ? Double(outputTokens) / Double(chunks) : 0 }
    /// Whether every target's figure is within its limit; true without targets.
    public var meetsTargets: Bool { attainment.allSatisfy(\.isMet) }

    /// One of the latencies that targets speak of.
    public func latency(_ metric: LatencyMetric) -> LatencySummary {
        switch metric {
        case .ttft: ttft
        case .tpot: tpot
        case .itl: itl
        case .e2e: e2e
        }
    }

    /// JSON names carry the units.
    public enum CodingKeys: String, CodingKey {
        case offered
        case completed
        case leftOut = "left_out"
        case failures
        case duration = "duration_ns"
        case promptTokens = "prompt_tokens"
        case cachedTokens = "cached_tokens"
        case outputTokens = "output_tokens"
        case chunks
        case ttft
        case tpot
        case itl
        case e2e
        case queueTime = "queue_time"
        case connect
        case lateness
        case deviations
        case throughput
        case steadyThroughput = "steady_throughput"
        case steadyWindow = "steady_window_ns"
        case offeredRate = "offered_rate_per_s"
        case waitGrowth = "wait_growth"
        case goodput = "goodput_per_s"
        case goodShare = "good_share"
        case attainment
        case peakConcurrency = "peak_concurrency"
        case meanConcurrency = "mean_concurrency"
    }
}

/// Standard deviations in milliseconds, over all values (numpy's default: divided by their number).
public struct LatencyDeviations: Hashable, Codable, Sendable {
    /// Of the time to first token.
    public var ttft: Double = 0
    /// Of the time per output token.
    public var tpot: Double = 0
    /// Of the gaps between events.
    public var itl: Double = 0
    /// Of the end-to-end latency.
    public var e2e: Double = 0

    /// JSON names carry the unit.
    public enum CodingKeys: String, CodingKey {
        case ttft = "ttft_ms"
        case tpot = "tpot_ms"
        case itl = "itl_ms"
        case e2e = "e2e_ms"
    }
}

/// How a target was kept.
public struct TargetAttainment: Hashable, Codable, Sendable {
    /// The target.
    public var target: LatencyTarget
    /// Its figure, in milliseconds; nil: nothing was measured.
    public var value: Double?
    /// The share of offered requests (for gaps: of gaps) within the limit.
    public var share: Double

    /// Whether the figure is within the limit.
    public var isMet: Bool { value.map { $0 * 1e6 <= Double(target.limit) } ?? false }

    /// JSON names carry the unit.
    public enum CodingKeys: String, CodingKey {
        case target
        case value = "value_ms"
        case share
    }
}

/// What is left out of a run's figures.
public struct BenchWindows: Hashable, Codable, Sendable {
    /// Requests due before this much time has passed do not count.
    public var warmup: Nanoseconds
    /// Requests due in this last part of the sending time do not count.
    public var cooldown: Nanoseconds
    /// The share of the sending time that is left out of the steady window where there is neither warm-up nor cool-down.
    public var rampShare: Double

    /// Leaves out nothing but the steady window's ramp, if nothing is said.
    public init(warmup: Nanoseconds = 0, cooldown: Nanoseconds = 0, rampShare: Double = 0.2) {
        self.warmup = warmup
        self.cooldown = cooldown
        self.rampShare = rampShare
    }

    /// Whether requests are left out.
    public var leaveOut: Bool { warmup > 0 || cooldown > 0 }

    /// JSON names carry the units.
    public enum CodingKeys: String, CodingKey {
        case warmup = "warmup_ns"
        case cooldown = "cooldown_ns"
        case rampShare = "ramp_share"
    }
}
