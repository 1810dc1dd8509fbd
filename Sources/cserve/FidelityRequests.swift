// The second proof: real runs of a real server, request by request, replayed from the profiles of their GPU.

import CServeCore
import CServeCost
import CServeScheduling
import CServeSimulator
import CServeWorkload

/// Runs of servers with the times of every request.
enum FidelityRequests: FidelitySection {
    static let name: String = "requests"
    static let title: String = "Requests of real runs"

    static func markdown(_ folder: DataFolder, progress: FidelityProgress, note: inout String) throws -> String? {
        let runs: [String] = MeasuredRun.folders(in: folder)
        guard !runs.isEmpty else {
            note = "serving/ holds no folder of runs with vllm/requests.jsonl"
            return nil
        }
        var text: String = introduction
        for run in runs {
            progress.step(run)
            text += "### \(run)\n\n"
            do {
                text += try section(try MeasuredRun(run, in: folder), folder)
            } catch let reason as ReplayRefusal {
                text += "Not replayed: \(reason.description)\n\n"
            }
        }
        return text
    }

    private static let introduction: String = """
        Each request is sent when its client sent it (the clocks are aligned on the request that was taken in soonest);
        lengths are the run's own. TTFT and E2E count from the moment at which the engine takes a request in, between two
        steps, measured and predicted alike. Times come from the per-operator profile of the same GPU and model, without its
        correction for decodes of different lengths where its meta.yaml does not enable that, and from the engine's profile. The 0.05 ms of host time a step in vLLM's
        profile were set after the first two runs had been seen (docs/LOG.md): for that number they are no blind test. Goals:
        mean and P50 of TPOT and mean of E2E within 2%, mean of TTFT within 5%.


        """

    private static func section(_ run: MeasuredRun, _ folder: DataFolder) throws -> String {
        let replay: RunReplay = try RunReplay(run, folder)
        let report: SimulationReport = replay.report()
        let predicted: [RequestRecord] = report.records
        var rows: [[String]] = []
        for (metric, measured, predicted, goals) in [
            ("TTFT", run.ttft, LatencySummary(of: predicted.map { $0.firstToken - $0.taken }), ["mean": 0.05]),
            ("TPOT", run.tpot, report.tpot, ["mean": 0.02, "P50": 0.02]),
            ("E2E", run.e2e, LatencySummary(of: predicted.map { $0.end - $0.taken }), ["mean": 0.02]),
        ] as [(String, LatencySummary, LatencySummary, [String: Double])] {
            for (figure, path) in figures {
                let error: Double = predicted[keyPath: path] / measured[keyPath: path] - 1
                let goal: Double? = goals[figure]
                rows.append([
                    "\(metric) \(figure)", BenchText.figure(measured[keyPath: path]),
                    BenchText.figure(predicted[keyPath: path]), signed(error),
                    goal.map { abs(error) <= $0 ? "within \(Markdown.percent($0))" : "above \(Markdown.percent($0))" }
                        ?? "",
                ])
            }
        }
        let counts: String = " The simulation took \(report.steps) steps and preempted \(report.preemptions) times."
        return replay.description + counts + "\n\n"
            + Markdown.table(["", "measured, ms", "predicted, ms", "error", "goal"], rows) + "\n"
    }

    private static var figures: [(String, KeyPath<LatencySummary, Double>)] {
        [("mean", \.mean), ("P50", \.p50), ("P90", \.p90), ("P99", \.p99)]
    }

    private static func signed(_ share: Double) -> String { (share > 0 ? "+" : "") + Markdown.percent(share) }
}

/// Why a run cannot be replayed: the section says so and goes on.
struct ReplayRefusal: Error, CustomStringConvertible {
    var description: String
}

/// A measured run put before the simulator.
struct RunReplay: CustomStringConvertible {
    let run: MeasuredRun
    let replica: ReplicaSpec
    private let blocksAreMeasured: Bool
    private let profile: String

