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
        let binding: String = searched.capacity.binding ?? "it carries nothing"
        let most: Int = mostReplicas(searched.replica)
        guard let rate = question.targets.requestRate else {
            guard each > 0 else { return .failure(Feasibility.Unfit(.targets, "At any rate, \(binding).")) }
            let counts: [Int] = most > 1 ? [1, most] : [1]
            return .success(counts.map { deployment(searched.replica, replicas: $0, capacity: Double($0) * each) })
        }
        guard let needed = searched.capacity.replicas else {
            return .failure(
                Feasibility.Unfit(
                    .targets,
                    "With \(most) \(most == 1 ? "replica" : "replicas"), as many as may be used, at "
                        + "\(Figures.short(rate)) requests a second \(binding)."))
        }
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
}

/// Picks the deployments that are looked at closely: the best of each kind of merit, and the best of each accelerator.
enum ShortList {
    /// Places of the chosen ones, in the order of the list.
    /// - Parameter kinds: by place; of deployments of one kind (the same hardware, division and types) only the best by each
    ///   merit are chosen, so that settings do not crowd hardware out.
    static func places(
        of candidates: [PickCandidate], kinds: [String], isRateGiven: Bool, size: Int
    ) -> [Int] {
        let roles: [PlanRole] = [.lowestCost, .bestValue, .bestPerformance]
        let orders: [[Int]] = roles.compactMap { (role: PlanRole) -> [Int]? in
            var seen: Set<String> = []
            return NamedPicks.ranked(for: role, candidates, isRateGiven: isRateGiven)?
                .filter { seen.insert(kinds[$0]).inserted }
        }
        var chosen: Set<Int> = Set(orders.compactMap(\.first))
        // The best of every accelerator by cost: prices flip between accelerators.
        var seen: Set<String> = Set(chosen.map { candidates[$0].accelerator })
        for place in orders.first ?? [] where chosen.count < size {
            if seen.insert(candidates[place].accelerator).inserted { chosen.insert(place) }
        }
        var depth: Int = 1
        while chosen.count < size, orders.contains(where: { depth < $0.count }) {
            for order in orders where depth < order.count && chosen.count < size { chosen.insert(order[depth]) }
            depth += 1
        }
        return chosen.sorted()
    }
}
