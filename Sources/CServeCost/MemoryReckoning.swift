// The arithmetic behind a memory budget: weights by type, activations, overheads, and the pool's rule.
import CServeCore

/// One placement under one engine's habits.
struct MemoryReckoning {
    let placement: ReplicaPlacement
    let engine: EngineMemory

    private var shape: ModelShape { placement.shape }
    private var recipe: Recipe { placement.recipe }
    private var length: Int { recipe.maxModelLen ?? shape.maxPositionEmbeddings }

    func budget(advises: Bool) throws(MemoryBudgetError) -> MemoryBudget {
        try checkSettings()
        let layouts = layouts
        var ranks: [MemoryBudget.Rank] = []
        for stage in 0..<max(1, placement.parallelism.pipeline) {
            var first: MemoryBudget.Rank?
            for rank in 0..<max(1, placement.parallelism.tensor) {
                let shard = try shard(stage: stage, rank: rank)
                // Ranks differ in their share of the vocabulary only, and only the last ones have less.
                if var same = first, same.shard.vocabulary(shape).count == shard.vocabulary(shape).count {
                    same.shard = shard
                    ranks.append(same)
                    continue
                }
                let made = try self.rank(shard, stage: stage, layouts: layouts, advises: advises)
                if first == nil { first = made }
                ranks.append(made)
            }
        }
        return MemoryBudget(
            ranks: ranks, blockSize: recipe.blockSize, maxModelLength: length,
            acceleratorBytes: placement.accelerator.memoryBytes)
    }

    /// What ``MemoryPlan`` refuses, refused in its words.
    private func checkSettings() throws(MemoryBudgetError) {
        guard length >= 1, length <= 1 << 24 else { throw .plan(.length(length)) }
        guard (1...4096).contains(recipe.blockSize), (1...(1 << 20)).contains(recipe.maxNumSeqs),
            (1...(1 << 20)).contains(recipe.maxNumBatchedTokens)
        else {
            throw .plan(
                .settings(
                    blockSize: recipe.blockSize, sequences: recipe.maxNumSeqs, tokens: recipe.maxNumBatchedTokens))
        }
    }

    private func shard(stage: Int, rank: Int) throws(MemoryBudgetError) -> ModelShard {
        do {
            return try placement.parallelism.shard(of: shape, stage: stage, rank: rank)
        } catch {
            throw .plan(.parallelism(error))
        }
    }

    private func rank(
        _ shard: ModelShard, stage: Int, layouts: WeightLayouts, advises: Bool
    ) throws(MemoryBudgetError) -> MemoryBudget.Rank {
        let weights = try weights(shard, layouts)
        let activations = activationBytes(shard)
        let overhead = engine.fixedBytes + (shard.ranks > 1 ? engine.collectiveBytes : 0)
        let room = room(besides: weights.resident + activations, overhead: overhead)
        let perBlock =
            shard.layers.count
            * shape.cacheBytes(
                positions: recipe.blockSize, ranks: shard.ranks, format: placement.precision.cache,
                scales: engine.cacheScales)
        let rule = KVPoolRule(recipe: recipe, maxModelLength: length)
        let blocks = rule.blocks(bytesPerBlock: perBlock, room: room, fills: engine.fillsMemory)
        let made = MemoryBudget.Rank(
            shard: shard, stage: stage, weightBytes: weights.resident, offloadedBytes: weights.offloaded,
            activationBytes: activations, overheadBytes: overhead, roomBytes: max(0, room), bytesPerBlock: perBlock,
            kvBlocks: blocks.taken)
        let fits = recipe.kvCacheMemoryBytes.map { $0 <= max(0, room) } ?? true
        let needed = neededBlocks(rule, layers: shard.layers)
        guard blocks.room >= needed, room >= 0, fits || placement.accelerator.kind == .cpu else {
            throw MemoryAdvice(placement: placement, engine: engine)
                .error(made, neededBytes: needed * perBlock, isWeights: room <= 0, searches: advises)
        }
        return made
    }

    /// Blocks of one request of the full length: fewer where sliding layers let go of what has left their window.
    private func neededBlocks(_ rule: KVPoolRule, layers: Range<Int>) -> Int {
        guard !engine.keepsWholeContext else { return rule.perRequest }
        let sum = layers.reduce(0) { sum, layer in
            sum + shape.cachedBlocks(tokens: length, layer: layer, blockSize: recipe.blockSize, keepsAll: false)
        }
        return (sum + layers.count - 1) / max(1, layers.count)
    }