    /// Places the run's model on its GPU.
    /// - Throws: ``ReplayRefusal`` where model, GPU or profile is not known.
    init(_ run: MeasuredRun, _ folder: DataFolder) throws {
        self.run = run
        guard let entry = try Catalogs.models().entry(named: run.model) else {
            throw ReplayRefusal(description: "\(run.model) is not in the model catalogue.")
        }
        guard let profile = Self.profileFolder(of: run, in: folder) else {
            throw ReplayRefusal(
                description: "kernels/per_model_profiles/\(run.gpu)/\(run.model) has no profile of "
                    + "\(run.tensorParallel) rank(s).")
        }
        self.profile = profile
        let calibration: Calibration = try DataFolder.profile(folder.path + "/" + profile)
        var engine: EngineProfile = try EngineProfiles.profile("vllm")
        // The run's moments are those of the engine's core: no server lies between.
        (engine.host.ingress, engine.host.ingressPerToken, engine.host.egress) = (0, 0, 0)
        if let ahead = run.schedulesAhead { engine.scheduler.schedulesAhead = ahead }
        let placement: ReplicaPlacement = try Self.placement(run, entry.shape)
        let timing: StepCost = try StepCost(placement, engine: engine, calibration: calibration)
        blocksAreMeasured = run.kvBlocks != nil
        let blocks: Int = try run.kvBlocks ?? MemoryBudget(placement, engine: .vllm).kvBlocks
        var replica: ReplicaSpec = try ReplicaSpec(
            recipe: placement.recipe, kvBlocks: blocks, modelLength: entry.shape.maxPositionEmbeddings, timing: timing)
        replica.scheduler.policy = .throughput
        self.replica = replica.following(engine)
    }

    /// What the simulator makes of the run's requests.
    func report() -> SimulationReport {
        var options: SimulationOptions = SimulationOptions()
        options.vocabularySize = 32_000
        options.keepsRecords = true
        return Simulator(ClusterSpec(replica), options).run(run.workload)
    }

    var description: String {
        let blocks: String = blocksAreMeasured ? "as the run reported" : "as the memory budget gives them"
        return
            "\(run.requests.count) requests, \(run.model) on \(run.tensorParallel)x \(run.gpu), vLLM \(run.version), "
            + "\(replica.scheduler.blockCount) KV blocks (\(blocks)), \(run.maxNumSeqs) requests and "
            + "\(run.maxNumBatchedTokens) tokens a step at most; profile `\(profile)`."
    }

    private static func profileFolder(of run: MeasuredRun, in folder: DataFolder) -> String? {
        let root: String = "kernels/per_model_profiles/\(run.gpu)/\(run.model)"
        let variants: [String] = folder.files(root, suffix: "")
        let wanted: [String] = run.precision == "bfloat16" ? ["bf16"] : [run.precision, "bf16"]
        let order: [String] = variants.sorted {
            (wanted.firstIndex(of: $0.lastName) ?? 9) < (wanted.firstIndex(of: $1.lastName) ?? 9)
        }
        return order.first { folder.has($0 + "/tp\(run.tensorParallel)/attention.csv") }
    }

    /// The GPU as the catalogue knows it; one that it does not know is described by what the run says of it.
    private static func placement(_ run: MeasuredRun, _ shape: ModelShape) throws -> ReplicaPlacement {
        let catalog: HardwareCatalog = try Catalogs.hardware()
        var accelerator: AcceleratorSpec
        if let known = catalog.accelerator(named: run.gpu) {
            accelerator = known
        } else {
            guard let bytes = run.memoryBytes, let bandwidth = run.memoryBandwidth else {
                throw ReplayRefusal(
                    description: "\(run.gpu) is not in the hardware catalogue, and config.json says nothing.")
            }
            accelerator = AcceleratorSpec(
                name: run.gpu.lowercased(), title: run.gpu, architecture: "unknown", memoryBytes: bytes,
                memoryBandwidth: bandwidth, peaks: [.bfloat16: 100e12, .float16: 100e12])
        }
        if let bytes = run.deviceBytes { accelerator.memoryBytes = bytes }
        var recipe: Recipe = Recipe()
        recipe.maxNumSeqs = run.maxNumSeqs
        recipe.maxNumBatchedTokens = run.maxNumBatchedTokens
        recipe.maxModelLen = run.maxModelLength ?? shape.maxPositionEmbeddings
        recipe.blockSize = run.blockSize
        recipe.gpuMemUtil = run.memoryShare
        recipe.tensorParallelSize = run.tensorParallel
        recipe.maxNumQueuedReqs = Int(Int32.max)
        recipe.maxNumQueuedTokens = Int(Int32.max)
        // Requests share no text here (ShareGPT's share next to nothing), but one that was preempted finds its own again.
        recipe.usePrefixCaching = run.usesPrefixes
        let node: NodeSpec = try catalog.genericNode(accelerator, count: run.tensorParallel)
        return ReplicaPlacement(
            shape: shape, precision: ModelPrecision(.bfloat16),
            parallelism: Parallelism(tensor: run.tensorParallel, pipeline: 1), accelerator: accelerator, node: node,
            recipe: recipe)
    }
}

extension String {
    /// A path's last component.
    fileprivate var lastName: String { split(separator: "/").last.map(String.init) ?? self }
}
