// Searches capacities family by family: settings matter less than hardware, so most of them need not be simulated.
import CServeCore
import CServeSimulator

/// Searches options of the same hardware, division and types together.
struct FamilySearch: Sendable {
    let planner: Planner
    let sample: RequestSample

    /// A family whose first setting costs so many times the best is left at that.
    static let behind: Double = 1.5

    /// Capacities of the options that were simulated; the others are logged with their reasons.
    func search(_ options: [FeasibleReplica], _ log: inout SearchLog) -> [Searched] {
        var families: [String: [Int]] = [:]
        for place in options.indices { families[options[place].option.family, default: []].append(place) }
        let firsts: [Int] = families.values.compactMap(\.first).sorted()
        var found: [Int: Searched] = [:]
        run(firsts, options, "search", &found)
        let best: Merit = found.values.map { merit($0) }.reduce(Merit(), Merit.better)
        var rest: [Int] = []
        for first in firsts {
            guard let searched = found[first], let others = families[options[first].option.family]?.dropFirst() else {
                continue
            }
            for place in others {
                if let reason = reason(against: searched, best) {
                    log.reject(options[place].option.name(), .behind, reason)
                } else if let limit = unreached(options[place], searched) {
                    log.reject(options[place].option.name(), .same, limit)
                } else {
                    rest.append(place)
                }
            }
        }
        run(rest, options, "settings", &found)
        return found.keys.sorted().compactMap { found[$0] }
    }

    private func run(
        _ places: [Int], _ options: [FeasibleReplica], _ phase: String, _ found: inout [Int: Searched]
    ) {
        let question: PlanQuestion = planner.question
        let search = CapacitySearch(
            probe: planner.probe, sample: sample,
            bisection: RateBisection(tolerance: 0.15, probes: 6, growth: 1.5),
            requests: question.effort.searchRequests, seed: question.seed)
        let capacities = planner.map(phase, places) { (place: Int) -> Capacity in
            guard let rate = question.targets.requestRate else { return search.capacity(of: options[place]) }
            let most: Int = planner.sizing.mostReplicas(options[place])
            return search.fewest(of: options[place], rate: rate, most: most)
        }
        for (place, capacity) in zip(places, capacities) {
            found[place] = Searched(replica: options[place], capacity: capacity)
        }
    }

    // MARK: What is worth more

    /// How good options are at best: dollars, dollars per rate, slowness.
    private struct Merit {
        var cost: Double = .infinity
        var costPerRate: Double = .infinity
        var slowness: Double = .infinity

        static func better(_ left: Merit, _ right: Merit) -> Merit {
            Merit(
                cost: min(left.cost, right.cost), costPerRate: min(left.costPerRate, right.costPerRate),
                slowness: min(left.slowness, right.slowness))
        }
    }

    private func merit(_ searched: Searched) -> Merit {
        guard case .success(let deployments) = planner.sizing.deployments(searched) else { return Merit() }
        var merit = Merit()
        for one in deployments {
            merit = Merit.better(
                merit,
                Merit(
                    cost: one.usdPerHour, costPerRate: one.usdPerHour / max(one.capacity, 1e-9),
                    slowness: searched.slowness(planner.question)))
        }
        return merit
    }

    /// Why a family's other settings are not tried; nil: they are.
    private func reason(against first: Searched, _ best: Merit) -> String? {
        guard first.capacity.rate > 0 else { return nil }
        let own: Merit = merit(first)
        let ratios: [Double] = [own.cost / best.cost, own.costPerRate / best.costPerRate, own.slowness / best.slowness]
        let least: Double = ratios.filter(\.isFinite).min() ?? 1
        guard least > Self.behind else { return nil }
        return "\(first.replica.option.name()) is \(Figures.short(least)) times the best in cost, cost per request and "
            + "latency, or worse; its other settings were not tried."
    }

    /// Why an option is the same as one that was searched: both differ in a limit that was not reached.
    private func unreached(_ option: FeasibleReplica, _ first: Searched) -> String? {
        var settings: Recipe = option.placement.recipe
        let reference: Recipe = first.replica.placement.recipe
        settings.maxNumSeqs = reference.maxNumSeqs
        guard settings == reference, option.placement.recipe.maxNumSeqs > reference.maxNumSeqs else { return nil }
        let running: Double =
            first.capacity.probes.filter(\.passes).map { probe -> Double in
                let time: Double = (probe.report.e2e.mean - probe.report.queueTime.mean) / 1000
                return probe.report.throughput.requestsPerSecond * time
            }.max() ?? .infinity
        guard running < 0.5 * Double(reference.maxNumSeqs) else { return nil }
        return "\(Int(running)) requests run at once on average, so \(option.placement.recipe.maxNumSeqs) in place of "
            + "\(reference.maxNumSeqs) changes nothing."
    }
}
