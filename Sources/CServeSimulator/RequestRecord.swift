// One simulated request, as its client saw it.
import CServeCore
import CServeWorkload

/// Why a request got no answer.
public enum RequestFailure: String, Hashable, Codable, Sendable, CaseIterable {
    /// The queue's bounds were reached: HTTP 429.
    case queueFull = "queue_full"
    /// Prompt and answer exceed the model's length or the cache.
    case tooLong = "too_long"
    /// The answer that it continues never came.
    case answerBeforeMissing = "answer_before_missing"
    /// The scheduler gave up on it.
    case failedInEngine = "failed_in_engine"
}

/// What became of one request. Times count from the workload's start.
public struct RequestRecord: Hashable, Codable, Sendable {
    /// The request's number in the workload.
    public var index: Int
    /// The replica that had it.
    public var replica: Int = 0
    /// When its client sent it.
    public var arrival: Nanoseconds
    /// When its replica's loop first saw it, between two steps; 0 if never.
    public var taken: Nanoseconds = 0
    /// Tokens of its prompt.
    public var promptTokens: Int
    /// Those of them that the prefix cache had.
    public var cachedTokens: Int = 0
    /// Tokens of its answer.
    public var outputTokens: Int = 0
    /// How long it waited for its first step.
    public var queueTime: Nanoseconds = 0
    /// When its client had the first token; 0 if never.
    public var firstToken: Nanoseconds = 0
    /// When its client had the last token, or heard of the failure.
    public var end: Nanoseconds = 0
    /// When its client had tokens, a time for each step that gave some, if that was asked for.
    public var tokenTimes: [Nanoseconds] = []
    /// How often it lost its blocks and was computed again.
    public var preemptions: Int = 0
    /// Why it got no answer; nil if it did.
    public var failure: RequestFailure?

    init(_ request: WorkloadRequest, arrival: Nanoseconds) {
        index = request.index
        self.arrival = arrival
        promptTokens = request.promptLength
    }

    /// Time to first token.
    public var ttft: Nanoseconds { firstToken - arrival }
    /// End-to-end latency.
    public var e2e: Nanoseconds { end - arrival }
    /// Time per output token, whole nanoseconds; nil for answers of one token.
    public var tpot: Nanoseconds? { outputTokens > 1 ? (end - firstToken) / Nanoseconds(outputTokens - 1) : nil }

    /// JSON names carry the units.
    public enum CodingKeys: String, CodingKey {
        case index
        case replica
        case arrival = "arrival_ns"
        case taken = "taken_ns"
        case promptTokens = "prompt_tokens"
        case cachedTokens = "cached_tokens"
        case outputTokens = "output_tokens"
        case queueTime = "queue_time_ns"
        case firstToken = "first_token_ns"
        case end = "end_ns"
        case tokenTimes = "token_times_ns"
        case preemptions
        case failure
    }
}
