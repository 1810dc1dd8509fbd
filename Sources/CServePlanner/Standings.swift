// Who stands where: the picks, the frontier and the sweet spot among the confirmed deployments.
import CServeCore
import CServeCost
import CServeSimulator

extension Deployment {
    /// Reduced to what picks are chosen by.
    func pick(slowness: Double) -> PickCandidate {
        PickCandidate(
            accelerator: replica.placement.accelerator.name, usdPerAccelerator: usdPerAccelerator,
            usdPerHour: usdPerHour, accelerators: accelerators, slowness: slowness, capacity: capacity)
    }
}

extension Searched {
    /// How slow one replica is at its share of the load, by the nearest probe that passed.
    func slowness(_ question: PlanQuestion) -> Double {
        let passing = capacity.probes.filter(\.passes)
        let share: Double = (question.targets.requestRate ?? capacity.rate)
        let replicas: Double = max(1, (share / max(1e-9, capacity.rate) - 1e-9).rounded(.up))
        let load: Double = share / replicas
        let nearest = passing.min { abs($0.load.rate - load) < abs($1.load.rate - load) }
        guard let report = nearest?.report else { return .infinity }
        return question.targets.objective.worst(in: report)?.share ?? report.e2e.mean
    }
}

/// Confirmed deployments with their roles.
struct Standings: Sendable {
    let confirmed: [Confirmed]
    let candidates: [PickCandidate]
    let isRateGiven: Bool
    /// By place: what each stands out for.
    private(set) var roles: [[PlanRole]]
    /// By role: the place.
    private(set) var places: [PlanRole: Int] = [:]

    init(_ confirmed: [Confirmed], _ question: PlanQuestion) {
        self.confirmed = confirmed
        let isRateGiven: Bool = question.targets.requestRate != nil
        self.isRateGiven = isRateGiven
        candidates = confirmed.map { $0.deployment.pick(slowness: $0.slowness(question.targets.objective)) }
        roles = Array(repeating: [], count: confirmed.count)
        for role in [PlanRole.bestPerformance, .lowestCost, .bestValue] {
            give(role, NamedPicks.place(of: role, in: candidates, isRateGiven: isRateGiven))
        }
        let points: [OperatingPoint] = confirmed.indices.map { (place: Int) -> OperatingPoint in
            Self.point(confirmed[place], place, question)
        }
        give(.sweetSpot, EfficientFrontier.sweetSpot(of: points))
        for place in EfficientFrontier.places(of: points) { roles[place].append(.frontier) }
    }

    private mutating func give(_ role: PlanRole, _ place: Int?) {
        guard let place else { return }
        roles[place].append(role)
        places[role] = place
    }

    /// Throughput is what the deployment carries within the targets; latency is that of the first target, or the mean E2E.
    private static func point(_ one: Confirmed, _ place: Int, _ question: PlanQuestion) -> OperatingPoint {
        let prediction: PlanPrediction = one.prediction
        let perRequest: Double = prediction.outputThroughput.value / max(1e-9, prediction.requestThroughput.value)
        let carried: Double = max(one.deployment.capacity, prediction.requestThroughput.value)
        let target: LatencyTarget? = question.targets.objective.targets.first
        let latency: Double? = target.flatMap { prediction.latency($0.metric).value($0.statistic)?.value }
        return OperatingPoint(
            deployment: place, requestRate: prediction.requestRate, throughput: carried * perRequest,
            latency: latency ?? prediction.e2e.mean.value, usdPerHour: one.deployment.usdPerHour, meetsTargets: true)
    }

    /// All places, those with roles first: picks, sweet spot, frontier, then by cost.
    var order: [Int] {
        let rank: [PlanRole: Int] = [
            .lowestCost: 0, .bestValue: 1, .bestPerformance: 2, .sweetSpot: 3, .frontier: 4,
        ]
        func key(_ place: Int) -> (Int, Double, Int) {
            (roles[place].compactMap { rank[$0] }.min() ?? 5, candidates[place].usdPerHour, place)
        }
        return confirmed.indices.sorted { key($0) < key($1) }
    }
}
