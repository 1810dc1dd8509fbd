// A model on this machine, loaded once: profiled, served and profiled again, in the same minutes.

import CServeCore
import CServeCost
import CServeEngine
import CServeScheduling
import CServeSimulator
import CServeWorkload

/// Profiles and serves one loaded model in turn. Owned by one task at a time.
final class MachineMeasurer: @unchecked Sendable {
    let recipe: Recipe
    let session: ProfileSession
    private let scheduler: SchedulerConfiguration

    init(_ probe: ModelProbe, recipe: Recipe, isQuick: Bool) throws {
        self.recipe = recipe
        let runner: ModelRunner = probe.runner
        scheduler = try recipe.schedulerConfiguration(
            blockCount: runner.totalBlocks, modelLength: runner.shape.lengthLimit(asked: recipe.maxModelLen),
            endTokens: [])
        session = ProfileSession(
            probe,
            grid: ProfileGrid(
                maxTokens: runner.maxBatchedTokens, maxLength: runner.maxModelLength, capacity: probe.capacity,
                maxRequests: recipe.maxNumSeqs, isQuick: isQuick))
    }

    var runner: ModelRunner { session.probe.runner }

    /// A fresh engine on the loaded model; the one before must have been closed.
    private func engine(loggedSteps: Int) throws -> Engine {
        var configuration: EngineConfiguration = EngineConfiguration(
            scheduler: scheduler, vocabularySize: runner.vocabularySize, seed: recipe.seed)
        configuration.loggedSteps = loggedSteps
        return try Engine(configuration, executor: runner)
    }

    /// Serves a workload on a fresh engine; its steps and answers.
    func serve(_ requests: [WorkloadRequest], seed: UInt64) async throws -> (answers: [LiveAnswer], steps: [StepRecord])
    {
        let engine: Engine = try engine(loggedSteps: 100_000)
        let answers: [LiveAnswer] = await LiveServing(engine, seed: seed).run(requests)
        await engine.drain()
        return (answers, engine.steps(after: 0) ?? [])
    }

    /// Short requests in batches of several sizes: what the loop adds to a step, and what sampling takes.
    func hostSteps() async throws -> [StepRecord] {
        var steps: [StepRecord] = []
        for batch in [1, 2, 4, 8, 16, 32] where batch <= recipe.maxNumSeqs {
            let requests: [WorkloadRequest] = (0..<batch).map {
                WorkloadRequest(index: $0, arrival: 0, promptLength: 16, outputLength: 24)
            }
            let run = try await serve(requests, seed: 1)
            steps += run.steps.filter { $0.prefills.isEmpty && $0.decodes == batch }
        }
        return steps
    }

    /// The simulator's answer to the same requests under a calibration.
    func simulate(
        _ requests: [WorkloadRequest], seed: UInt64, calibration: Calibration?, accelerator: AcceleratorSpec,
        engine: EngineProfile
    ) throws -> SimulationReport {
        var options: SimulationOptions = SimulationOptions()
        options.seed = seed
        options.vocabularySize = runner.vocabularySize
        options.keepsRecords = true
        let cost: StepCost = try stepCost(calibration, accelerator, engine)
        var replica: ReplicaSpec = ReplicaSpec(scheduler: scheduler, timing: cost)
        replica.scheduler.draftTokens = 0
        return Simulator(ClusterSpec(replica), options).run(requests)
    }

    /// KV blocks as planning computes them, given as much memory as the engine took them from.
    func plannedBlocks(_ accelerator: AcceleratorSpec) throws -> Int {
        var placement: ReplicaPlacement = try placement(accelerator)
        placement.recipe.kvCacheMemoryBytes = runner.plans[0].cache.bytes
        return try MemoryBudget(placement, engine: .cserveCPU).kvBlocks
    }

    /// The cost model of the loaded model.
    func stepCost(
        _ calibration: Calibration?, _ accelerator: AcceleratorSpec, _ engine: EngineProfile
    ) throws -> StepCost {
        try StepCost(try placement(accelerator), engine: engine, calibration: calibration)
    }

    private func placement(_ accelerator: AcceleratorSpec) throws -> ReplicaPlacement {
        let node: NodeSpec = NodeSpec(
            provider: "own", name: accelerator.name, accelerator: accelerator.name, count: 1,
            interconnect: Interconnect(kind: .none, link: Link(latency: 0, bandwidth: 1)))
        var precision: ModelPrecision = try ModelPrecision(recipe: recipe, on: accelerator)
        precision.weights = runner.formats.weights.standard.format
        precision.cache = runner.formats.cache
        return ReplicaPlacement(
            shape: runner.shape, precision: precision, accelerator: accelerator, node: node, recipe: recipe)
    }
}

/// What the engine's loop costs beside the forward pass, fitted to logged steps of decodes.
enum HostFit {
    /// Seconds of a step and of each of its requests: the medians by batch, a line through them.
    static func fit(_ steps: [StepRecord]) -> (step: Double, request: Double) {
        var byBatch: [Int: [Double]] = [:]
        for one in steps {
            byBatch[one.decodes, default: []].append((one.cycle - one.forward - one.sampling).seconds)
        }
        let points: [(x: Double, y: Double)] = byBatch.map { (Double($0.key), Samples($0.value).median) }
        let count: Double = Double(max(1, points.count))
        let meanX: Double = points.reduce(0) { $0 + $1.x } / count
        let meanY: Double = points.reduce(0) { $0 + $1.y } / count
        let across: Double = points.reduce(0) { $0 + ($1.x - meanX) * ($1.y - meanY) }
        let spread: Double = points.reduce(0) { $0 + ($1.x - meanX) * ($1.x - meanX) }
        let slope: Double = spread > 0 ? max(0, across / spread) : 0
        return (max(1e-7, meanY - slope * meanX), max(1e-10, slope))
    }
}
