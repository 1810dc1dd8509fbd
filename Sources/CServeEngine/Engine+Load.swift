// From a checkpoint and a recipe to a running engine.

import CServeCore
import CServeScheduling

/// What an engine loaded: for start-up messages and `/metrics`.
public struct LoadedModel: Sendable {
    /// The backend's name.
    public var backend: String
    /// How weights and cache are stored.
    public var formats: MemoryPlan.Formats
    /// What was reserved, stage by stage.
    public var plans: [MemoryPlan]
    /// The model's numbers.
    public var shape: ModelShape
}

extension Engine {
    /// Loads a checkpoint as a recipe asks and starts an engine on it.
    ///
    /// Blocks until the weights are packed.
    /// - Parameters:
    ///   - checkpoint: A directory's, or the embedded one; not needed afterwards.
    ///   - recipe: Every setting is obeyed or refused.
    ///   - progress: Called as weights are packed.
    /// - Throws: ``RecipeError``, ``ModelShapeError``, ``MemoryPlanError``, ``CheckpointError``, ``EngineError``,
    ///   ``EngineStartError`` or the backend's own error.
    public static func load(
        _ checkpoint: Checkpoint, recipe: Recipe, progress: ((LoadProgress) -> Void)? = nil
    ) throws -> Engine {
        try recipe.checkRunnable()
        let shape = try checkpoint.shape()
        let modelLength = shape.lengthLimit(asked: recipe.maxModelLen)
        _ = try recipe.servedLength(modelLength: modelLength)
        if recipe.device == "null" { return try null(recipe: recipe, shape: shape) }
        let backend = try BackendTable.make(recipe.device, threads: recipe.threads)
        let model = try ModelRunner(
            checkpoint: checkpoint, recipe: recipe, backend: backend, availableBytes: AvailableMemory.bytes(),
            progress: progress)
        let scheduler = try recipe.schedulerConfiguration(
            blockCount: model.totalBlocks, modelLength: modelLength, endTokens: shape.eosTokenIDs)
        let configuration = EngineConfiguration(
            scheduler: scheduler, vocabularySize: model.vocabularySize, seed: recipe.seed)
        let loaded = LoadedModel(backend: model.backendName, formats: model.formats, plans: model.plans, shape: shape)
        return try Engine(configuration, runner: ModelStepRunner(model), model: loaded)
    }

    /// The null engine with a model's limits.
    private static func null(recipe: Recipe, shape: ModelShape) throws -> Engine {
        var recipe = recipe
        recipe.maxModelLen = recipe.maxModelLen ?? shape.maxPositionEmbeddings
        let middle = TokenID(shape.vocabularySize / 2)
        let tokens = (middle..<min(middle + 64, TokenID(shape.vocabularySize)))
            .filter { !shape.eosTokenIDs.contains($0) }
        return try null(
            recipe: recipe, vocabularySize: shape.vocabularySize, tokens: tokens.isEmpty ? [0] : tokens,
            endTokens: shape.eosTokenIDs)
    }
}
