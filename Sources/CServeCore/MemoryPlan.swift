// The bytes that one rank of one stage takes: the engine obeys this plan and the planner calls it.

/// How the paged cache of one stage and rank is laid out.
public struct KVCachePlan: Hashable, Codable, Sendable {
    /// Layers of this stage.
    public var layers: Int
    /// Blocks in the pool.
    public var blocks: Int
    /// Positions per block.
    public var blockSize: Int
    /// Key and value heads on this rank.
    public var kvHeads: Int
    /// Numbers per head.
    public var headDim: Int
    /// How keys and values are stored.
    public var format: CacheFormat

    /// Describes a cache.
    public init(layers: Int, blocks: Int, blockSize: Int, kvHeads: Int, headDim: Int, format: CacheFormat) {
        self.layers = layers
        self.blocks = blocks
        self.blockSize = blockSize
        self.kvHeads = kvHeads
        self.headDim = headDim
        self.format = format
    }

    /// Bytes of one block in all layers, scales included.
    public var bytesPerBlock: Int { layers * kvHeads * format.headBytes(positions: blockSize, headDim: headDim) }
    /// Bytes of the pool.
    public var bytes: Int { blocks * bytesPerBlock }
}

/// What one rank of one stage takes from memory: packed weights, the activation arena and the KV pool, nothing else that
/// grows with the model.
public struct MemoryPlan: Hashable, Codable, Sendable {
    /// Every tensor starts at a multiple of this: a cache line, and the widest vector.
    public static let alignment = 64

    /// Packed weights.
    public var weightBytes: Int
    /// The arena.
    public var activations: ActivationPlan
    /// The KV pool.
    public var cache: KVCachePlan
    /// The largest prompt plus answer.
    public var maxModelLength: Int
    /// The part of the model that this is for.
    public var shard: ModelShard

    /// Bytes in all.
    public var totalBytes: Int { weightBytes + activations.bytes + cache.bytes }

    /// How numbers are stored.
    public struct Formats: Hashable, Codable, Sendable {
        /// How matrices are packed.
        public var weights: WeightLayouts
        /// How keys and values are stored.
        public var cache: CacheFormat

        /// Describes the formats.
        public init(weights: WeightLayouts, cache: CacheFormat) {
            self.weights = weights
            self.cache = cache
        }
    }

    /// Plans one rank of one stage.
    ///
    /// The pool holds what `max_num_seqs` requests of the full length need, or what `kv_cache_memory_bytes`, or
    /// `gpu_mem_util * availableBytes` less weights and arena, has room for, whichever is less; with
    /// `kv_cache_memory_bytes` given it fills exactly that.
    /// - Parameter availableBytes: Memory that is free for this rank; nil leaves it out of the reckoning.
    /// - Throws: ``MemoryPlanError``.
    public static func make(
        shape: ModelShape, recipe: Recipe, parallelism: Parallelism = Parallelism(), stage: Int = 0, rank: Int = 0,
        formats: Formats, availableBytes: Int? = nil
    ) throws(MemoryPlanError) -> MemoryPlan {
        let shard: ModelShard
        let manifest: WeightManifest
        do {
            shard = try parallelism.shard(of: shape, stage: stage, rank: rank)
            manifest = try WeightManifest(shape: shape, shard: shard)
        } catch {
            throw .parallelism(error)
        }
        let length = recipe.maxModelLen ?? shape.maxPositionEmbeddings
        guard length >= 1, length <= 1 << 24 else { throw .length(length) }
        guard (1...4096).contains(recipe.blockSize), (1...(1 << 20)).contains(recipe.maxNumSeqs),
            (1...(1 << 20)).contains(recipe.maxNumBatchedTokens)
        else {
            throw .settings(
                blockSize: recipe.blockSize, sequences: recipe.maxNumSeqs, tokens: recipe.maxNumBatchedTokens)
        }
        let activations = ActivationPlan(
            shape: shape, shard: shard, maxTokens: recipe.maxNumBatchedTokens,
            maxSequences: recipe.maxNumSeqs * (1 + recipe.draftTokens), maxModelLength: length)
        var plan = MemoryPlan(
            weightBytes: manifest.items.reduce(0) { $0 + $1.bytes(formats.weights[$1]) }, activations: activations,
            cache: KVCachePlan(
                layers: shard.layers.count, blocks: 0, blockSize: recipe.blockSize, kvHeads: shard.kvHeads(shape).count,
                headDim: shape.headDim, format: formats.cache), maxModelLength: length, shard: shard)
        plan.cache.blocks = try plan.blocks(recipe: recipe, availableBytes: availableBytes)
        return plan
    }

