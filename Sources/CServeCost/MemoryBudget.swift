// Where a replica's memory goes, rank by rank, and how many KV blocks are left: on the CPU exactly what the engine allocates.
import CServeCore

/// The memory of one replica of a model on some hardware, as one engine uses it.
public struct MemoryBudget: Hashable, Sendable {
    /// One rank of one stage.
    public struct Rank: Hashable, Sendable {
        /// Its part of the model.
        public var shard: ModelShard
        /// The stage.
        public var stage: Int
        /// Weights on the accelerator, with the buffers that streamed ones pass through.
        public var weightBytes: Int
        /// Weights in host memory that stream in.
        public var offloadedBytes: Int
        /// What a forward pass needs.
        public var activationBytes: Int
        /// The runtime's own: context, graphs, collectives.
        public var overheadBytes: Int
        /// What the recipe's share of the accelerator's memory leaves for keys and values.
        public var roomBytes: Int
        /// Bytes of a KV block in all layers of this rank.
        public var bytesPerBlock: Int
        /// Blocks taken.
        public var kvBlocks: Int

        /// Bytes of keys and values.
        public var kvBytes: Int { kvBlocks * bytesPerBlock }
        /// Everything that the engine takes.
        public var usedBytes: Int { weightBytes + activationBytes + overheadBytes + kvBytes }
    }

    /// The ranks, stage by stage.
    public var ranks: [Rank]
    /// Positions per block.
    public var blockSize: Int
    /// The largest prompt plus answer.
    public var maxModelLength: Int
    /// The accelerator's memory.
    public var acceleratorBytes: Int

    /// Weights on all accelerators together.
    public var weightBytes: Int { ranks.reduce(0) { $0 + $1.weightBytes } }
    /// Weights in host memory.
    public var offloadedBytes: Int { ranks.reduce(0) { $0 + $1.offloadedBytes } }
    /// KV blocks of the replica: the scheduler has as many as the rank with the fewest.
    public var kvBlocks: Int { ranks.map(\.kvBlocks).min() ?? 0 }
    /// Tokens that those blocks hold, where sliding layers keep everything.
    public var kvTokens: Int { kvBlocks * blockSize }
    /// The rank with the fewest blocks.
    public var binding: Rank? { ranks.min { $0.kvBlocks < $1.kvBlocks } }

    /// Budgets a replica.
    /// - Parameters:
    ///   - placement: Model, types, division, accelerator and settings.
    ///   - engine: The engine's habits.
    /// - Throws: ``MemoryBudgetError``, with the numbers and what would fit.
    public init(_ placement: ReplicaPlacement, engine: EngineMemory) throws(MemoryBudgetError) {
        let reckoning = MemoryReckoning(placement: placement, engine: engine)
        self = try reckoning.budget(advises: true)
    }

    init(ranks: [Rank], blockSize: Int, maxModelLength: Int, acceleratorBytes: Int) {
        self.ranks = ranks
        self.blockSize = blockSize
        self.maxModelLength = maxModelLength
        self.acceleratorBytes = acceleratorBytes
    }
}
