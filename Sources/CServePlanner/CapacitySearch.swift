// The highest load that an option carries within the targets: bisection on the rate, every probe a simulation.
import CServeCore
import CServeCost
import CServeSimulator

/// What an option carries.
struct Capacity: Sendable {
    /// Requests per second within the targets; 0: not even a trickle.
    var rate: Double
    /// Every probe, in the order in which it was made.
    var probes: [(load: Load, report: SimulationReport, passes: Bool)]
    /// What binds above the capacity; nil: nothing was seen to.
    var binding: String?
    /// The fewest replicas that carry the demanded rate; nil: none demanded, or no number within the bounds does.
    var replicas: Int?
}

/// Searches capacities.
struct CapacitySearch: Sendable {
    let probe: LoadProbe
    let sample: RequestSample
    let bisection: RateBisection
    /// Requests of a probe, at least.
    let requests: Int
    let seed: UInt64

    /// The capacity of so many replicas of an option.
    /// - Parameter guess: where to begin, in requests per second; nil begins at the fluid estimate.
    func capacity(of replica: FeasibleReplica, replicas: Int = 1, guess: Double? = nil) -> Capacity {
        let objective: ServiceLevelObjective = probe.question.targets.objective
        guard
            !objective.targets.isEmpty || probe.question.targets.goodput != nil
                || probe.question.targets.requestRate != nil
        else { return saturated(replica, replicas) }
        let most: Double = RooflineBound(replica, sample).mostRate * Double(replicas)
        let start: Double = guess ?? self.guess(replica) * Double(replicas)
        var capacity = Capacity(rate: 0, probes: [])
        let edge: RateBisection.Edge = bisection.edge(
            start: min(start, most), floor: min(start, most) / 64, ceiling: most
        ) { (rate: Double) -> Bool in
            let load = Load(rate: rate, requests: count(rate, replica), seed: seed)
            let report: SimulationReport = probe.report(replica, replicas: replicas, load)
            let binding: String? = probe.binding(report, load)
            if let binding { capacity.binding = binding }
            capacity.probes.append((load, report, binding == nil))
            return binding == nil
        }
        capacity.rate = edge.passing ?? 0
        return capacity
    }

    /// The fewest replicas that carry a rate, each with its share of it: somewhat pessimistic, as a router evens loads out.
    ///
    /// The capacity is the fluid estimate, brought between what was seen to pass and to fail.
    func fewest(of replica: FeasibleReplica, rate: Double, most: Int) -> Capacity {
        let bound: Double = RooflineBound(replica, sample).mostRate
        let guess: Double = self.guess(replica)
        let least: Int = min(most, max(1, Int((rate / bound).rounded(.up))))
        let start: Int = Int(min(Double(most), (rate / max(guess, 1e-9)).rounded(.up)))
        var capacity = Capacity(rate: 0, probes: [])
        capacity.replicas = FewestSearch.fewest(in: least...most, start: start) { (replicas: Int) -> Bool in
            let share: Double = rate / Double(replicas)
            let load = Load(rate: share, requests: count(share, replica), seed: seed)
            let report: SimulationReport = probe.report(replica, replicas: 1, load)
            let binding: String? = probe.binding(report, load)
            if let binding { capacity.binding = binding }
            capacity.probes.append((load, report, binding == nil))
            return binding == nil
        }
        guard let replicas = capacity.replicas else { return capacity }
        let failing: Double = replicas > least ? rate / Double(replicas - 1) : bound
        capacity.rate = min(max(guess, rate / Double(replicas)), failing)
        return capacity
    }

    /// Without demands on latency: what comes out when everything is there at once.
    private func saturated(_ replica: FeasibleReplica, _ replicas: Int) -> Capacity {
        let running: Int = FluidModel(replica, sample).concurrency
        let load = Load(rate: .infinity, requests: max(requests, 4 * running) * replicas, seed: seed)
        let report: SimulationReport = probe.report(replica, replicas: replicas, load)
        // Over the whole run: within it, prompts come first and answers last, so that windows show more than is lasting.
        let rate: Double = report.throughput.requestsPerSecond
        return Capacity(rate: rate, probes: [(load, report, true)], binding: nil)
    }

    /// Requests enough for a steady state: several times those that are on their way at once.
    private func count(_ rate: Double, _ replica: FeasibleReplica) -> Int {
        max(requests, 5 * FluidModel(replica, sample).running(atRate: rate))
    }

    /// The fluid estimate within the limit on tokens, somewhat below: queues need room.
    private func guess(_ replica: FeasibleReplica) -> Double {
        let model = FluidModel(replica, sample)
        let limits: [Double] = probe.question.targets.objective.targets.compactMap { (target) -> Double? in
            target.metric == .tpot || target.metric == .itl ? Double(target.limit) / 1e9 : nil
        }
        let state: FluidModel.State? = model.fastest(tokenTime: limits.min() ?? .infinity)
        return 0.8 * (state ?? model.state(running: 1)).rate
    }
}
