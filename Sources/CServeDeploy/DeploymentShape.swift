// What a plan amounts to for a destination: pods, accelerators, times. Every target renders from these numbers.

import CServeCore

/// The numbers that manifests are made of.
public struct DeploymentShape: Hashable, Sendable {
    /// Copies of the model.
    public let replicas: Int
    /// The most copies that an autoscaler may run.
    public let maxReplicas: Int
    /// Accelerators of one replica: tensor-parallel ranks times stages.
    public let ranks: Int
    /// Pods of one replica; over 1 it spans nodes.
    public let podsPerReplica: Int
    /// Accelerators of one pod; 0 without GPUs.
    public let podAccelerators: Int
    /// Whether accelerators are GPUs.
    public let usesGPUs: Bool
    /// How a node's accelerators reach each other.
    public let interconnect: Interconnect.Kind
    /// Bytes of the checkpoint, at most.
    public let checkpointBytes: Int
    /// Bytes of shared memory of one pod: ranks of one pod talk through it.
    public let sharedMemoryBytes: Int
    /// Bytes of host memory of one pod, shared memory among them.
    public let memoryBytes: Int
    /// Processors of one pod.
    public let processors: Int
    /// When things start and end.
    public let times: ServingTimes
    /// Running and waiting requests of one replica at the plan's load.
    public let requestsInFlight: Int
    /// The plan's budget or price allow a figure for one replica: US dollars per hour; nil: no price.
    public let usdPerReplicaHour: Double?

    /// Derives the numbers.
    /// - Throws: ``DeployError``.
    public init(_ plan: DeploymentPlan, _ options: DeployOptions) throws(DeployError) {
        let recipe: Recipe = plan.choice.recipe
        let hardware: PlanHardware = plan.choice.hardware
        let nodeAccelerators: Int = max(1, hardware.nodes.map(\.accelerators).max() ?? 1)
        usesGPUs = !["cpu", "reference", "null"].contains(recipe.device)
        replicas = recipe.dataParallelSize
        maxReplicas = options.maxReplicas ?? replicas
        guard maxReplicas >= replicas else { throw .tooFewReplicas(most: maxReplicas, planned: replicas) }
        ranks = recipe.tensorParallelSize * recipe.pipelineParallelSize
        let perPod: Int = try Self.podRanks(recipe, nodeAccelerators)
        podsPerReplica = ranks / perPod
        podAccelerators = usesGPUs ? perPod : 0
        interconnect = hardware.nodes.max { $0.accelerators < $1.accelerators }?.interconnect ?? .none
        checkpointBytes = plan.model.parameters * (recipe.dtype == "float32" ? 4 : 2)
        // vLLM's and NCCL's buffers between the processes of a pod; a rank uses well under a gibibyte of them.
        sharedMemoryBytes = perPod << 30
        let needed: Int =
            usesGPUs ? options.hostMemoryBytes * perPod : Int(Double(hardware.memoryBytes) * recipe.gpuMemUtil)
        memoryBytes = Self.wholeMebibytes(needed) + sharedMemoryBytes
        processors = options.processors * perPod
        times = ServingTimes(plan, options, checkpointBytes: checkpointBytes)
        requestsInFlight = Self.inFlight(plan)
        usdPerReplicaHour = hardware.usdPerHour.map { $0 / Double(max(1, recipe.dataParallelSize)) }
    }

    /// The most accelerators of one pod such that tensor-parallel groups stay whole and all pods are alike.
    private static func podRanks(_ recipe: Recipe, _ nodeAccelerators: Int) throws(DeployError) -> Int {
        let (tensor, stages): (Int, Int) = (recipe.tensorParallelSize, recipe.pipelineParallelSize)
        guard tensor <= nodeAccelerators else {
            throw .tensorAcrossNodes(ranks: tensor, nodeAccelerators: nodeAccelerators)
        }
        let fitting: [Int] = (1...stages).filter { stages % $0 == 0 && $0 * tensor <= nodeAccelerators }
        return tensor * (fitting.last ?? 1)
    }

    /// Little's law at the promised rate, or what the plan saw running, whichever is more.
    private static func inFlight(_ plan: DeploymentPlan) -> Int {
        let perReplica: Double = plan.guarantee.requestRate / Double(max(1, plan.choice.recipe.dataParallelSize))
        let law: Double = perReplica * plan.choice.prediction.e2e.mean.value / 1000
        let most: Double = max(1, max(law.isFinite ? law : 0, plan.choice.prediction.load.running))
        return Int(min(most, 1_000_000).rounded(.up))
    }

    private static func wholeMebibytes(_ bytes: Int) -> Int { ((bytes + (1 << 20) - 1) >> 20) << 20 }
}

/// When an engine is ready, and how long it takes to leave.
public struct ServingTimes: Hashable, Sendable {
    /// Seconds from the start of the process to its first answer.
    public let loadSeconds: Int
    /// Seconds that a start may take before it counts as failed: three times what is foreseen.
    public let startupSeconds: Int
    /// Seconds of the longest answer that the plan allows.
    public let longestAnswerSeconds: Int
    /// Seconds that running answers get.
    public let drainSeconds: Int

    /// Seconds between a pod's removal from the endpoints and its signal: routers learn of it meanwhile. KServe's template
    /// waits as long (config-llm-template.yaml).
    public static let preStopSeconds: Int = 15
    /// Seconds between probes of a starting engine.
    public static let startupPeriod: Int = 10
    /// Seconds that cserve itself takes before it reads weights; vLLM compiles and captures graphs meanwhile.
    static func engineStart(_ engine: DeploymentEngine) -> Int { engine == .cserve ? 5 : 120 }

    /// Seconds that the whole end of a pod may take; strictly more than its parts.
    public var graceSeconds: Int { Self.preStopSeconds + drainSeconds + 15 }
    /// Probes that may fail while starting.
    public var startupProbes: Int { (startupSeconds + Self.startupPeriod - 1) / Self.startupPeriod }

    init(_ plan: DeploymentPlan, _ options: DeployOptions, checkpointBytes: Int) {
        let read: Int = Int((Double(checkpointBytes) / options.loadBandwidth).rounded(.up))
        loadSeconds = options.loadSeconds ?? (read + Self.engineStart(options.engine))
        startupSeconds = max(60, 3 * loadSeconds)
        longestAnswerSeconds = Self.longestAnswer(plan)
        drainSeconds = options.drainSeconds ?? max(30, longestAnswerSeconds)
    }

    /// A request of the full length, every token at the slow end of what is foreseen.
    private static func longestAnswer(_ plan: DeploymentPlan) -> Int {
        let prediction: PlanPrediction = plan.choice.prediction
        let first: Double = max(0, prediction.ttft.p99.high) / 1000
        let seconds: Double
        if let tokens = plan.choice.recipe.maxModelLen {
            seconds = first + Double(tokens) * max(0, prediction.tpot.p99.high) / 1000
        } else {
            seconds = max(0, prediction.e2e.max.high) / 1000
        }
        return Int(min(seconds.isFinite ? seconds : 0, 86_400).rounded(.up))
    }
}
