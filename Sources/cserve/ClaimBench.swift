// Places the claims' deployments from the shipped catalogue and simulates them: no constant belongs to one case.

import CServeCore
import CServeCost
import CServeScheduling
import CServeSimulator
import CServeWorkload

/// One deployment under one workload.
struct ClaimCase: Hashable {
    /// The catalogue's name of the model.
    var model: String
    /// The accelerator and how many there are in all.
    var accelerator: String
    var count: Int = 1
    /// How they are divided; what is left over makes copies.
    var tensor: Int = 1
    var pipeline: Int = 1
    /// `cserve` (with its throughput policy) or `vllm` (as it comes).
    var engine: String = "cserve"
    /// A preset's name, or fixed lengths.
    var workload: String
    /// The share of the layers' weights in host memory.
    var offloadedShare: Double = 0
    /// Other links than the catalogue's usual ones.
    var link: Interconnect?

    /// Copies of the model.
    var replicas: Int { max(1, count / (tensor * pipeline)) }
    /// `4xl4 pp4`.
    var name: String {
        let ways: [(String, Int)] = [("tp", tensor), ("pp", pipeline), ("dp", replicas)]
        return ["\(count)x\(accelerator)"].joined() + ways.filter { $0.1 > 1 }.map { " \($0.0)\($0.1)" }.joined()
    }
}

/// What a simulation at saturation, or of single requests, made of a case.
struct ClaimOutcome {
    var report: SimulationReport
    var budget: MemoryBudget
    var replicas: Int
    /// Dollars per hour of the cheapest rental; nil where nobody rents it out.
    var usdPerHour: Double?

    var outputRate: Double { report.steadyThroughput.outputTokensPerSecond }
    var totalRate: Double { report.steadyThroughput.totalTokensPerSecond }
    /// Generated tokens per dollar.
    var tokensPerUSD: Double? { usdPerHour.map { outputRate * 3600 / $0 } }
    /// Tokens that all copies have room for.
    var kvTokens: Int { budget.kvTokens * replicas }
}

/// Places and simulates cases; repeated ones are simulated once.
final class ClaimBench {
    let hardware: HardwareCatalog
    private let models: ModelCatalog
    private let curves: UtilisationLibrary
    private let workloads: WorkloadCatalog
    private var known: [ClaimCase: ClaimOutcome?] = [:]
    private let step: (String) -> Void

    init(step: @escaping (String) -> Void = { _ in }) throws {
        hardware = try Catalogs.hardware()
        models = try Catalogs.models()
        curves = try UtilisationCurves.embedded()
        workloads = try WorkloadCatalog.builtIn()
        self.step = step
    }

    func shape(_ model: String) throws -> ModelShape { try models.require(model).shape }

    /// A case with all requests there at once; nil where it does not fit.
    func saturated(_ one: ClaimCase) throws -> ClaimOutcome? {
        if let outcome = known[one] { return outcome }
        step("\(one.model) \(one.name) \(one.workload)")
        let outcome: ClaimOutcome? = try budget(one).map { budget in
            try simulate(one, budget, arrivals: .allAtOnce, requests: try saturation(one, budget))
        }
        known[one] = .some(outcome)
        return outcome
    }

    /// A case with requests that hardly ever meet; nil where it does not fit.
    func single(_ one: ClaimCase) throws -> ClaimOutcome? {
        try budget(one).map { try simulate(one, $0, arrivals: .poisson(rate: 1e-5), requests: 40) }
    }

    /// The room for keys and values; nil where the model does not fit.
    func budget(_ one: ClaimCase) throws -> MemoryBudget? {
        let placement: ReplicaPlacement = try placement(one)
        guard let memory = EngineMemory.named(one.engine, on: placement.accelerator.kind) else { return nil }
        return try? MemoryBudget(placement, engine: memory)
    }

    /// The cost model of one copy.
    func cost(_ one: ClaimCase) throws -> StepCost {
        try StepCost(try placement(one), engine: try EngineProfiles.profile(one.engine), library: curves)
    }

