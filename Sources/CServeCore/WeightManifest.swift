// Every packed matrix and vector of a shard with its size: the one list that both the plan and the engine follow.

/// What a weight does in the forward pass.
public enum WeightRole: Int, Hashable, Codable, Sendable, CaseIterable {
    /// Token ids to vectors.
    case embedding
    /// The norm before the head.
    case finalNorm
    /// Vectors to logits.
    case head
    /// The norm before attention.
    case inputNorm
    /// Queries, keys and values, stacked.
    case qkv
    /// The norm of each query head.
    case queryNorm
    /// The norm of each key head.
    case keyNorm
    /// Behind attention.
    case output
    /// The norm behind attention: before the feed-forward part, or (sandwich) before the sum.
    case postAttentionNorm
    /// The norm before the feed-forward part (sandwich only).
    case preFeedforwardNorm
    /// The norm behind the feed-forward part (sandwich only).
    case postFeedforwardNorm
    /// Gate and up, stacked; up alone where there is no gate.
    case gateUp
    /// Back to the hidden size.
    case down
    /// Scores of experts.
    case router
    /// One expert's gate and up.
    case expertGateUp
    /// One expert's way back.
    case expertDown
    /// The shared expert's gate and up.
    case sharedGateUp
    /// The shared expert's way back.
    case sharedDown
    /// How much of the shared expert is added.
    case sharedGate
    /// Learned positions.
    case positions
    /// Hidden states to the latent that queries come from (MLA).
    case queryDown
    /// The norm of that latent.
    case queryDownNorm
    /// Queries, from the latent or the hidden states (MLA).
    case queryUp
    /// Hidden states to the cached latent and the rotated key (MLA).
    case latentDown
    /// The norm of the cached latent.
    case latentNorm
    /// The cached latent to keys and values (MLA).
    case latentUp
    /// What each query head attends besides its context.
    case sinks
}

/// One packed weight.
public struct WeightItem: Hashable, Codable, Sendable {
    /// What it does.
    public var role: WeightRole
    /// Its layer; nil outside the layers.
    public var layer: Int?
    /// Its expert, in a mixture.
    public var expert: Int?
    /// Output features on this rank; a vector's length.
    public var rows: Int
    /// Input features on this rank; nil for a vector.
    public var columns: Int?
    /// Whether a bias goes with it.
    public var hasBias: Bool

    /// Numbers in it.
    public var parameters: Int { rows * (columns ?? 1) + (hasBias ? rows : 0) }

    /// Bytes in memory: the matrix as packed, its bias in f32; a vector in f32.
    public func bytes(_ layout: WeightLayout) -> Int {
        let vector = (rows * 4).rounded(upTo: MemoryPlan.alignment)
        guard let columns else { return hasBias ? 2 * vector : vector }
        return layout.bytes(rows: rows, columns: columns) + (hasBias ? vector : 0)
    }
}

/// The packed weights of one shard, in the order in which they lie in memory.
public struct WeightManifest: Hashable, Codable, Sendable {
    /// The weights: the embedding, the layers, the final norm, the head.
    public var items: [WeightItem] = []

    /// Lists a shard's weights.
    /// - Throws: ``ParallelismError`` when sizes do not divide by the ranks.
    public init(shape: ModelShape, shard: ModelShard) throws(ParallelismError) {
        try shard.check(shape)
        let vocabulary = shard.vocabulary(shape).count
        // A tied head reads the embedding; a stage that has only the head packs it there.
        if shard.hasEmbedding { matrix(.embedding, nil, vocabulary, shape.hiddenSize) }
        if shard.hasEmbedding && shape.parts.learnedPositions > 0 {
            matrix(.positions, nil, shape.parts.learnedPositions, shape.hiddenSize)
        }
        for layer in shard.layers { add(layer: layer, shape, shard) }
        guard shard.hasHead else { return }
        vector(.finalNorm, nil, shape.hiddenSize, bias: shape.parts.normBias)
        if !(shape.tieWordEmbeddings && shard.hasEmbedding) {
            matrix(.head, nil, vocabulary, shape.hiddenSize, bias: shape.parts.headBias)
        }
    }

