// Everything that a scheduler's decisions depend on besides requests, outputs and time.
import CServeCore

/// A scheduler's settings.
public struct SchedulerConfiguration: Hashable, Codable, Sendable {
    /// KV blocks in the cache.
    public var blockCount: Int
    /// Tokens per block.
    public var blockSize: Int
    /// Branches that may run at once.
    public var maxNumSeqs: Int
    /// Tokens computed in one micro-batch at most.
    public var maxNumBatchedTokens: Int
    /// The largest prompt plus answer.
    public var maxModelLength: Int
    /// Prompt tokens of one request computed in one micro-batch at most; nil is ``maxNumBatchedTokens``.
    public var chunkedPrefillSize: Int?
    /// Whether prompts may be computed in pieces. Without it only prompts above ``maxNumBatchedTokens`` are.
    public var useChunkedPrefill: Bool = true
    /// Whether cached prefixes are reused.
    public var usePrefixCaching: Bool = true
    /// Stages of the pipeline: as many micro-batches are in flight.
    public var stages: Int = 1
    /// Micro-batches in flight beyond ``stages``, and tokens that a branch may be scheduled ahead of its sampled ones.
    public var lookAhead: Int = 0
    /// Tokens that are drafted behind a decode at most; 0 drafts none. Drafts need all tokens before them: a branch that
    /// is scheduled ahead of its sampled tokens gets none.
    public var draftTokens: Int = 0
    /// Lengths of the n-grams by which drafts are looked up in a branch's own text.
    public var draftLookup: ClosedRange<Int> = 2...4
    /// How prompts join decodes.
    public var policy: SchedulingPolicy = .auto
    /// The model's end-of-sequence tokens.
    public var eosTokenIDs: Set<TokenID> = []
    /// Requests that may wait.
    public var maxQueuedRequests: Int = 1024
    /// Prompt tokens that may wait.
    public var maxQueuedTokens: Int = 1_048_576

    /// Settings for a cache and limits; the rest keeps its defaults.
    public init(
        blockCount: Int, blockSize: Int = 16, maxNumSeqs: Int = 128, maxNumBatchedTokens: Int = 2048,
        maxModelLength: Int
    ) {
        self.blockCount = blockCount
        self.blockSize = blockSize
        self.maxNumSeqs = maxNumSeqs
        self.maxNumBatchedTokens = maxNumBatchedTokens
        self.maxModelLength = maxModelLength
    }

    /// Tokens that the whole cache holds.
    public var capacity: Int { blockCount * blockSize }
    /// Micro-batches that may be in flight.
    public var depth: Int { stages + lookAhead }
}
