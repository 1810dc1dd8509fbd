// A replica that schedules as a named engine does.
import CServeCore
import CServeCost
import CServeScheduling

extension ReplicaSpec {
    /// The same replica with an engine's habits: what it reserves for answers, and how it fills a pipeline.
    public func following(_ engine: EngineProfile) -> ReplicaSpec {
        var copy: ReplicaSpec = self
        copy.scheduler.growthReserve =
            switch engine.scheduler.reserve {
            case .adaptive: .adaptive
            case .none: .none
            case .full: .full
            }
        copy.schedulesAhead = engine.scheduler.schedulesAhead
        copy.scheduler.balancesStages = engine.scheduler.reserve == .adaptive
        if copy.scheduler.policy == .auto {
            copy.scheduler.policy = SchedulingPolicy(rawValue: engine.scheduler.policy) ?? .auto
        }
        return copy
    }
}
