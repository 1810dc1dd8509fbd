// The runner obeys its plan, slices its logits and refuses steps that do not fit.

import CServeCore
import Synchronization
import Testing

@testable import CServeEngine

@Suite struct ModelRunnerTests {
    @Test("what is reserved is what the plan says, for every family, stage by stage")
    func plan() throws {
        for family in TinyCheckpoint.configurations.keys {
            let checkpoint = try TinyCheckpoint.make(family)
            let shape = try checkpoint.shape()
            let formats = MemoryPlan.Formats(
                weights: WeightLayouts(WeightLayout(element: .bfloat16, rowMultiple: 16, columnMultiple: 2)),
                cache: .float16)
            for stage in 0..<2 {
                let plan = try MemoryPlan.make(
                    shape: shape, recipe: TinyCheckpoint.recipe(), parallelism: Parallelism(pipeline: 2), stage: stage,
                    formats: formats)
                let backend = CountingBackend()
                _ = try StageRunner(
                    backend: backend, shape: shape, checkpoint: checkpoint, plan: plan, layouts: formats.weights)
                #expect(backend.reserved.withLock { $0 } == plan.totalBytes, "\(family)")
            }
        }
    }

    @Test("logits come in slices of bounded size, in order, and the same as one by one")
    func slices() throws {
        let checkpoint = try TinyCheckpoint.make("qwen3")
        let runner = try ModelRunner(checkpoint: checkpoint, recipe: TinyCheckpoint.recipe(), backend: Reference())
        var inputs = BatchInputs(blockSize: 4)
        inputs.append(tokens: (0..<20).map { Int32($0) }, start: 0, blockTable: 0..<5, wanted: .all)
        inputs.append(tokens: [3, 4], start: 0, blockTable: [7], wanted: .last)
        var sizes: [Int] = []
        var firsts: [Int] = []
        try runner.execute(inputs) {
            sizes.append($0.rows)
            firsts.append($0.firstWanted)
        }
        #expect(sizes == [8, 8, 5] && firsts == [0, 8, 16])
    }

    @Test("a step that does not fit is refused and leaves the runner whole")
    func refusals() throws {
        let checkpoint = try TinyCheckpoint.make("llama")
        let runner = try ModelRunner(
            checkpoint: checkpoint, recipe: TinyCheckpoint.recipe(tokens: 8), backend: Reference())
        func attempt(_ tokens: [Int32], start: Int = 0, blocks: [Int32] = [0, 1, 2]) throws {
            var inputs = BatchInputs(blockSize: 4)
            inputs.append(tokens: tokens, start: start, blockTable: blocks, wanted: .last)
            try runner.execute(inputs) { _ in }
        }
        #expect(throws: EngineError.tokenOutOfRange(token: 61, vocabularySize: 61)) { try attempt([61]) }
        #expect(throws: EngineError.tokenOutOfRange(token: -1, vocabularySize: 61)) { try attempt([-1]) }
        #expect(throws: EngineError.batchTooLarge(tokens: 9, limit: 8)) { try attempt(Array(repeating: 1, count: 9)) }
        #expect(throws: EngineError.positionOutOfRange(position: 64, maxModelLength: 64)) {
            try attempt([1], start: 64, blocks: Array(0..<17))
        }
        let total = runner.totalBlocks
        #expect(throws: EngineError.blockOutOfRange(block: total, totalBlocks: total)) {
            try attempt([1], blocks: [Int32(total)])
        }
        #expect(throws: EngineError.unknownBackend(name: "abacus", supported: ["auto"] + BackendTable.rows.map(\.name)))
        {
            try BackendTable.make("abacus", threads: nil)
        }
        try attempt([1, 2, 3])
    }

    @Test("weights stored in half the bytes are read in full, and types are refused by name")
    func types() throws {
        let checkpoint = try TinyCheckpoint.make("gemma2")
        var recipe = TinyCheckpoint.recipe()
        let exact = try TestRun.logits(
            [1, 2, 3], try ModelRunner(checkpoint: checkpoint, recipe: recipe, backend: Reference()))
        for type in ["bfloat16", "float16"] {
            recipe.dtype = type
            recipe.cacheDtype = type
            let rounded = try TestRun.logits(
                [1, 2, 3], try ModelRunner(checkpoint: checkpoint, recipe: recipe, backend: Reference()))
            let worst = zip(exact.joined(), rounded.joined()).map { abs($0 - $1) }.max() ?? .infinity
            #expect(worst > 0 && worst < 0.3, "\(type) \(worst)")
        }
        recipe.cacheDtype = "fp9"
        #expect(throws: EngineError.self) {
            try ModelRunner(checkpoint: checkpoint, recipe: recipe, backend: Reference())
        }
    }
}

