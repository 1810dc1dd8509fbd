// Which part of a model one rank of one stage holds: a range of layers, and a share of heads, columns and vocabulary.

/// How a model is divided.
public struct Parallelism: Hashable, Codable, Sendable {
    /// Ranks that share each layer.
    public var tensor: Int
    /// Stages that share the layers.
    public var pipeline: Int

    /// Describes a division.
    public init(tensor: Int = 1, pipeline: Int = 1) {
        self.tensor = tensor
        self.pipeline = pipeline
    }

    /// The part of one stage and rank; earlier stages take the layers that do not divide evenly.
    /// - Throws: ``ParallelismError``.
    public func shard(of shape: ModelShape, stage: Int, rank: Int) throws(ParallelismError) -> ModelShard {
        guard tensor >= 1, pipeline >= 1, (0..<pipeline).contains(stage), (0..<tensor).contains(rank) else {
            throw .outOfRange(stage: stage, stages: pipeline, rank: rank, ranks: tensor)
        }
        guard pipeline <= shape.layers else { throw .tooManyStages(stages: pipeline, layers: shape.layers) }
        let least = shape.layers / pipeline
        let extra = shape.layers % pipeline
        let first = stage * least + min(stage, extra)
        let count = least + (stage < extra ? 1 : 0)
        let shard = ModelShard(
            layers: first..<(first + count), hasEmbedding: stage == 0, hasHead: stage == pipeline - 1, rank: rank,
            ranks: tensor)
        try shard.check(shape)
        return shard
    }
}

/// One rank's part of one stage.
public struct ModelShard: Hashable, Codable, Sendable {
    /// The stage's layers.
    public var layers: Range<Int>
    /// Whether the stage begins with the embedding.
    public var hasEmbedding: Bool
    /// Whether the stage ends with the final norm and the head.
    public var hasHead: Bool
    /// This rank.
    public var rank: Int
    /// Ranks that share the stage.
    public var ranks: Int

    /// Describes a part.
    public init(layers: Range<Int>, hasEmbedding: Bool, hasHead: Bool, rank: Int = 0, ranks: Int = 1) {
        self.layers = layers
        self.hasEmbedding = hasEmbedding
        self.hasHead = hasHead
        self.rank = rank
        self.ranks = ranks
    }

    /// A whole model on one rank.
    public static func whole(_ layers: Int) -> ModelShard {
        ModelShard(layers: 0..<layers, hasEmbedding: true, hasHead: true)
    }

    /// Refuses sizes that do not divide.
    func check(_ shape: ModelShape) throws(ParallelismError) {
        func divides(_ what: String, _ count: Int) throws(ParallelismError) {
            guard count % ranks == 0 else { throw .doesNotDivide(what: what, count: count, ranks: ranks) }
        }
        try divides("attention heads", shape.heads)
        try divides("the feed-forward width", shape.intermediateSize)
        if let mixture = shape.mixture {
            try divides("an expert's width", mixture.intermediateSize)
            try divides("the shared expert's width", mixture.sharedIntermediateSize ?? ranks)
        }
        guard shape.kvHeads % ranks == 0 || ranks % shape.kvHeads == 0 else {
            throw .doesNotDivide(what: "key-value heads", count: shape.kvHeads, ranks: ranks)
        }
    }

    /// This rank's query heads.
    public func heads(_ shape: ModelShape) -> Range<Int> { part(of: shape.heads) }

    /// This rank's key-value heads; ranks share one where there are fewer heads than ranks.
    public func kvHeads(_ shape: ModelShape) -> Range<Int> {
        if shape.kvHeads >= ranks { return part(of: shape.kvHeads) }
        let head = rank * shape.kvHeads / ranks
        return head..<(head + 1)
    }

    /// This rank's token ids of the embedding and the head.
    public func vocabulary(_ shape: ModelShape) -> Range<Int> {
        let share = (shape.vocabularySize + ranks - 1) / ranks
        let first = min(rank * share, shape.vocabularySize)
        return first..<min(first + share, shape.vocabularySize)
    }

    /// This rank's share of something that divides evenly.
    public func part(of count: Int) -> Range<Int> {
        let share = count / ranks
        return (rank * share)..<((rank + 1) * share)
    }
}

/// A division that does not work out.
public enum ParallelismError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No such stage or rank.
    case outOfRange(stage: Int, stages: Int, rank: Int, ranks: Int)
    /// More stages than layers.
    case tooManyStages(stages: Int, layers: Int)
    /// Something does not divide by the ranks.
    case doesNotDivide(what: String, count: Int, ranks: Int)

    /// What happened, with its numbers, and what to do next.
    public var description: String {
        switch self {
        case .outOfRange(let stage, let stages, let rank, let ranks):
            "There is no stage \(stage) of \(stages) with rank \(rank) of \(ranks). Both count from 0."
        case .tooManyStages(let stages, let layers):
            "\(stages) stages cannot share \(layers) layers. Use --pipeline-parallel-size \(layers) or less."
        case .doesNotDivide(let what, let count, let ranks):
            "\(ranks) ranks cannot share \(what) (\(count)) evenly. Choose a --tensor-parallel-size that divides \(count)."
        }
    }
}