    private func blocks(recipe: Recipe, availableBytes: Int?) throws(MemoryPlanError) -> Int {
        let room = availableBytes.map { available in
            let share = Int(Double(available) * min(max(recipe.gpuMemUtil, 0), 1))
            return max(0, share - weightBytes - activations.bytes)
        }
        let rule = KVPoolRule(recipe: recipe, maxModelLength: maxModelLength)
        let blocks = rule.blocks(bytesPerBlock: cache.bytesPerBlock, room: room)
        guard blocks.room >= rule.perRequest else {
            throw .tooSmall(
                weightBytes: weightBytes, arenaBytes: activations.bytes,
                neededForOne: rule.perRequest * cache.bytesPerBlock, room: blocks.room * cache.bytesPerBlock,
                maxModelLength: maxModelLength)
        }
        return blocks.taken
    }
}

/// How many blocks a pool gets: the engine's own rule, which planning follows.
public struct KVPoolRule: Hashable, Sendable {
    /// Blocks of one request of the full length.
    public var perRequest: Int
    /// Positions per block.
    public var blockSize: Int
    /// Blocks that `max_num_seqs` requests of the full length can use, and one more for copies on write.
    public var useful: Int
    /// What the recipe reserves, if it says so.
    public var givenBytes: Int?

    /// Reads the rule out of a recipe.
    public init(recipe: Recipe, maxModelLength: Int) {
        perRequest = (maxModelLength + recipe.blockSize - 1) / recipe.blockSize
        blockSize = recipe.blockSize
        useful = perRequest * recipe.maxNumSeqs + 1
        givenBytes = recipe.kvCacheMemoryBytes
    }

    /// The blocks of a pool.
    /// - Parameters:
    ///   - bytesPerBlock: On this rank, in all its layers.
    ///   - room: Bytes that are left for it; nil: as much as is useful.
    ///   - fills: Whether the pool takes all room, as engines on GPUs do, rather than what is useful.
    /// - Returns: What there is room for, and what is taken of it.
    public func blocks(bytesPerBlock: Int, room: Int?, fills: Bool = false) -> (room: Int, taken: Int) {
        let limit = fills ? Int.max : min(useful, (1 << 60) / bytesPerBlock)
        let fitting: Int
        if let givenBytes {
            fitting = givenBytes / bytesPerBlock
        } else if let room {
            fitting = min(limit, max(0, room) / bytesPerBlock)
        } else {
            fitting = min(limit, (1 << 60) / bytesPerBlock)
        }
        // Slots are 32-bit numbers.
        return (fitting, min(fitting, Int(Int32.max) / blockSize))
    }
}

/// Why there is no plan.
public enum MemoryPlanError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The model cannot be divided so.
    case parallelism(ParallelismError)
    /// An absurd length.
    case length(Int)
    /// Absurd settings.
    case settings(blockSize: Int, sequences: Int, tokens: Int)
    /// Not even one request of the full length has room.
    case tooSmall(weightBytes: Int, arenaBytes: Int, neededForOne: Int, room: Int, maxModelLength: Int)

    /// What happened, with its numbers, and what to do next.
    public var description: String {
        switch self {
        case .parallelism(let error): error.description
        case .length(let length): "A length of \(length) tokens was asked for. Use --max-model-len from 1 to 16777216."
        case .settings(let blockSize, let sequences, let tokens):
            "block_size \(blockSize), max_num_seqs \(sequences) and max_num_batched_tokens \(tokens) cannot be served. "
                + "Use a block size from 1 to 4096 and from 1 to 1048576 of the others."
        case .tooSmall(let weights, let arena, let needed, let room, let length):
            "Weights take \(ByteCount(weights)) and activations \(ByteCount(arena)); one request of \(length) tokens needs "
                + "\(ByteCount(needed)) of KV cache but \(ByteCount(room)) are left. Use a smaller --max-model-len, a "
                + "larger --kv-cache-memory-bytes, or more memory."
        }
    }
}
