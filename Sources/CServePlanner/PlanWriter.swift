// Puts what was found into a plan.
import CServeCore
import CServeCost
import CServeWorkload

/// What a plan says of where it comes from; the planner itself knows neither files nor clocks.
public struct PlanOrigin: Hashable, Sendable {
    /// The program and its version.
    public var generator: String
    /// The day of planning.
    public var date: String
    /// Digests by name: catalogue, curves, calibration.
    public var digests: [String: String]
    /// The calibration's file and date.
    public var calibration: Provenance?
    /// Which pick becomes the plan's choice; nil: the lowest cost with a demanded rate, the best value without.
    public var pick: PlanRole?

    /// States an origin.
    public init(
        generator: String, date: String, digests: [String: String] = [:], calibration: Provenance? = nil,
        pick: PlanRole? = nil
    ) {
        self.generator = generator
        self.date = date
        self.digests = digests
        self.calibration = calibration
        self.pick = pick
    }
}

/// What the planner found.
public struct PlanResult: Sendable {
    /// The plan; nil: nothing fits.
    public var plan: DeploymentPlan?
    /// Where nothing fits: what comes nearest.
    public var nearest: [PlanNearest]
    /// Every option that was left out.
    public var rejected: [PlanRejection]
    /// Every simulated load.
    public var points: [PlanPoint]
    /// Options that were looked at.
    public var options: Int
    /// Options that were simulated.
    public var simulated: Int
}

/// An option that does not meet the demands, but comes near.
public struct PlanNearest: Hashable, Codable, Sendable {
    /// The deployment's name: as much as may be used.
    public var option: String
    /// US dollars per hour; nil: unknown.
    public var usdPerHour: Double?
    /// Requests per second that it carries within the targets.
    public var carries: Double
    /// What binds.
    public var binding: String
    /// What it would take.
    public var remedy: String?

    /// JSON names carry the units.
    public enum CodingKeys: String, CodingKey {
        case option
        case usdPerHour = "usd_per_hour"
        case carries = "carries_requests_per_s"
        case binding
        case remedy
    }
}

/// Writes plans.
struct PlanWriter: Sendable {
    let question: PlanQuestion
    let origin: PlanOrigin
    let sample: RequestSample

    func result(_ standings: Standings, fleet: PlanFleet?, _ log: SearchLog) -> PlanResult {
        let preferred: PlanRole = origin.pick ?? (standings.isRateGiven ? .lowestCost : .bestValue)
        let order: [Int] = standings.order
        let chosen: Int = standings.places[preferred] ?? order[0]
        let plan = DeploymentPlan(
            model: model, choice: option(chosen, standings), workload: workload, targets: question.targets,
            guarantee: guarantee(standings.confirmed[chosen]), alternatives: order.map { option($0, standings) },
            rejected: log.rejected, mixedFleet: fleet, sensitivity: sensitivity(standings, chosen),
            provenance: provenance(standings, log))
        return PlanResult(
            plan: plan, nearest: [], rejected: log.rejected, points: log.points, options: log.options,
            simulated: log.simulated)
    }

    private var model: PlanModel {
        let json: JSONValue = (try? JSONValue(encoding: question.shape)) ?? .null
        return PlanModel(
            name: question.model, parameters: question.shape.parameterCount,
            activeParameters: question.shape.activeParameterCount,
            digest: SHA256.hexadecimal(of: json.serialized(.init(sortKeys: true))))
    }

    private var workload: PlanWorkload {
        let shared: String = sample.sharesPrefixes ? ", shared beginnings" : ""
        let text: String =
            "prompts of \(Figures.short(sample.meanPrompt)) and answers of "
            + "\(Figures.short(sample.meanOutput)) tokens on average, at most \(sample.longest) together\(shared)"
        return PlanWorkload(
            name: question.workload.name, description: text, digest: question.workload.digest,
            meanPromptTokens: sample.meanPrompt, meanOutputTokens: sample.meanOutput,
            definition: question.workload.json)
    }

    private func option(_ place: Int, _ standings: Standings) -> PlanOption {
        option(standings.confirmed[place], roles: standings.roles[place])
    }