    /// What the recipe's share leaves; negative where even the weights do not fit.
    private func room(besides used: Int, overhead: Int) -> Int {
        let memory = Double(placement.accelerator.memoryBytes)
        let share = min(max(recipe.gpuMemUtil, 0), 1)
        switch engine.share {
        case .all: return Int(memory * share) - used - overhead
        case .free: return Int((memory - Double(used + overhead)) * share)
        }
    }

    // MARK: Weights

    /// How each matrix is stored under this engine.
    private var layouts: WeightLayouts {
        let precision = placement.precision
        let layout: (WeightFormat) -> WeightLayout = { engine.packing?.layout($0) ?? WeightLayout(format: $0) }
        guard precision.exceptions.isEmpty else {
            return WeightLayouts(layout(precision.weights), exceptions: precision.exceptions.mapValues(layout))
        }
        guard case .quantized(let format) = precision.weights else { return WeightLayouts(layout(precision.weights)) }
        let onLoad = Quantization.allCases.first { $0.format(.qkv) == format }
        if let onLoad, engine.quantizesEmbedding {
            return WeightLayouts(onLoad, plain: precision.plain, shape: shape, layout: layout)
        }
        // As checkpoints are published: the layers' matrices in codes, all else plain.
        var layouts = WeightLayouts(layout(precision.weights))
        let plain = layout(.plain(precision.plain))
        for role in [WeightRole.embedding, .head, .positions] { layouts.exceptions[.init(role)] = plain }
        for layer in 0..<shape.layers where shape.isMixture(layer: layer) {
            layouts.exceptions[.init(.router, layer: layer)] = plain
            layouts.exceptions[.init(.sharedGate, layer: layer)] = plain
        }
        return layouts
    }

    /// Bytes on the accelerator and in host memory.
    private func weights(
        _ shard: ModelShard, _ layouts: WeightLayouts
    ) throws(MemoryBudgetError) -> (resident: Int, offloaded: Int) {
        let manifest: WeightManifest
        do {
            manifest = try WeightManifest(shape: shape, shard: shard)
        } catch {
            throw .plan(.parallelism(error))
        }
        var fixed = 0
        var matrices: [Int: Int] = [:]
        for item in manifest.items {
            let size = bytes(item, layouts[item])
            if item.columns != nil, let layer = item.layer {
                matrices[layer, default: 0] += size
            } else {
                fixed += size
            }
        }
        let streamable = matrices.values.reduce(0, +)
        let share = min(max(placement.offloadedShare, 0), 1)
        let offloaded = Int(Double(streamable) * share)
        // A layer computes while the next one arrives: two layers' streamed parts pass through.
        let largest = Int(Double(matrices.values.max() ?? 0) * share)
        return (fixed + streamable - offloaded + min(offloaded, 2 * largest), offloaded)
    }

    private func bytes(_ item: WeightItem, _ layout: WeightLayout) -> Int {
        if engine.packing != nil { return item.bytes(layout) }
        let vector = item.rows * placement.precision.plain.size
        guard let columns = item.columns else { return item.hasBias ? 2 * vector : vector }
        let matrix: Int
        switch layout.format {
        case .plain(let element): matrix = item.rows * columns * element.size
        case .quantized(let format):
            let scales = item.rows * format.groups(columns: columns) * format.scale.size
            matrix = item.rows * columns * format.code.bits / 8 + scales * (format.hasMinimums ? 2 : 1)
        }
        return matrix + (item.hasBias ? vector : 0)
    }

    // MARK: Activations

    private func activationBytes(_ shard: ModelShard) -> Int {
        switch engine.activations {
        case .arena:
            return ActivationPlan(
                shape: shape, shard: shard, maxTokens: recipe.maxNumBatchedTokens,
                maxSequences: recipe.maxNumSeqs * (1 + recipe.draftTokens), maxModelLength: length
            ).bytes
        case .peak(let peak):
            let table = shape.mixture == nil ? peak.dense : peak.mixture
            // Tables by 1, 2, 4, 8 ranks; what lies between takes the lower number's.
            let step = (0..<table.count).last { shard.ranks >= 1 << $0 } ?? 0
            let pass = 2 * Double(recipe.maxNumBatchedTokens * shape.hiddenSize) * table[step]
            let rows = Double(recipe.maxNumSeqs * shape.vocabularySize)
            let logits = shard.hasHead ? rows * peak.bytesPerLogit : 0
            return max(peak.floorBytes, Int(max(pass, logits)))
        }
    }
}
