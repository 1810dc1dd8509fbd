// How many replicas a demanded rate takes, and which deployments deserve a closer look.
import CServeCore
import CServeCost

/// An option whose capacity has been searched.
struct Searched: Sendable {
    var replica: FeasibleReplica
    var capacity: Capacity
}

/// Turns capacities of single replicas into deployments within the bounds.
struct Sizing: Sendable {
    let question: PlanQuestion

    /// The deployments of an option that are worth comparing, or what binds.
    ///
    /// With a demanded rate: the fewest replicas that carry it. Without: one replica, and as many as may be used.
    func deployments(_ searched: Searched) -> Result<[Deployment], Feasibility.Unfit> {
        let each: Double = searched.capacity.rate
        guard each > 0 else {
            return .failure(Feasibility.Unfit(.targets, (searched.capacity.binding ?? "It carries nothing") + "."))
        }
        let most: Int = mostReplicas(searched.replica)
        guard let rate = question.targets.requestRate else {
            let counts: [Int] = most > 1 ? [1, most] : [1]
            return .success(counts.map { deployment(searched.replica, replicas: $0, capacity: Double($0) * each) })
        }
        let needed: Int = max(1, Int((rate / each - 1e-9).rounded(.up)))
        if let unfit = excess(searched, needed: needed, rate: rate) { return .failure(unfit) }
        return .success([deployment(searched.replica, replicas: needed, capacity: Double(needed) * each)])
    }

    /// A deployment with its machines.
    func deployment(_ replica: FeasibleReplica, replicas: Int, capacity: Double) -> Deployment {
        Deployment(replica, replicas: replicas, catalog: question.catalog, capacity: capacity)
    }

    /// Whether so many replicas lie within the bounds.
    func isWithin(_ deployment: Deployment) -> Bool {
        deployment.accelerators <= question.bounds.maxAccelerators
            && deployment.usdPerHour <= question.targets.budget ?? .infinity
    }

    /// The most replicas within the bounds.
    func mostReplicas(_ replica: FeasibleReplica) -> Int {
        var count: Int = max(1, question.bounds.maxAccelerators / replica.option.accelerators)
        while count > 1, !isWithin(deployment(replica, replicas: count, capacity: 0)) { count -= 1 }
        return count
    }

    private func excess(_ searched: Searched, needed: Int, rate: Double) -> Feasibility.Unfit? {
        let wanted: Deployment = deployment(searched.replica, replicas: needed, capacity: 0)
        let carries: String = "One replica carries \(Figures.short(searched.capacity.rate)) requests a second"
            + (searched.capacity.binding.map { " (above, \($0))" } ?? "")
        if wanted.accelerators > question.bounds.maxAccelerators {
            return Feasibility.Unfit(
                .count,
                "\(carries): \(Figures.short(rate)) take \(needed) replicas, \(wanted.accelerators) accelerators, and "
                    + "\(question.bounds.maxAccelerators) may be used.")
        }
        if let budget = question.targets.budget, wanted.usdPerHour > budget {
            return Feasibility.Unfit(
                .budget,
                "\(carries): \(Figures.short(rate)) take \(needed) replicas, \(Money.perHour(wanted.usdPerHour)), and the "
                    + "budget is \(Money.perHour(budget)).")
        }
        return nil
    }
}

/// Picks the deployments that are looked at closely: the best of each kind of merit, and the best of each accelerator.
enum ShortList {
    /// Places of the chosen ones, in the order of the list.
    static func places(of candidates: [PickCandidate], isRateGiven: Bool, size: Int) -> [Int] {
        let roles: [PlanRole] = [.lowestCost, .bestValue, .bestPerformance]
        let orders: [[Int]] = roles.compactMap { NamedPicks.ranked(for: $0, candidates, isRateGiven: isRateGiven) }
        var chosen: Set<Int> = []
        // The best of every accelerator by cost and by value: prices flip between accelerators.
        for order in orders.prefix(2) {
            var seen: Set<String> = []
            for place in order where seen.insert(candidates[place].accelerator).inserted && chosen.count < size {
                chosen.insert(place)
            }
        }
        var depth: Int = 0
        while chosen.count < min(size, candidates.count), depth < candidates.count {
            for order in orders where chosen.count < size { chosen.insert(order[depth]) }
            depth += 1
        }
        return chosen.sorted()
    }
}