    /// A confirmed deployment as plans have it.
    func option(_ confirmed: Confirmed, roles: [PlanRole]) -> PlanOption {
        let deployment: Deployment = confirmed.deployment
        var recipe: Recipe = deployment.replica.placement.recipe
        recipe.dataParallelSize = deployment.replicas
        let accelerator: AcceleratorSpec = deployment.replica.placement.accelerator
        recipe.device = accelerator.kind == .cpu ? "cpu" : "cuda"
        let hardware = PlanHardware(
            accelerator: accelerator.name, title: accelerator.title, accelerators: deployment.accelerators,
            memoryBytes: accelerator.memoryBytes, nodes: deployment.nodes, labels: accelerator.labels)
        return PlanOption(
            name: deployment.name, roles: roles, recipe: recipe, hardware: hardware,
            prediction: confirmed.prediction, breakdown: confirmed.breakdown)
    }

    private func guarantee(_ chosen: Confirmed) -> PlanGuarantee {
        let objective: ServiceLevelObjective = question.targets.objective
        let holds: Bool = objective.targets.allSatisfy { (target: LatencyTarget) -> Bool in
            let high: Double? = chosen.prediction.latency(target.metric).value(target.statistic)?.high
            return (high ?? 0) * 1e6 <= Double(target.limit)
        }
        return PlanGuarantee(
            requestRate: chosen.prediction.requestRate, objective: objective, goodput: question.targets.goodput,
            holdsOverInterval: holds)
    }

    private func sensitivity(_ standings: Standings, _ chosen: Int) -> PlanSensitivity {
        let roles: [PlanRole] = [.lowestCost, .bestValue]
        let flips: [PlanSensitivity.Flip] = roles.flatMap { (role: PlanRole) -> [PlanSensitivity.Flip] in
            NamedPicks.flips(of: role, in: standings.candidates, isRateGiven: standings.isRateGiven).map {
                PlanSensitivity.Flip(
                    option: standings.confirmed[$0.place].deployment.name, role: role, ratioNow: $0.ratioNow,
                    ratioAtFlip: $0.ratioAtFlip)
            }
        }
        let room: Double? = question.targets.requestRate.map {
            standings.confirmed[chosen].deployment.capacity / $0 - 1
        }
        return PlanSensitivity(flips: flips, headRoom: room)
    }

    private func provenance(_ standings: Standings, _ log: SearchLog) -> PlanProvenance {
        var digests: [String: String] = origin.digests
        digests["workload"] = question.workload.digest
        return PlanProvenance(
            generator: origin.generator, date: origin.date, seed: question.seed, engine: question.engine.name,
            digests: digests, calibration: origin.calibration, options: log.options, simulated: log.simulated,
            notes: notes(standings))
    }

    private func notes(_ standings: Standings) -> [String] {
        var notes: [String] = []
        if sample.beyondLimit > 0 {
            notes.append(
                "\(sample.beyondLimit) of \(sample.count + sample.beyondLimit) requests are longer than the model allows; "
                    + "they are refused.")
        }
        let calibrations: [Calibration?] = standings.confirmed.map(\.deployment.replica.cost.calibration)
        for note in Set(calibrations.compactMap { $0?.note }).sorted() { notes.append(note) }
        if calibrations.contains(where: { $0 == nil }) {
            notes.append(
                "Nothing was measured on the hardware itself: latencies are given with an error of 15% either way. "
                    + "cserve profile or cserve calibrate narrows it.")
        }
        var weak: [String: Set<String>] = [:]
        for one in standings.confirmed {
            let kind: EvidenceKind = one.deployment.replica.cost.weakestEvidence
            if kind >= .extrapolated {
                weak[one.deployment.replica.placement.accelerator.title, default: []].insert(kind.name)
            }
        }
        for (title, kinds) in weak.sorted(by: { $0.key < $1.key }) {
            notes.append("Times on \(title) rest in part on: \(kinds.sorted().joined(separator: ", ")).")
        }
        return notes
    }
}
