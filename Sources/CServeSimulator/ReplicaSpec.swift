// What a simulator needs to know of one replica: how it schedules, and how long its steps take.
import CServeCost
import CServeScheduling

/// A replica: the scheduler's settings, as the engine would have them, and the times of its steps.
public struct ReplicaSpec: Sendable {
    /// The settings of the scheduler that serves.
    public var scheduler: SchedulerConfiguration
    /// The cost model.
    public var timing: any StepTiming

    /// Describes a replica; the scheduler keeps as many micro-batches in flight as the cost model has stages.
    public init(scheduler: SchedulerConfiguration, timing: any StepTiming) {
        self.scheduler = scheduler
        self.scheduler.stages = timing.stages
        self.timing = timing
    }
}
