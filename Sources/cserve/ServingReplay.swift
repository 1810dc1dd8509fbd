// Simulates a published case from the shipped catalogue and curves: nothing is fitted to its rows.

import CServeCore
import CServeCost
import CServeScheduling
import CServeSimulator
import CServeWorkload
import Foundation

/// Predicts published cases; keeps what several of them need.
struct ServingReplay {
    private let hardware: HardwareCatalog
    private let models: ModelCatalog
    private let curves: UtilisationLibrary

    init() throws {
        hardware = try Catalogs.hardware()
        models = try Catalogs.models()
        curves = try UtilisationCurves.embedded()
    }

    /// Serves a case's load.
    /// - Throws: ``ServingSkip`` where the case cannot be placed.
    func report(_ serving: ServingCase) throws -> SimulationReport {
        let engine: EngineProfile = try EngineProfiles.profile(serving.engine)
        let placement: ReplicaPlacement = try placement(serving, engine)
        let memory: EngineMemory = serving.engine == "trtllm" ? .trtllm : .vllm
        let blocks: Int
        let timing: StepCost
        do {
            blocks = try MemoryBudget(placement, engine: memory).kvBlocks
            timing = try StepCost(placement, engine: engine, library: curves)
        } catch {
            throw ServingSkip(reason: "cannot be placed: \(error)")
        }
        var replica: ReplicaSpec = try ReplicaSpec(
            recipe: placement.recipe, kvBlocks: blocks, modelLength: Int.max, timing: timing)
        replica.scheduler.policy = SchedulingPolicy(rawValue: engine.scheduler.policy) ?? .throughput
        replica.scheduler.growthReserve = engine.scheduler.reserve.policy
        var options: SimulationOptions = SimulationOptions()
        if case .clients(let clients) = serving.load { options.load = .closedLoop(clients: clients) }
        return Simulator(ClusterSpec(replica), options).run(requests(serving, replica))
    }

    private func placement(_ serving: ServingCase, _ engine: EngineProfile) throws -> ReplicaPlacement {
        let shape: ModelShape = try models.require(serving.model).shape
        let accelerator: AcceleratorSpec = try hardware.requireAccelerator(serving.accelerator)
        let length: Int = serving.promptTokens + serving.outputTokens
        var recipe: Recipe = Recipe()
        recipe.maxNumSeqs = engine.defaults.maxNumSeqs
        recipe.maxNumBatchedTokens = engine.defaults.maxNumBatchedTokens
        if case .batch(let size) = serving.load {
            recipe.maxNumSeqs = size
            // Engines for static batches are built for the batch's whole prompt.
            if serving.engine == "trtllm" {
                recipe.maxNumBatchedTokens = min(65_536, max(recipe.maxNumBatchedTokens, size * serving.promptTokens))
            }
        }
        if !engine.scheduler.chunkedPrefill {
            recipe.useChunkedPrefill = false
            recipe.maxNumBatchedTokens = max(recipe.maxNumBatchedTokens, serving.promptTokens)
        }
        recipe.maxNumBatchedTokens = max(recipe.maxNumBatchedTokens, recipe.maxNumSeqs)
        recipe.maxModelLen = length
        recipe.gpuMemUtil = engine.defaults.memoryShare
        recipe.usePrefixCaching = false
        recipe.maxNumQueuedReqs = Int(Int32.max)
        recipe.maxNumQueuedTokens = Int(Int32.max)
        if ["int4", "int8", "fp8"].contains(serving.precision) { recipe.quantization = serving.precision }
        if serving.precision == "fp8", serving.engine == "trtllm" { recipe.cacheDtype = "fp8" }
        let parallelism: Parallelism = Parallelism(
            tensor: serving.tensorParallel, pipeline: serving.pipelineParallel)
        do {
            return ReplicaPlacement(
                shape: shape, precision: try ModelPrecision(recipe: recipe, on: accelerator), parallelism: parallelism,
                accelerator: accelerator,
                node: try hardware.genericNode(accelerator, count: parallelism.tensor * parallelism.pipeline),
                recipe: recipe)
        } catch {
            throw ServingSkip(reason: "cannot be placed: \(error)")
        }
    }

    /// The requests of a load; long loads are cut where the steady window has enough of them.
    private func requests(_ serving: ServingCase, _ replica: ReplicaSpec) -> [WorkloadRequest] {
        var generator: SeededGenerator = SeededGenerator(seed: 1)
        var now: Double = 0
        let together: Int = min(
            replica.scheduler.maxNumSeqs,
            max(1, replica.scheduler.capacity / (serving.promptTokens + serving.outputTokens)))
        let count: Int =
            switch serving.load {
            case .batch(let size): size
            case .clients(let clients): min(2000, max(32, 5 * clients))
            case .rate: 500
            case .queue: min(6000, max(500, 4 * together))
            }
        return (0..<count).map { (index: Int) -> WorkloadRequest in
            if case .rate(let rate) = serving.load { now -= log(1 - generator.unit()) / rate }
            let isClosed: Bool = if case .clients = serving.load { true } else { false }
            return WorkloadRequest(
                index: index, arrival: isClosed ? nil : Nanoseconds(now * 1e9), promptLength: serving.promptTokens,
                outputLength: serving.outputTokens)
        }
    }
}

extension EngineProfile.SchedulerHabits.Reserve {
    /// The scheduler's own word.
    var policy: GrowthReservePolicy {
        switch self {
        case .adaptive: .adaptive
        case .none: .none
        case .full: .full
        }
    }
}

/// A figure of a simulation by the name that tables have for it.
enum ServingMetric {
    static let names: Set<String> = Set(kinds.keys)

    /// What a figure tells, for sums over a table.
    static func kind(_ metric: String) -> String { kinds[metric] ?? metric }

    private static let kinds: [String: String] = [
        "output_throughput": "throughput", "output_throughput_per_gpu": "throughput",
        "total_token_throughput": "throughput",
        "request_throughput": "throughput", "best_output_throughput": "throughput", "ttft": "TTFT", "mean_ttft": "TTFT",
        "median_ttft": "TTFT", "p99_ttft": "TTFT", "first_token_latency": "TTFT", "tpot": "TPOT", "mean_itl": "TPOT",
        "decode_speed_per_user": "TPOT", "batch_e2e_latency": "latency", "e2e_batch_latency": "latency",
        "e2e_median": "latency", "p90_e2e_latency": "latency",
    ]

    /// The figure, in seconds or per second.
    static func value(_ row: ServingRow, _ report: SimulationReport) -> Double? {
        let rates: Throughput = row.serving.load == .queue ? report.steadyThroughput : report.throughput
        return switch row.metric {
        case "output_throughput", "best_output_throughput": rates.outputTokensPerSecond
        case "output_throughput_per_gpu": rates.outputTokensPerSecond / Double(row.accelerators)
        case "total_token_throughput": rates.totalTokensPerSecond
        case "request_throughput": rates.requestsPerSecond
        case "ttft", "mean_ttft", "first_token_latency": report.ttft.mean / 1e3
        case "median_ttft": report.ttft.p50 / 1e3
        case "p99_ttft": report.ttft.p99 / 1e3
        case "tpot": report.tpot.mean / 1e3
        case "mean_itl": report.itl.mean / 1e3
        case "decode_speed_per_user": 1e3 / report.tpot.mean
        case "batch_e2e_latency", "e2e_batch_latency": report.e2e.max / 1e3
        case "e2e_median": report.e2e.p50 / 1e3
        case "p90_e2e_latency": report.e2e.p90 / 1e3
        default: nil
        }
    }
}
