// A closer look at a deployment: the whole cluster behind its router, with more requests than in the search.
import CServeCore
import CServeSimulator

/// Settles how many replicas a demanded rate takes, and how much they carry together.
struct Refinement: Sendable {
    let probe: LoadProbe
    let sizing: Sizing
    let sample: RequestSample

    /// What was found, and every probe.
    struct Outcome: Sendable {
        var outcome: Result<Deployment, Feasibility.Unfit>
        var points: [PlanPoint]
    }

    private var effort: PlanEffort { probe.question.effort }

    /// Refines one deployment.
    func refine(_ deployment: Deployment) -> Outcome {
        var points: [PlanPoint] = []
        guard let rate = probe.question.targets.requestRate else {
            return Outcome(outcome: .success(withCapacity(deployment, &points)), points: points)
        }
        var current: Deployment = deployment
        var binding: String? = binding(current, rate, &points)
        if binding == nil {
            while current.replicas > 1, let fewer = changed(current, by: -1), self.binding(fewer, rate, &points) == nil
            {
                current = fewer
            }
        }
        for _ in 0..<2 where binding != nil {
            guard let more = changed(current, by: 1) else { break }
            current = more
            binding = self.binding(current, rate, &points)
        }
        if let binding {
            let text: String = "As a cluster, " + binding + "."
            return Outcome(outcome: .failure(Feasibility.Unfit(.targets, text)), points: points)
        }
        current = withCapacity(current, &points)
        current.capacity = max(current.capacity, rate)
        return Outcome(outcome: .success(current), points: points)
    }

    /// The same with more or fewer replicas, if that lies within the bounds.
    private func changed(_ deployment: Deployment, by count: Int) -> Deployment? {
        let replicas: Int = deployment.replicas + count
        let capacity: Double = deployment.capacity * Double(replicas) / Double(deployment.replicas)
        let other: Deployment = sizing.deployment(deployment.replica, replicas: replicas, capacity: capacity)
        return replicas > 0 && sizing.isWithin(other) ? other : nil
    }

    /// What binds at a rate; nil: the targets are kept.
    private func binding(_ deployment: Deployment, _ rate: Double, _ points: inout [PlanPoint]) -> String? {
        let requests: Int = max(effort.refineRequests, 200 * deployment.replicas)
        let load = Load(rate: rate, requests: requests, seed: probe.question.seed)
        let report: SimulationReport = probe.report(deployment.replica, replicas: deployment.replicas, load)
        let binding: String? = probe.binding(report, load)
        points.append(PlanPoint(deployment, phase: "refine", load, report, passes: binding == nil))
        return binding
    }

    /// The capacity of the whole cluster.
    private func withCapacity(_ deployment: Deployment, _ points: inout [PlanPoint]) -> Deployment {
        let search = CapacitySearch(
            probe: probe, sample: sample, bisection: RateBisection(tolerance: 0.08, probes: 4, growth: 1.25),
            requests: effort.refineRequests, seed: probe.question.seed)
        let capacity: Capacity = search.capacity(
            of: deployment.replica, replicas: deployment.replicas, guess: deployment.capacity)
        points += capacity.probes.map {
            PlanPoint(deployment, phase: "refine", $0.load, $0.report, passes: $0.passes)
        }
        var refined: Deployment = deployment
        if capacity.rate > 0 { refined.capacity = capacity.rate }
        return refined
    }
}