/// Counts what is reserved, and packs with a padded layout.
private struct CountingBackend: Backend {
    private let inner = Reference()
    let reserved = Counter()

    final class Counter: Sendable {
        private let value = Mutex(0)
        func withLock<R: Sendable>(_ body: (inout sending Int) -> sending R) -> R { value.withLock(body) }
    }

    var name: String { "counting" }
    func weightLayout(_ format: WeightFormat) -> WeightLayout { inner.weightLayout(format) }
    func allocate(_ what: String, bytes: Int) throws -> HostMemory {
        reserved.withLock { $0 += bytes }
        return try inner.allocate(what, bytes: bytes)
    }
    func pack(
        _ matrix: MatrixSource, layout: WeightLayout, into memory: HostMemory, at offset: Int
    ) throws -> Reference.Matrix {
        try inner.pack(matrix, layout: layout, into: memory, at: offset)
    }
    func upload(_ values: [Float], into memory: HostMemory, at offset: Int) -> HostVector {
        inner.upload(values, into: memory, at: offset)
    }
    func buffer(in memory: HostMemory, at offset: Int, rows: Int, columns: Int) -> HostBuffer {
        inner.buffer(in: memory, at: offset, rows: rows, columns: columns)
    }
    func slice(_ buffer: HostBuffer, firstRow: Int) -> HostBuffer { buffer.slice(firstRow: firstRow) }
    func cache(in memory: HostMemory, plan: KVCachePlan) -> PagedKVCache { inner.cache(in: memory, plan: plan) }
    func prepare(_ inputs: BatchInputs) -> BatchInputs { inputs }
    func withHostRows<R>(
        _ buffer: HostBuffer, rows: Int, _ body: (UnsafeMutableBufferPointer<Float>) throws -> R
    ) rethrows -> R { try inner.withHostRows(buffer, rows: rows, body) }
    func embed(_ batch: BatchInputs, table: Reference.Matrix, firstToken: Int, scale: Float, into out: HostBuffer) {}
    func rmsNorm(_ x: HostBuffer, weight: HostVector, epsilon: Float, rows: Int, into out: HostBuffer) {}
    func add(_ delta: HostBuffer, to x: HostBuffer, rows: Int) {}
    func addNorm(
        _ delta: HostBuffer, to residual: HostBuffer, weight: HostVector, epsilon: Float, rows: Int,
        into out: HostBuffer
    ) {}
    func linear(_ x: HostBuffer, _ weight: Reference.Matrix, rows: Int, into out: HostBuffer) {}
    func activate(_ gateUp: HostBuffer, _ activation: Activation, rows: Int, into out: HostBuffer) {}
    func softcap(_ x: HostBuffer, cap: Float, rows: Int, columns: Int) {}
    func gather(_ x: HostBuffer, rows: UnsafeBufferPointer<Int32>, into out: HostBuffer) {}
    func normHeads(
        _ qkv: HostBuffer, heads: Range<Int>, headDim: Int, weight: HostVector, epsilon: Float, rows: Int
    ) {}
    func rotate(
        _ qkv: HostBuffer, heads: Range<Int>, headDim: Int, rope: RopeTable<HostVector>, batch: BatchInputs
    ) {}
    func store(_ qkv: HostBuffer, heads: AttentionShape, into cache: PagedKVCache, layer: Int, batch: BatchInputs) {}
    func attend(
        _ qkv: HostBuffer, heads: AttentionShape, cache: PagedKVCache, layer: Int, batch: BatchInputs,
        into out: HostBuffer
    ) {}
    func copyBlocks(_ pairs: [BlockCopy], in cache: PagedKVCache) {}
    func route(_ logits: HostBuffer, spec: MixtureSpec, rows: Int, into routing: Routing) {}
    func combine(_ experts: HostBuffer, routing: Routing, rows: Int, into out: HostBuffer) {}
    func addGated(_ delta: HostBuffer, gate: HostBuffer, to x: HostBuffer, rows: Int) {}
}
