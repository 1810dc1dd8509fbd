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
    /// How much of the cache is kept free for running requests' growth when a new one is admitted.
    public var growthReserve: GrowthReservePolicy = .adaptive
    /// Whether decodes and prompts are shared out evenly among the micro-batches of a pipeline. Without it a micro-batch
    /// takes all that is due, as vLLM V1's and TensorRT-LLM's do.
    public var balancesStages: Bool = true
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

extension SchedulerConfiguration {
    /// Decodes settings; those that are younger than the others may be absent.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            blockCount: try fields.decode(Int.self, forKey: .blockCount),
            blockSize: try fields.decode(Int.self, forKey: .blockSize),
            maxNumSeqs: try fields.decode(Int.self, forKey: .maxNumSeqs),
            maxNumBatchedTokens: try fields.decode(Int.self, forKey: .maxNumBatchedTokens),
            maxModelLength: try fields.decode(Int.self, forKey: .maxModelLength))
        chunkedPrefillSize = try fields.decodeIfPresent(Int.self, forKey: .chunkedPrefillSize)
        useChunkedPrefill = try fields.decode(Bool.self, forKey: .useChunkedPrefill)
        usePrefixCaching = try fields.decode(Bool.self, forKey: .usePrefixCaching)
        stages = try fields.decode(Int.self, forKey: .stages)
        lookAhead = try fields.decode(Int.self, forKey: .lookAhead)
        draftTokens = try fields.decode(Int.self, forKey: .draftTokens)
        draftLookup = try fields.decode(ClosedRange<Int>.self, forKey: .draftLookup)
        policy = try fields.decode(SchedulingPolicy.self, forKey: .policy)
        growthReserve = try fields.decodeIfPresent(GrowthReservePolicy.self, forKey: .growthReserve) ?? .adaptive
        balancesStages = try fields.decodeIfPresent(Bool.self, forKey: .balancesStages) ?? true
        eosTokenIDs = try fields.decode(Set<TokenID>.self, forKey: .eosTokenIDs)
        maxQueuedRequests = try fields.decode(Int.self, forKey: .maxQueuedRequests)
        maxQueuedTokens = try fields.decode(Int.self, forKey: .maxQueuedTokens)
    }
}
