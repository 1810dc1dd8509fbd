// Excludes what the roofline excludes, before anything is simulated.
import CServeCore
import CServeCost

/// Checks options against their optimistic limits.
struct Reach: Sendable {
    let question: PlanQuestion
    let sample: RequestSample
    let sizing: Sizing

    /// The option, or what even its optimistic limits miss.
    func check(_ replica: FeasibleReplica) -> Result<FeasibleReplica, Feasibility.Unfit> {
        let bound = RooflineBound(replica, sample)
        if let (target, least) = bound.impossible(question.targets.objective) {
            return .failure(
                Feasibility.Unfit(
                    .latency,
                    "Even requests that are alone have a \(target.metric.rawValue) \(target.statistic) of "
                        + "\(Figures.milliseconds(least)); the limit is \(SpanText.text(target.limit))."))
        }
        guard let rate = question.targets.requestRate else { return .success(replica) }
        let replicas: Int = sizing.mostReplicas(replica)
        let most: Double = bound.mostRate * Double(replicas)
        guard most < rate else { return .success(replica) }
        return .failure(
            Feasibility.Unfit(
                .roofline,
                "\(replicas) replicas, as many as may be used, cannot exceed \(Figures.short(most)) requests a second; "
                    + "\(Figures.short(rate)) are asked."))
    }
}
