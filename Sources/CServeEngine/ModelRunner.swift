// A model ready to run: checkpoint in, logits out, on whichever backend was chosen.

import CServeCore

/// Runs a model's forward passes; owned by one thread at a time (the loop's), which is what makes it safe to send there.
public final class ModelRunner: ModelExecutor, @unchecked Sendable {
    /// The model's numbers.
    public let shape: ModelShape
    /// What was reserved, stage by stage.
    public let plans: [MemoryPlan]
    /// The backend's name.
    public let backendName: String
    /// The backend's name for people.
    public let backendTitle: String
    /// How weights and cache are stored.
    public let formats: MemoryPlan.Formats
    private let pipeline: any Pipeline

    /// Columns of the logits.
    public var vocabularySize: Int { shape.vocabularySize }
    /// The largest prompt plus answer.
    public var maxModelLength: Int { plans[0].maxModelLength }
    /// Tokens per KV block.
    public var blockSize: Int { plans[0].cache.blockSize }
    /// KV blocks in the pool.
    public var totalBlocks: Int { plans.map(\.cache.blocks).min() ?? 0 }
    /// Tokens that one step may hold.
    public var maxBatchedTokens: Int { plans[0].activations.maxTokens }

    /// Loads a checkpoint.
    /// - Parameters:
    ///   - checkpoint: The configuration and the tensors; not needed afterwards.
    ///   - recipe: Lengths, sizes, types.
    ///   - backend: Where to run.
    ///   - availableBytes: Memory that the KV cache may be sized by; nil: what `max_num_seqs` requests can use.
    ///   - progress: Called as weights are packed.
    /// - Throws: ``ModelShapeError``, ``MemoryPlanError``, ``CheckpointError`` or ``EngineError``.
    public init(
        checkpoint: Checkpoint, recipe: Recipe, backend: any Backend, availableBytes: Int? = nil,
        progress: ((LoadProgress) -> Void)? = nil
    ) throws {
        let shape = try checkpoint.shape()
        let formats = try backend.formats(stored: try checkpoint.storedFormats(), shape: shape, recipe: recipe)
        let parallelism = Parallelism(pipeline: recipe.pipelineParallelSize)
        plans = try (0..<max(1, parallelism.pipeline)).map { stage in
            try MemoryPlan.make(
                shape: shape, recipe: recipe, parallelism: parallelism, stage: stage, formats: formats,
                availableBytes: availableBytes)
        }
        self.shape = shape
        self.formats = formats
        backendName = backend.name
        backendTitle = backend.title
        pipeline = try Self.load(backend, shape, checkpoint, plans, formats, progress)
    }

    private static func load<B: Backend>(
        _ backend: B, _ shape: ModelShape, _ checkpoint: Checkpoint, _ plans: [MemoryPlan],
        _ formats: MemoryPlan.Formats, _ progress: ((LoadProgress) -> Void)?
    ) throws -> any Pipeline {
        LocalPipeline(
            stages: try plans.map { plan in
                try StageRunner(
                    backend: backend, shape: shape, checkpoint: checkpoint, plan: plan, layouts: formats.weights,
                    progress: progress)
            })
    }

    /// Runs one forward pass.
    public func execute(_ inputs: BatchInputs, _ body: (LogitsSlice) throws -> Void) throws {
        try check(inputs)
        guard !inputs.tokens.isEmpty || !inputs.copies.isEmpty else { return }
        try pipeline.run(inputs, vocabularySize: vocabularySize, atLayersEnd: {}, body)
    }

