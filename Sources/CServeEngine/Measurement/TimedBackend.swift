// A backend that passes every operation on to another one and takes its time: profiles see operators as they run in a model.

import CServeCore

/// Times another backend's operations; its numbers are that backend's.
struct TimedBackend<Base: Backend>: Backend {
    /// A matrix that knows its shape.
    struct Weight {
        var base: Base.Weight
        var shape: TimedOperator
    }

    let base: Base
    let clock: OperatorClock

    var name: String { base.name }
    var title: String { base.title }

    func weightLayout(_ format: WeightFormat) -> WeightLayout { base.weightLayout(format) }

    func formats(stored: StoredFormats, shape: ModelShape, recipe: Recipe) throws -> MemoryPlan.Formats {
        try base.formats(stored: stored, shape: shape, recipe: recipe)
    }

    func allocate(_ what: String, bytes: Int) throws -> Base.Memory { try base.allocate(what, bytes: bytes) }

    func pack(_ matrix: MatrixSource, layout: WeightLayout, into memory: Base.Memory, at offset: Int) throws -> Weight {
        Weight(
            base: try base.pack(matrix, layout: layout, into: memory, at: offset),
            shape: .linear(rows: matrix.rows, columns: matrix.columns))
    }

    func upload(_ values: [Float], into memory: Base.Memory, at offset: Int) -> Base.Vector {
        base.upload(values, into: memory, at: offset)
    }

    func buffer(in memory: Base.Memory, at offset: Int, rows: Int, columns: Int) -> Base.Buffer {
        base.buffer(in: memory, at: offset, rows: rows, columns: columns)
    }

    func slice(_ buffer: Base.Buffer, firstRow: Int) -> Base.Buffer { base.slice(buffer, firstRow: firstRow) }

    func cache(in memory: Base.Memory, plan: KVCachePlan) -> Base.KVCache { base.cache(in: memory, plan: plan) }

    func prepare(_ inputs: BatchInputs) throws -> Base.Batch { try base.prepare(inputs) }

    func withHostRows<R>(
        _ buffer: Base.Buffer, rows: Int, _ body: (UnsafeMutableBufferPointer<Float>) throws -> R
    ) rethrows -> R {
        try base.withHostRows(buffer, rows: rows, body)
    }

    // MARK: Operations on rows

    func embed(_ batch: Base.Batch, table: Weight, firstToken: Int, scale: Float, into out: Base.Buffer) {
        clock.time(.embedding) {
            base.embed(batch, table: table.base, firstToken: firstToken, scale: scale, into: out)
        }
    }

    func rmsNorm(_ x: Base.Buffer, weight: Base.Vector, epsilon: Float, rows: Int, into out: Base.Buffer) {
        clock.time(.norm) { base.rmsNorm(x, weight: weight, epsilon: epsilon, rows: rows, into: out) }
    }

    func add(_ delta: Base.Buffer, to x: Base.Buffer, rows: Int) {
        clock.time(.norm) { base.add(delta, to: x, rows: rows) }
    }

    func addNorm(
        _ delta: Base.Buffer, to residual: Base.Buffer, weight: Base.Vector, epsilon: Float, rows: Int,
        into out: Base.Buffer
    ) {
        clock.time(.norm) {
            base.addNorm(delta, to: residual, weight: weight, epsilon: epsilon, rows: rows, into: out)
        }
    }

    func linear(_ x: Base.Buffer, _ weight: Weight, rows: Int, into out: Base.Buffer) {
        clock.time(weight.shape) { base.linear(x, weight.base, rows: rows, into: out) }
    }

    func activate(_ gateUp: Base.Buffer, _ activation: Activation, rows: Int, into out: Base.Buffer) {
        clock.time(.activation) { base.activate(gateUp, activation, rows: rows, into: out) }
    }

    func softcap(_ x: Base.Buffer, cap: Float, rows: Int, columns: Int) {
        clock.time(.activation) { base.softcap(x, cap: cap, rows: rows, columns: columns) }
    }

    func gather(_ x: Base.Buffer, rows: UnsafeBufferPointer<Int32>, into out: Base.Buffer) {
        clock.time(.routing) { base.gather(x, rows: rows, into: out) }
    }

    // MARK: Attention

    func normHeads(
        _ qkv: Base.Buffer, heads: Range<Int>, headDim: Int, weight: Base.Vector, epsilon: Float, rows: Int
    ) {
        clock.time(.headNorm) {
            base.normHeads(qkv, heads: heads, headDim: headDim, weight: weight, epsilon: epsilon, rows: rows)
        }
    }

    func rotate(
        _ qkv: Base.Buffer, heads: Range<Int>, headDim: Int, rope: RopeTable<Base.Vector>, batch: Base.Batch
    ) {
        clock.time(.place) { base.rotate(qkv, heads: heads, headDim: headDim, rope: rope, batch: batch) }
    }

    func store(_ qkv: Base.Buffer, heads: AttentionShape, into cache: Base.KVCache, layer: Int, batch: Base.Batch) {
        clock.time(.place) { base.store(qkv, heads: heads, into: cache, layer: layer, batch: batch) }
    }

    func attend(
        _ qkv: Base.Buffer, heads: AttentionShape, cache: Base.KVCache, layer: Int, batch: Base.Batch,
        into out: Base.Buffer
    ) {
        clock.time(.attention) {
            base.attend(qkv, heads: heads, cache: cache, layer: layer, batch: batch, into: out)
        }
    }

    func copyBlocks(_ pairs: [BlockCopy], in cache: Base.KVCache) { base.copyBlocks(pairs, in: cache) }

    // MARK: Mixture of experts

    func route(_ logits: Base.Buffer, spec: MixtureSpec, rows: Int, into routing: Routing) {
        clock.time(.routing) { base.route(logits, spec: spec, rows: rows, into: routing) }
    }

    func combine(_ experts: Base.Buffer, routing: Routing, rows: Int, into out: Base.Buffer) {
        clock.time(.routing) { base.combine(experts, routing: routing, rows: rows, into: out) }
    }

    func addGated(_ delta: Base.Buffer, gate: Base.Buffer, to x: Base.Buffer, rows: Int) {
        clock.time(.routing) { base.addGated(delta, gate: gate, to: x, rows: rows) }
    }
}
