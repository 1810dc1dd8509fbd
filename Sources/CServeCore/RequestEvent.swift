// What comes back from an engine while it works on a request.

/// A token with its log-probability under the model.
public struct TokenLogprob: Hashable, Codable, Sendable {
    /// The token.
    public var token: TokenID
    /// Natural logarithm of its probability, before temperature and filters, as vLLM's `raw_logprobs`.
    public var logprob: Float
    /// 1 for the likeliest token.
    public var rank: Int

    /// Creates the pair.
    public init(token: TokenID, logprob: Float, rank: Int) {
        self.token = token
        self.logprob = logprob
        self.rank = rank
    }
}

/// One token of an answer or of a prompt, with the log-probabilities that were asked for.
public struct ScoredToken: Hashable, Codable, Sendable {
    /// The token.
    public var token: TokenID
    /// Its log-probability and rank, if asked for (and always when `best_of` exceeds `n`).
    public var logprob: TokenLogprob?
    /// The likeliest tokens, likeliest first; as many as asked for.
    public var top: [TokenLogprob]

    /// Creates a token with its scores.
    public init(token: TokenID, logprob: TokenLogprob? = nil, top: [TokenLogprob] = []) {
        self.token = token
        self.logprob = logprob
        self.top = top
    }
}

/// One piece of news about a request. Events of one branch come in order.
public enum RequestEvent: Hashable, Sendable {
    /// The request left the queue; `cachedTokens` of its prompt came from the prefix cache.
    case started(cachedTokens: Int)
    /// The prompt's tokens from the first on, each given those before it; the first one's `logprob` is nil.
    case promptScored([ScoredToken])
    /// New tokens of one branch, in order; a stop or end token is included.
    case tokens(branch: Int, [ScoredToken])
    /// A branch ended; `stopToken` is the end or stop token that ended it.
    case finished(branch: Int, reason: FinishReason, stopToken: TokenID?)
    /// The request failed in the engine: all of its branches are over.
    case failed(message: String)
    /// When what happened; sent once, as the last event of every request.
    case timed(RequestTimings)
}

/// When a request passed its stations, on the engine's monotonic clock.
///
/// vLLM's intervals are differences of these: queue time from ``arrival`` to ``scheduled``, prefill time from there to
/// ``firstToken``, decode time from there to ``lastToken``.
public struct RequestTimings: Hashable, Codable, Sendable {
    /// The request was handed in.
    public var arrival: Nanoseconds
    /// It was last admitted to the running batch; nil if it never was.
    public var scheduled: Nanoseconds?
    /// Its first token was there; nil if none was.
    public var firstToken: Nanoseconds?
    /// Its last token was there; nil if none was.
    public var lastToken: Nanoseconds?

    /// Creates the timings of a request that has only arrived.
    public init(arrival: Nanoseconds) {
        self.arrival = arrival
    }
}

/// Why a request was not taken.
public enum SubmitRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// The request itself is at fault (HTTP 400).
    case invalid(RequestError)
    /// The queue is full (HTTP 429); try again after so many seconds.
    case overloaded(message: String, retryAfterSeconds: Int)
    /// The engine is draining or has stopped (HTTP 503).
    case shuttingDown

    /// What happened and what to do next.
    public var description: String {
        switch self {
        case .invalid(let error): error.description
        case .overloaded(let message, let seconds): "\(message) Try again in \(seconds) s."
        case .shuttingDown: "The server is shutting down and takes no new requests. Send this one to another replica."
        }
    }
}