    private mutating func matrix(
        _ role: WeightRole, _ layer: Int?, _ rows: Int, _ columns: Int, bias: Bool = false, expert: Int? = nil
    ) {
        items.append(
            WeightItem(role: role, layer: layer, expert: expert, rows: rows, columns: columns, hasBias: bias))
    }

    private mutating func vector(_ role: WeightRole, _ layer: Int?, _ count: Int, bias: Bool = false) {
        items.append(WeightItem(role: role, layer: layer, expert: nil, rows: count, columns: nil, hasBias: bias))
    }

    private mutating func add(layer: Int, _ shape: ModelShape, _ shard: ModelShard) {
        let parts = shape.parts
        vector(.inputNorm, layer, shape.hiddenSize, bias: parts.normBias)
        if let latent = shape.latentAttention {
            add(latent, layer: layer, shape, shard)
        } else {
            addHeads(layer: layer, shape, shard)
        }
        if parts.feedForwardNorm { vector(.postAttentionNorm, layer, shape.hiddenSize, bias: parts.normBias) }
        if shape.sandwichNorms {
            vector(.preFeedforwardNorm, layer, shape.hiddenSize)
            vector(.postFeedforwardNorm, layer, shape.hiddenSize)
        }
        if let mixture = shape.mixture, mixture.layers[layer] {
            add(mixture, layer: layer, shape, shard)
        } else {
            let width = shape.intermediateSize / shard.ranks
            matrix(.gateUp, layer, (parts.gatedFeedForward ? 2 : 1) * width, shape.hiddenSize, bias: shape.mlpBias)
            matrix(.down, layer, shape.hiddenSize, width, bias: shape.mlpBias)
        }
    }

    /// Attention with keys and values per head.
    private mutating func addHeads(layer: Int, _ shape: ModelShape, _ shard: ModelShard) {
        let queries = shard.heads(shape).count * shape.headDim
        let keys = shard.kvHeads(shape).count * shape.headDim
        matrix(.qkv, layer, queries + 2 * keys, shape.hiddenSize, bias: shape.qkvBias)
        if shape.queryKeyNorm {
            vector(.queryNorm, layer, shape.parts.wideQueryKeyNorm ? queries : shape.headDim)
            vector(.keyNorm, layer, shape.parts.wideQueryKeyNorm ? keys : shape.headDim)
        }
        matrix(.output, layer, shape.hiddenSize, queries, bias: shape.outputBias)
        if shape.parts.attentionSinks { vector(.sinks, layer, shard.heads(shape).count) }
    }

    /// Attention over a latent: every rank makes the latents, and has its heads' share of what comes from them.
    private mutating func add(
        _ latent: ModelShape.LatentAttention, layer: Int, _ shape: ModelShape, _ shard: ModelShard
    ) {
        let heads = shard.heads(shape).count
        if let rank = latent.queryRank {
            matrix(.queryDown, layer, rank, shape.hiddenSize)
            vector(.queryDownNorm, layer, rank)
        }
        matrix(.queryUp, layer, heads * shape.headDim, latent.queryRank ?? shape.hiddenSize)
        matrix(.latentDown, layer, latent.cachedNumbers, shape.hiddenSize)
        vector(.latentNorm, layer, latent.keyValueRank)
        matrix(.latentUp, layer, heads * (latent.plainDim + latent.valueDim), latent.keyValueRank)
        matrix(.output, layer, shape.hiddenSize, heads * latent.valueDim)
    }

    private mutating func add(_ mixture: ModelShape.Mixture, layer: Int, _ shape: ModelShape, _ shard: ModelShard) {
        let hidden = shape.hiddenSize
        let width = mixture.intermediateSize / shard.ranks
        matrix(.router, layer, mixture.experts, hidden, bias: mixture.routerBias)
        for expert in 0..<mixture.experts {
            matrix(.expertGateUp, layer, 2 * width, hidden, bias: mixture.expertBias, expert: expert)
            matrix(.expertDown, layer, hidden, width, bias: mixture.expertBias, expert: expert)
        }
        guard let shared = mixture.sharedIntermediateSize else { return }
        matrix(.sharedGateUp, layer, 2 * (shared / shard.ranks), hidden)
        matrix(.sharedDown, layer, hidden, shared / shard.ranks)
        if mixture.sharedIsGated { matrix(.sharedGate, layer, 1, hidden) }
    }
}
