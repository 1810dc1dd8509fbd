// One deployment under one load or several: what `cserve simulate` shows.
import CServeCore
import CServeCost
import CServeSimulator

/// A deployment that somebody has chosen, simulated at given loads.
public struct LoadSweep: Sendable {
    private let planner: Planner
    private let deployment: Deployment
    private let sample: RequestSample

    /// Puts a recipe on hardware.
    /// - Parameters:
    ///   - question: model, workload, targets, engine; its bounds are not used but for the longest request.
    ///   - hardware: machines; they must hold `tensor * pipeline * data` accelerators.
    ///   - recipe: settings and sizes; a length that is not given becomes what the workload needs.
    /// - Throws: ``PlanError``, with what binds.
    public init(
        _ question: PlanQuestion, on hardware: HardwareChoice, recipe: Recipe,
        progress: @escaping @Sendable (PlanProgress) -> Void = { _ in }
    ) throws(PlanError) {
        planner = Planner(question, origin: PlanOrigin(generator: "", date: ""), progress: progress)
        try question.check()
        let sample: RequestSample = try planner.sample()
        self.sample = sample
        let option = ReplicaOption(hardware, recipe, question, longest: sample.longest)
        let needed: Int = option.accelerators * recipe.dataParallelSize
        guard needed <= hardware.accelerators else {
            throw .tooFewAccelerators(hardware: hardware.name, has: hardware.accelerators, needed: needed)
        }
        switch Feasibility(question: question, memory: nil).check(option) {
        case .failure(let unfit): throw .cannotRun(option: hardware.name, reason: unfit.message)
        case .success(let replica):
            var deployment = Deployment(replica, replicas: recipe.dataParallelSize, catalog: question.catalog)
            deployment.take(hardware, catalog: question.catalog)
            self.deployment = deployment
        }
    }

    /// What the times rest on: a calibration with its interval, or the weakest evidence.
    public var basis: String {
        let cost: StepCost = deployment.replica.cost
        guard let calibration = cost.calibration else {
            return "Nothing was measured on the hardware itself; the weakest evidence is: \(cost.weakestEvidence.name)."
        }
        if let note = calibration.note { return note }
        let range: ErrorInterval = calibration.interval
        let (low, high) = (Share.percent(range.low), Share.percent(range.high))
        let kind: String = calibration.profiles.isEmpty ? "fitted" : cost.weakestEvidence.name
        return "Times: \(kind) (\(calibration.title), \(calibration.date)), steps within \(low) to +\(high)."
    }

    /// Loads worth looking at: shares of a first estimate of the capacity, up to beyond it.
    public var loads: [Double] {
        let model = FluidModel(deployment.replica, sample)
        let most: Double = (model.fastest(tokenTime: .infinity) ?? model.state(running: 1)).rate
        return [0.1, 0.25, 0.4, 0.55, 0.7, 0.8, 0.9, 1, 1.1].map { $0 * most * Double(deployment.replicas) }
    }

    /// Simulates every load.
    /// - Parameter loads: a closed loop's requests per second are those that were served.
    /// - Returns: one option per load, in their order, each with what misses the targets (nil: they are kept).
    public func run(_ loads: [OfferedLoad]) -> [(option: PlanOption, binding: String?)] {
        let confirmation = Confirmation(probe: planner.probe, sample: sample)
        let seeds: Int = planner.question.effort.finalSeeds
        let runs: [(OfferedLoad, Int)] = loads.flatMap { load in (0..<seeds).map { (load, $0) } }
        let reports = planner.map("simulate", runs) { confirmation.run(deployment, $0.0, seed: $0.1) }
        let writer = PlanWriter(question: planner.question, origin: planner.origin, sample: sample)
        return loads.indices.map { (place: Int) -> (option: PlanOption, binding: String?) in
            let own = Array(reports[(place * seeds)..<((place + 1) * seeds)])
            let rate: Double = if case .rate(let rate) = loads[place] { rate } else { .infinity }
            let confirmed: Confirmed = confirmation.sum(deployment, rate: rate, own)
            return (writer.option(confirmed, roles: []), confirmed.binding)
        }
    }
}

extension ReplicaOption {
    /// A chosen option.
    init(_ hardware: HardwareChoice, _ recipe: Recipe, _ question: PlanQuestion, longest: Int) {
        var recipe: Recipe = recipe
        recipe.model = question.model
        let needed: Int = (longest + 1023) / 1024 * 1024
        if recipe.maxModelLen == nil { recipe.maxModelLen = min(needed, question.shape.longestLength) }
        let parallelism = Parallelism(tensor: recipe.tensorParallelSize, pipeline: recipe.pipelineParallelSize)
        let layers: Double = Double(question.shape.layers)
        placement = ReplicaPlacement(
            shape: question.shape, precision: ModelPrecision(.bfloat16), parallelism: parallelism,
            accelerator: hardware.accelerator, node: hardware.node, recipe: recipe,
            offloadedShare: min(1, max(0, recipe.offloadingNum / layers)))
        perNode = min(parallelism.tensor * parallelism.pipeline, hardware.node.count)
        rental = nil
    }
}

extension Deployment {
    /// Lies on chosen machines; their price is the chosen instance's, or the cheapest rental's.
    mutating func take(_ hardware: HardwareChoice, catalog: HardwareCatalog) {
        guard hardware.node.usdPerHour == nil else {
            nodes = [Machines.nodes(of: hardware.node, count: hardware.nodes)]
            usdPerHour = hardware.usdPerHour ?? .infinity
            return
        }
        let rental: Rental? = catalog.cheapest(
            hardware.accelerator.name, count: accelerators, perNode: replica.option.perNode)
        nodes =
            rental?.items.map { Machines.nodes(of: $0.node, count: $0.count) }
            ?? [Machines.nodes(of: hardware.node, count: hardware.nodes)]
        usdPerHour = rental?.usdPerHour ?? .infinity
    }
}