    private func simulate(
        _ one: ClaimCase, _ budget: MemoryBudget, arrivals: ArrivalProcess, requests: Int
    ) throws -> ClaimOutcome {
        let placement: ReplicaPlacement = try placement(one)
        let engine: EngineProfile = try EngineProfiles.profile(one.engine)
        let replica: ReplicaSpec = try ReplicaSpec(
            recipe: placement.recipe, kvBlocks: budget.kvBlocks, modelLength: placement.shape.maxPositionEmbeddings,
            timing: try cost(one)
        ).following(engine)
        var load: Workload = try workloads.workload(named: one.workload)
        load.arrivals = arrivals
        load.requests = requests
        load.seed = 1
        var options: SimulationOptions = SimulationOptions()
        options.vocabularySize = placement.shape.vocabularySize
        let report: SimulationReport = Simulator(ClusterSpec(replica, count: one.replicas), options).run(load.stream())
        return ClaimOutcome(report: report, budget: budget, replicas: one.replicas, usdPerHour: usdPerHour(one))
    }

    private func usdPerHour(_ one: ClaimCase) -> Double? {
        hardware.cheapest(one.accelerator, count: one.count, perNode: one.tensor * one.pipeline)?.usdPerHour
    }

    /// Requests enough for a steady middle: several times those that run at once.
    private func saturation(_ one: ClaimCase, _ budget: MemoryBudget) throws -> Int {
        let lengths: (mean: Double, longest: Int) = try lengths(one.workload)
        let seqs: Int = try placement(one).recipe.maxNumSeqs
        let together: Int = max(1, min(seqs, Int(Double(budget.kvTokens) / lengths.mean)))
        return max(150, 10 * together) * one.replicas
    }

    /// Mean and largest sum of a workload's prompts and answers.
    private func lengths(_ name: String) throws -> (mean: Double, longest: Int) {
        var load: Workload = try workloads.workload(named: name)
        load.arrivals = .allAtOnce
        load.requests = 1000
        let sums: [Int] = load.stream().map { $0.promptLength + $0.outputLength }
        return (Double(sums.reduce(0, +)) / Double(max(1, sums.count)), sums.max() ?? 1)
    }

    private func placement(_ one: ClaimCase) throws -> ReplicaPlacement {
        let shape: ModelShape = try shape(one.model)
        let accelerator: AcceleratorSpec = try hardware.requireAccelerator(one.accelerator)
        let engine: EngineProfile = try EngineProfiles.profile(one.engine)
        var recipe: Recipe = Recipe()
        recipe.dtype = "float16"
        recipe.gpuMemUtil = engine.defaults.memoryShare
        recipe.maxNumSeqs = engine.defaults.maxNumSeqs
        recipe.maxNumBatchedTokens = engine.defaults.maxNumBatchedTokens
        if one.engine == "cserve" { recipe.favourThroughput() }
        recipe.maxModelLen = min(shape.longestLength, (try lengths(one.workload).longest + 1023) / 1024 * 1024)
        recipe.maxNumQueuedReqs = Int(Int32.max)
        recipe.maxNumQueuedTokens = Int(Int32.max)
        let parallelism: Parallelism = Parallelism(tensor: one.tensor, pipeline: one.pipeline)
        var node: NodeSpec = try hardware.genericNode(accelerator, count: one.tensor * one.pipeline)
        if let link = one.link { node.interconnect = link }
        return ReplicaPlacement(
            shape: shape, precision: try ModelPrecision(recipe: recipe, on: accelerator), parallelism: parallelism,
            accelerator: accelerator, node: node, recipe: recipe, offloadedShare: one.offloadedShare)
    }
}

extension Recipe {
    /// Throughput-oriented scheduling: decodes and prompts fill every step, and the room for keys and values, not the number
    /// of requests, is the limit.
    fileprivate mutating func favourThroughput() {
        schedulingPolicy = SchedulingPolicy.throughput.rawValue
        maxNumSeqs = 512
    }
}