    private func check(_ inputs: BatchInputs) throws {
        guard inputs.tokens.count <= maxBatchedTokens else {
            throw EngineError.batchTooLarge(tokens: inputs.tokens.count, limit: maxBatchedTokens)
        }
        for token in inputs.tokens where token < 0 || token >= Int32(vocabularySize) {
            throw EngineError.tokenOutOfRange(token: Int(token), vocabularySize: vocabularySize)
        }
        for position in inputs.positions where Int(position) >= maxModelLength {
            throw EngineError.positionOutOfRange(position: Int(position), maxModelLength: maxModelLength)
        }
        let blocks = totalBlocks
        for block in inputs.blockTables where block < 0 || Int(block) >= blocks {
            throw EngineError.blockOutOfRange(block: Int(block), totalBlocks: blocks)
        }
        for copy in inputs.copies {
            for block in [copy.source, copy.destination] where block < 0 || Int(block) >= blocks {
                throw EngineError.blockOutOfRange(block: Int(block), totalBlocks: blocks)
            }
        }
    }
}

// What a profile measures of a loaded model.
extension ModelRunner {
    /// Runs one forward pass in its two parts; `atLayersEnd` is called between them.
    func timedPass(_ inputs: BatchInputs, atLayersEnd: () -> Void) throws -> (layers: Nanoseconds, logits: Nanoseconds)
    {
        try check(inputs)
        let began = MonotonicClock.now()
        var middle = began
        try pipeline.run(
            inputs, vocabularySize: vocabularySize,
            atLayersEnd: {
                middle = MonotonicClock.now()
                atLayersEnd()
            }, { _ in })
        return (middle - began, MonotonicClock.now() - middle)
    }

    /// Runs the attention of every layer alone, over whatever queries the activations hold.
    func attend(_ inputs: BatchInputs) throws {
        try check(inputs)
        try pipeline.attend(inputs)
    }

    /// Writes keys and values of whatever the activations hold into the inputs' slots of every layer.
    func store(_ inputs: BatchInputs) throws {
        try check(inputs)
        try pipeline.store(inputs)
    }
}

/// Stages behind a face without generics: opened once per step.
private protocol Pipeline {
    func run(
        _ inputs: BatchInputs, vocabularySize: Int, atLayersEnd: () -> Void, _ body: (LogitsSlice) throws -> Void
    ) throws
    func attend(_ inputs: BatchInputs) throws
    func store(_ inputs: BatchInputs) throws
}

/// The stages of a model in one process, one after the other.
private struct LocalPipeline<B: Backend>: Pipeline {
    let stages: [StageRunner<B>]

    func attend(_ inputs: BatchInputs) throws {
        let batch = try stages[0].backend.prepare(inputs)
        for stage in stages { stage.attend(batch) }
    }

    func store(_ inputs: BatchInputs) throws {
        let batch = try stages[0].backend.prepare(inputs)
        for stage in stages { stage.store(batch) }
    }

    func run(
        _ inputs: BatchInputs, vocabularySize: Int, atLayersEnd: () -> Void, _ body: (LogitsSlice) throws -> Void
    ) throws {
        let rows = inputs.tokens.count
        let batch = try stages[0].backend.prepare(inputs)
        for (index, stage) in stages.enumerated() {
            if index > 0 { hand(rows: rows, from: stages[index - 1], to: stage) }
            stage.forward(batch, rows: rows, copies: inputs.copies)
        }
        atLayersEnd()
        guard let last = stages.last else { return }
        let limit = last.plan.activations.maxLogitRows
        try inputs.logitRows.withUnsafeBufferPointer { wanted in
            for first in stride(from: 0, to: wanted.count, by: limit) {
                let slice = UnsafeBufferPointer(rebasing: wanted[first..<min(first + limit, wanted.count)])
                try last.logits(rows: slice) { values in
                    try body(
                        LogitsSlice(
                            firstWanted: first, rows: slice.count, vocabularySize: vocabularySize, values: values))
                }
            }
        }
    }

    private func hand(rows: Int, from: StageRunner<B>, to: StageRunner<B>) {
        from.withHidden(rows: rows) { source in
            to.withHidden(rows: rows) { target in
                _ = target.update(fromContentsOf: source)
            }
        }
    }
}
