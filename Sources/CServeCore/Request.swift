// What a user asked for, in token ids: the one value that travels from the server to the scheduler.

/// An index into a model's vocabulary.
public typealias TokenID = Int32

/// Names one request within one engine.
public struct RequestID: Hashable, Comparable, Codable, Sendable, CustomStringConvertible {
    /// The number; later requests have higher ones.
    public var value: UInt64

    /// Creates the name from its number.
    public init(_ value: UInt64) {
        self.value = value
    }

    /// Orders by age.
    public static func < (left: RequestID, right: RequestID) -> Bool { left.value < right.value }
    /// For messages and logs.
    public var description: String { "request \(value)" }
}

/// One request: a prompt in token ids, how to sample, and how it is to be treated among others.
public struct Request: Hashable, Codable, Sendable {
    /// The request's name within its engine.
    public var id: RequestID
    /// The prompt, never empty.
    public var promptTokens: [TokenID]
    /// How the answer is sampled and when it ends.
    public var sampling: SamplingParameters
    /// Lower values are served first, as in vLLM; 0 unless asked for.
    public var priority: Int
    /// Requests share cached prefixes only with requests of the same salt (`cache_salt`); nil is a salt of its own.
    public var cacheSalt: String?
    /// A LoRA adapter's name; part of the prefix cache's key. No build serves adapters yet: the server refuses them.
    public var adapter: String?

    /// Creates a request.
    public init(
        id: RequestID, promptTokens: [TokenID], sampling: SamplingParameters = SamplingParameters(),
        priority: Int = 0, cacheSalt: String? = nil, adapter: String? = nil
    ) {
        self.id = id
        self.promptTokens = promptTokens
        self.sampling = sampling
        self.priority = priority
        self.cacheSalt = cacheSalt
        self.adapter = adapter
    }
}

/// Why a branch of a request ended, spelled as OpenAI's `finish_reason`.
public enum FinishReason: String, Codable, Sendable {
    /// An end-of-sequence token, a stop token id or a stop string.
    case stop
    /// `max_tokens` or the model's context was reached.
    case length
    /// The client went away or cancelled.
    case abort
    /// The engine failed the request.
    case error
}
