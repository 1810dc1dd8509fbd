// What a simulator needs to know of one replica: how it schedules, and how long its steps take.
import CServeCore
import CServeCost
import CServeScheduling

/// A replica: the scheduler's settings, as the engine would have them, and the times of its steps.
public struct ReplicaSpec: Sendable {
    /// The settings of the scheduler that serves.
    public var scheduler: SchedulerConfiguration
    /// The cost model.
    public var timing: any StepTiming
    /// Whether a step is scheduled while the one before it runs, so that what comes during a step joins the step after the
    /// next one: vLLM's asynchronous scheduling. Not followed in pipelines, which have several steps under way anyway.
    public var schedulesAhead: Bool = false

    /// Describes a replica; the scheduler keeps as many micro-batches in flight as the cost model has stages.
    public init(scheduler: SchedulerConfiguration, timing: any StepTiming) {
        self.scheduler = scheduler
        self.scheduler.stages = timing.stages
        self.timing = timing
    }

    /// The replica that the engine would run from a recipe.
    ///
    /// Speculation is left out: how often drafts are right depends on texts that a simulation does not have.
    /// - Parameters:
    ///   - recipe: the engine's settings.
    ///   - kvBlocks: KV blocks of the replica, as the memory budget gives them.
    ///   - modelLength: the model's own length.
    ///   - timing: the cost model.
    /// - Throws: ``RecipeError`` where the engine's scheduler would refuse the recipe.
    public init(recipe: Recipe, kvBlocks: Int, modelLength: Int, timing: any StepTiming) throws(RecipeError) {
        try recipe.checkSchedulable()
        var settings = try recipe.schedulerConfiguration(
            blockCount: kvBlocks, modelLength: modelLength, endTokens: [])
        settings.draftTokens = 0
        self.init(scheduler: settings, timing: timing)
    }
}
