// One rank's part of one stage on one backend: its weights, its arena, its cache, and a forward pass over them.

import CServeCore

/// Runs a contiguous range of layers. Owned by one thread at a time.
final class StageRunner<B: Backend> {
    let backend: B
    let model: any CausalLM
    let plan: MemoryPlan
    let store: WeightStore<B>
    let activations: Activations<B>
    let cache: B.KVCache
    let collective: any Collective
    private let routing = Routing()

    private var shape: ModelShape { model.shape }
    private var shard: ModelShard { plan.shard }

    /// Loads the stage as planned.
    init(
        backend: B, shape: ModelShape, checkpoint: Checkpoint, plan: MemoryPlan, layouts: WeightLayouts,
        collective: any Collective = SingleRank(), progress: ((LoadProgress) -> Void)? = nil
    ) throws {
        self.backend = backend
        self.plan = plan
        self.collective = collective
        model = ModelTable.model(shape)
        let loader = try WeightLoader(
            backend: backend, model: model, shard: plan.shard, layouts: layouts, checkpoint: checkpoint)
        store = try loader.load(progress: progress)
        activations = try Activations(
            backend, plan: plan.activations, shape: shape, maxModelLength: plan.maxModelLength)
        cache = backend.cache(in: try backend.allocate("The KV cache", bytes: plan.cache.bytes), plan: plan.cache)
    }

    /// Brings the step's residual stream from the stage before (or the embedding) through this stage's layers.
    func forward(_ batch: B.Batch, rows: Int, copies: [BlockCopy]) {
        if !copies.isEmpty { backend.copyBlocks(copies, in: cache) }
        if shard.hasEmbedding { embed(batch, rows: rows) }
        for layer in shard.layers { run(layer, model, batch, rows: rows) }
    }

    /// Attention of every layer alone, for profiles.
    func attend(_ batch: B.Batch) {
        for layer in shard.layers {
            backend.attend(
                activations[.qkv], heads: shape.attention(layer: layer, shard: shard), cache: cache,
                layer: layer - shard.layers.lowerBound, batch: batch, into: activations[.attended])
        }
    }

    /// Writes the batch's slots of every layer, for profiles: pages that nobody wrote to would be read from a cache.
    func store(_ batch: B.Batch) {
        for layer in shard.layers {
            backend.store(
                activations[.qkv], heads: shape.attention(layer: layer, shard: shard), into: cache,
                layer: layer - shard.layers.lowerBound, batch: batch)
        }
    }

    private func embed(_ batch: B.Batch, rows: Int) {
        backend.embed(
            batch, table: store.outside.matrix(.embedding), firstToken: shard.vocabulary(shape).lowerBound,
            scale: Float(shape.embeddingScale), into: activations[.hidden])
        backend.reduce(activations[.hidden], rows: rows, with: collective)
    }

    private func run(_ layer: Int, _ model: some CausalLM, _ batch: B.Batch, rows: Int) {
        let weights = store.acquire(layer)
        defer { store.release(layer) }
        model.forward(
            LayerPass(
                backend: backend, shape: shape, shard: shard, activations: activations, weights: weights, cache: cache,
                batch: batch, collective: collective, routing: routing, rows: rows, layer: layer))
    }

    /// The logits of chosen rows, at most ``ActivationPlan/maxLogitRows``, handed over in place.
    func logits(rows: UnsafeBufferPointer<Int32>, _ body: (UnsafeMutableBufferPointer<Float>) throws -> Void) rethrows {
        let gathered = activations[.gathered]
        let outside = store.outside
        backend.gather(activations[.hidden], rows: rows, into: gathered)
        backend.rmsNorm(
            gathered, weight: outside.vector(.finalNorm), epsilon: Float(shape.normEpsilon), rows: rows.count,
            into: gathered)
        let head = outside.matrix(outside.has(.head) ? .head : .embedding)
        backend.linear(gathered, head, rows: rows.count, into: activations[.logits])
        if let cap = shape.finalSoftcap {
            backend.softcap(
                activations[.logits], cap: Float(cap), rows: rows.count, columns: shard.vocabulary(shape).count)
        }
        guard shard.ranks > 1 else { return try backend.withHostRows(activations[.logits], rows: rows.count, body) }
        collect(rows: rows.count)
        try backend.withHostRows(activations[.allLogits], rows: rows.count, body)
    }

    /// Puts every rank's columns side by side: each adds its own to zeros, which is exact.
    private func collect(rows: Int) {
        let own = shard.vocabulary(shape)
        let width = shape.vocabularySize
        backend.withHostRows(activations[.logits], rows: rows) { part in
            backend.withHostRows(activations[.allLogits], rows: rows) { all in
                all.update(repeating: 0)
                for row in 0..<rows {
                    for column in 0..<own.count {
                        all[row * width + own.lowerBound + column] = part[row * own.count + column]
                    }
                }
                collective.sum(all)
            }
        }
    }

    /// Copies the residual stream out of, or into, the stage.
    func withHidden<R>(rows: Int, _ body: (UnsafeMutableBufferPointer<Float>) throws -> R) rethrows -> R {
        try backend.withHostRows(activations[.hidden], rows: rows, body)
    }
}
