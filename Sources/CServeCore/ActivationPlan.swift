// The arena of one forward pass: every intermediate result has its place, so that a step allocates nothing.

/// Where each activation of a step lies in the arena.
public struct ActivationPlan: Hashable, Codable, Sendable {
    /// The results of a forward pass that need a place.
    public enum Name: Int, Hashable, Codable, Sendable, CaseIterable {
        /// The residual stream `[T, hidden]`.
        case hidden
        /// A norm's result `[T, hidden]`.
        case normed
        /// What a part adds to the stream `[T, hidden]`.
        case projected
        /// Queries, keys, values `[T, (heads + 2 kvHeads) * headDim]`.
        case qkv
        /// Attention's result `[T, heads * headDim]`.
        case attended
        /// Gate and up `[T, 2 * width]`.
        case gateUp
        /// Their product `[T, width]`.
        case activated
        /// Scores of experts `[T, experts]`.
        case router
        /// Rows grouped by expert `[T * perToken, hidden]`.
        case expertInput
        /// Experts' gate and up `[T * perToken, 2 * width]`.
        case expertGateUp
        /// Their product `[T * perToken, width]`.
        case expertActivated
        /// Experts' results `[T * perToken, hidden]`.
        case expertOutput
        /// How much of the shared expert is added `[T, 1]`.
        case sharedGate
        /// The shared expert's result `[T, hidden]`.
        case shared
        /// Rows whose logits are wanted `[S, hidden]`.
        case gathered
        /// This rank's logits `[S, vocabulary / ranks]`.
        case logits
        /// All ranks' logits `[S, vocabulary]` (several ranks only).
        case allLogits
        /// Cosines of the full layers `[positions, rotaryDim / 2]`.
        case cosines
        /// Sines of the full layers.
        case sines
        /// Cosines of the sliding layers, where they differ.
        case localCosines
        /// Sines of the sliding layers, where they differ.
        case localSines
    }

    /// One result's place.
    public struct Region: Hashable, Codable, Sendable {
        /// Bytes from the arena's start.
        public var offset: Int
        /// Rows.
        public var rows: Int
        /// f32 numbers per row.
        public var columns: Int
    }

    /// The places.
    public private(set) var regions: [Name: Region] = [:]
    /// The arena's size.
    public private(set) var bytes: Int = 0
    /// Tokens that one pass may hold.
    public let maxTokens: Int
    /// Rows of logits computed at once.
    public let maxLogitRows: Int

    /// Logits computed at once take at most this much: more rows come in slices.
    public static let logitBytes = 64 << 20

    /// Lays an arena out.
    public init(shape: ModelShape, shard: ModelShard, maxTokens: Int, maxSequences: Int, maxModelLength: Int) {
        self.maxTokens = maxTokens
        let affordable = max(1, Self.logitBytes / (4 * shape.vocabularySize))
        maxLogitRows = min(maxTokens, max(1, maxSequences), affordable)
        let queries = shard.heads(shape).count * shape.headDim
        let keys = shard.kvHeads(shape).count * shape.headDim
        for name in [Name.hidden, .normed, .projected] { add(name, maxTokens, shape.hiddenSize) }
        add(.qkv, maxTokens, queries + 2 * keys)
        add(.attended, maxTokens, queries)
        addFeedForward(shape, shard)
        if shard.hasHead {
            add(.gathered, maxLogitRows, shape.hiddenSize)
            add(.logits, maxLogitRows, shard.vocabulary(shape).count)
            if shard.ranks > 1 { add(.allLogits, maxLogitRows, shape.vocabularySize) }
        }
        addRopes(shape, maxModelLength)
    }

    private mutating func add(_ name: Name, _ rows: Int, _ columns: Int) {
        regions[name] = Region(offset: bytes, rows: rows, columns: columns)
        bytes += (rows * columns * 4).rounded(upTo: MemoryPlan.alignment)
    }

    private mutating func addFeedForward(_ shape: ModelShape, _ shard: ModelShard) {
        let layers = shard.layers
        let hasDense = layers.contains { !shape.isMixture(layer: $0) }
        let shared = shape.mixture?.sharedIntermediateSize ?? 0
        let width = max(hasDense ? shape.intermediateSize : 0, shared) / shard.ranks
        if width > 0 {
            add(.gateUp, maxTokens, 2 * width)
            add(.activated, maxTokens, width)
        }
        guard let mixture = shape.mixture, layers.contains(where: { shape.isMixture(layer: $0) }) else { return }
        let rows = maxTokens * mixture.perToken
        add(.router, maxTokens, mixture.experts)
        add(.expertInput, rows, shape.hiddenSize)
        add(.expertGateUp, rows, 2 * mixture.intermediateSize / shard.ranks)
        add(.expertActivated, rows, mixture.intermediateSize / shard.ranks)
        add(.expertOutput, rows, shape.hiddenSize)
        if shared > 0 {
            add(.sharedGate, maxTokens, 1)
            add(.shared, maxTokens, shape.hiddenSize)
        }
    }

    private mutating func addRopes(_ shape: ModelShape, _ length: Int) {
        let columns = shape.rope.rotaryDim(headDim: shape.headDim) / 2
        add(.cosines, length, columns)
        add(.sines, length, columns)
        guard let local = shape.localRope else { return }
        add(.localCosines, length, local.rotaryDim(headDim: shape.headDim) / 2)
        add(.localSines, length, local.rotaryDim(headDim: shape.headDim) / 2)
    }
}
