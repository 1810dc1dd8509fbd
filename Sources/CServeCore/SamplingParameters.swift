// How an answer is sampled and when it ends; names and defaults are those of OpenAI's API and vLLM's SamplingParams.

/// The sampling settings of one request, at the level of token ids (stop strings live in the server, which sees text).
public struct SamplingParameters: Hashable, Codable, Sendable {
    /// Divides the logits; 0 means greedy.
    public var temperature: Float = 1
    /// Keep the k most likely tokens; 0 or -1 keeps all.
    public var topK: Int = 0
    /// Keep the smallest set of tokens whose probability reaches this; in (0, 1].
    public var topP: Float = 1
    /// Drop tokens less likely than this share of the likeliest one; in [0, 1].
    public var minP: Float = 0
    /// Divides positive and multiplies negative logits of tokens seen in prompt or answer; 1 is off.
    public var repetitionPenalty: Float = 1
    /// Subtracted once from every token seen in the answer; in [-2, 2].
    public var presencePenalty: Float = 0
    /// Subtracted per occurrence from every token seen in the answer; in [-2, 2].
    public var frequencyPenalty: Float = 0
    /// Added to the logits of these tokens, each in [-100, 100].
    public var logitBias: [TokenID: Float] = [:]
    /// Makes sampling reproducible whatever else runs; nil takes a fresh seed.
    public var seed: UInt64?
    /// At most this many tokens are generated per branch; at least 1 (0 only with ``promptLogprobs``: nothing is sampled).
    public var maxTokens: Int = 16
    /// No end or stop token is sampled before this many tokens.
    public var minTokens: Int = 0
    /// Further tokens that end the answer, besides the model's own.
    public var stopTokenIDs: [TokenID] = []
    /// Run on past the model's end-of-sequence tokens.
    public var ignoreEOS: Bool = false
    /// Report each sampled token's log-probability and those of this many likeliest tokens (0 to 20); nil reports none.
    public var logprobs: Int?
    /// The same for every prompt token; such requests skip the prefix cache's look-up.
    public var promptLogprobs: Int?
    /// Answers wanted.
    public var n: Int = 1
    /// Answers generated, of which the `n` with the highest mean log-probability are returned; at least `n`.
    public var bestOf: Int?
    /// If not nil, only these tokens may be sampled.
    public var allowedTokenIDs: [TokenID]?
    /// Token runs that may not appear: the last token of a run is masked when the ones before it have just been sampled.
    public var badWords: [[TokenID]] = []

    /// The settings of a request that asks for nothing in particular.
    public init() {}

    /// Branches that the engine generates: `best_of`, or `n`.
    public var branches: Int { max(n, bestOf ?? n) }
    /// Whether the likeliest token is taken every time.
    public var isGreedy: Bool { temperature < SamplingParameters.greedyThreshold }
    /// Temperatures below this are greedy: dividing by them would overflow (vLLM's `_SAMPLING_EPS`).
    public static let greedyThreshold: Float = 1e-5
    /// The most log-probabilities that may be asked for (`top_logprobs`, OpenAI's limit).
    public static let mostLogprobs: Int = 20
}
