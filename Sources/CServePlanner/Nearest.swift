// Where nothing fits: what comes nearest, what binds, and what it would take.
import CServeCore
import CServeCost
import CServeSimulator

extension Planner {
    /// The result without a plan.
    func nothingFits(
        _ searched: [Searched], _ feasible: [FeasibleReplica], _ sample: RequestSample, _ log: SearchLog
    ) -> PlanResult {
        // The search asked only whether the rate is carried: how much is carried is asked of the likeliest now.
        let search = CapacitySearch(
            probe: probe, sample: sample, bisection: RateBisection(tolerance: 0.1, probes: 8, growth: 1.5),
            requests: question.effort.refineRequests, seed: question.seed)
        let likely: [Searched] = likeliest(searched, sample)
        let capacities = map("nearest", likely) { search.capacity(of: $0.replica) }
        var nearest: [PlanNearest] = zip(likely, capacities).map { near(Searched(replica: $0.replica, capacity: $1)) }
        if nearest.isEmpty { nearest = feasible.map { near($0, sample) } }
        nearest.sort { (left: PlanNearest, right: PlanNearest) -> Bool in
            (-left.carries, left.usdPerHour ?? .infinity, left.option)
                < (-right.carries, right.usdPerHour ?? .infinity, right.option)
        }
        return PlanResult(
            plan: nil, nearest: Array(nearest.prefix(5)), rejected: log.rejected, points: log.points,
            options: log.options, simulated: log.simulated)
    }

    /// Those that carry most by the fluid estimate.
    private func likeliest(_ searched: [Searched], _ sample: RequestSample) -> [Searched] {
        let guesses: [Double] = searched.map { (one: Searched) -> Double in
            let model = FluidModel(one.replica, sample)
            return (model.fastest(tokenTime: .infinity) ?? model.state(running: 1)).rate
                * Double(sizing.mostReplicas(one.replica))
        }
        let order: [Int] = searched.indices.sorted { (guesses[$1], $0) < (guesses[$0], $1) }
        return order.prefix(8).map { searched[$0] }
    }

    /// As many replicas as may be used, and what they carry.
    private func near(_ searched: Searched) -> PlanNearest {
        let replicas: Int = sizing.mostReplicas(searched.replica)
        let each: Double = searched.capacity.rate
        let most: Deployment = sizing.deployment(
            searched.replica, replicas: replicas, capacity: each * Double(replicas))
        return PlanNearest(
            option: most.name, usdPerHour: most.usdPerHour.isFinite ? most.usdPerHour : nil, carries: most.capacity,
            binding: searched.capacity.binding ?? "nothing was seen to bind",
            remedy: each > 0 ? remedy(searched) : nil)
    }

    private func remedy(_ searched: Searched) -> String? {
        guard let rate = question.targets.requestRate else { return nil }
        let needed: Int = max(1, Int((rate / searched.capacity.rate).rounded(.up)))
        let wanted: Deployment = sizing.deployment(searched.replica, replicas: needed, capacity: 0)
        let price: String = wanted.usdPerHour.isFinite ? " for \(Money.perHour(wanted.usdPerHour))" : ""
        return "\(wanted.accelerators) \(searched.replica.placement.accelerator.title)\(price) would carry "
            + "\(Figures.short(rate)) requests a second"
    }

    /// An option that not even its optimistic limits allow.
    private func near(_ replica: FeasibleReplica, _ sample: RequestSample) -> PlanNearest {
        let bound = RooflineBound(replica, sample)
        let replicas: Int = sizing.mostReplicas(replica)
        let deployment: Deployment = sizing.deployment(replica, replicas: replicas, capacity: 0)
        var binding: String = "at most \(Figures.short(bound.mostRate * Double(replicas))) requests a second"
        if let (target, least) = bound.impossible(question.targets.objective) {
            binding =
                "\(target.metric.rawValue) \(target.statistic) of \(Figures.milliseconds(least)) alone, the limit "
                + SpanText.text(target.limit)
        }
        return PlanNearest(
            option: deployment.name, usdPerHour: deployment.usdPerHour.isFinite ? deployment.usdPerHour : nil,
            carries: 0,
            binding: binding, remedy: nil)
    }
}
