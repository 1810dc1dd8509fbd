// Plans to render: whole ones, as the planner writes them, with the fields that deployment reads set by the test.

import CServeCore
import CServeDeploy

enum PlanFixture {
    /// The label that clouds use, by accelerator (kubeai values-gke.yaml, NVIDIA's GPU feature discovery).
    static let labels: [String: [String: String]] = [
        "l4": ["nvidia.com/gpu.product": "NVIDIA-L4", "cloud.google.com/gke-accelerator": "nvidia-l4"],
        "a10g": ["nvidia.com/gpu.product": "NVIDIA-A10G"],
        "a100-40": [
            "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-40GB", "cloud.google.com/gke-accelerator": "nvidia-tesla-a100",
        ],
        "h100": [
            "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3", "cloud.google.com/gke-accelerator": "nvidia-h100-80gb",
        ],
    ]

    /// Bytes of memory by accelerator, as the hardware catalogue has them.
    static let memory: [String: Int] = [
        "l4": 23_654_532_382, "a10g": 23_654_532_382, "a100-40": 42_402_064_629, "h100": 85_028_896_768,
    ]

    static func latency(_ milliseconds: Double) -> PlanLatency {
        PlanLatency { _ in PlanEstimate(milliseconds, low: milliseconds * 0.9, high: milliseconds * 1.1) }
    }

    /// A plan for a model of 8 billion weights unless told otherwise.
    static func plan(
        tensor: Int = 1, stages: Int = 1, replicas: Int = 2, accelerator: String = "a100-40", provider: String = "gcp",
        instance: String = "a2-highgpu-4g", nodeAccelerators: Int = 4, interconnect: Interconnect.Kind = .nvswitch,
        parameters: Int = 8_030_261_248, slo: String = "ttft:p99<2s,tpot:p95<100ms", budget: Double? = nil,
        device: String = "cuda", quantization: String? = nil, maxModelLen: Int? = 8192
    ) throws -> DeploymentPlan {
        var recipe = Recipe()
        recipe.model = "llama-3-8b"
        recipe.tensorParallelSize = tensor
        recipe.pipelineParallelSize = stages
        recipe.dataParallelSize = replicas
        recipe.maxModelLen = maxModelLen
        recipe.device = device
        recipe.quantization = quantization
        let total: Int = tensor * stages * replicas
        let nodes = PlanNodes(
            provider: provider, instance: instance, count: (total + nodeAccelerators - 1) / nodeAccelerators,
            accelerators: nodeAccelerators, interconnect: interconnect, usdPerHour: 10, region: "us-central1")
        let hardware = PlanHardware(
            accelerator: accelerator, title: "NVIDIA \(accelerator)", accelerators: total,
            memoryBytes: memory[accelerator] ?? 0, nodes: [nodes], labels: labels[accelerator] ?? [:])
        let objective = try ServiceLevelObjective(parsing: slo)
        return DeploymentPlan(
            model: PlanModel(name: "llama-3-8b", parameters: parameters, activeParameters: parameters, digest: "6980"),
            choice: PlanOption(
                name: "\(total)x\(accelerator) tp\(tensor) pp\(stages)", roles: [.lowestCost], recipe: recipe,
                hardware: hardware, prediction: prediction),
            workload: PlanWorkload(
                name: "chat", description: "chat", digest: "0376", meanPromptTokens: 1157, meanOutputTokens: 210),
            targets: PlanTargets(requestRate: 10, objective: objective, budget: budget),
            guarantee: PlanGuarantee(requestRate: 10, objective: objective, holdsOverInterval: true),
            provenance: PlanProvenance(generator: "cserve 0.1.0", date: "2026-11-25", seed: 0, engine: "cserve"))
    }

    private static var prediction: PlanPrediction {
        PlanPrediction(
            requestRate: 10, ttft: latency(400), tpot: latency(30), itl: latency(40), e2e: latency(4500),
            requestThroughput: PlanEstimate(10), inputThroughput: PlanEstimate(11570),
            outputThroughput: PlanEstimate(2100),
            goodput: PlanEstimate(1), capacity: 12, cost: PlanCost(perHour: 20),
            load: PlanLoad(running: 11, kvTokens: 159_872),
            method: PlanMethod(requests: 600, seeds: 2))
    }

    static let digest: String = "@sha256:" + String(repeating: "0123456789abcdef", count: 4)
    static let commit: String = "0e9e39f249a16976918f6564b8830bc894c89659"

    /// Options with which a rendering has nothing to be found: image and model are pinned.
    static func options(_ target: DeploymentTarget, _ engine: DeploymentEngine = .cserve) throws -> DeployOptions {
        var options = DeployOptions(target: target, engine: engine)
        options.image = "registry.example/\(engine.rawValue)" + digest
        options.fetchImage = "registry.example/cserve" + digest
        options.model = try HubModel(parsing: "meta-llama/Llama-3.1-8B-Instruct@" + commit)
        options.zone = "us-central1-c"
        return options
    }
}
