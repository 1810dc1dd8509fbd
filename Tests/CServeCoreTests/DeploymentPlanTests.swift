// plan.json: what is written is read again, and what is broken is refused with its place.

import CServeCore
import Testing

@Suite("Deployment plans")
struct DeploymentPlanTests {
    @Test("a plan comes back as it was")
    func roundTrip() throws {
        let plan = try Self.plan()
        let bytes = plan.json.serialized(.pretty)
        #expect(try DeploymentPlan.read(bytes, file: "plan.json") == plan)
        #expect(try DeploymentPlan.read(bytes, file: "plan.json").json.serialized(.pretty) == bytes)
    }

    @Test("the recipe, the hardware and the prediction stand at the top, by their public names")
    func layout() throws {
        let json = try Self.plan().json
        #expect(json["schema_version"] == 1)
        #expect(json["recipe"]?["pipeline_parallel_size"] == 2)
        #expect(json["hardware"]?["nodes"]?[0]?["instance"] == "g6.12xlarge")
        #expect(json["prediction"]?["ttft"]?["p99_ms"]?["high"] == 930.0)
        #expect(json["guarantee"]?["request_rate_per_s"] == 4.0)
        #expect(json["rejected"]?[0]?["reason"] == "memory")
    }

    @Test("another version, another file and broken fields are refused with their place")
    func refusals() throws {
        func refuse(_ key: String, _ value: JSONValue?, _ expected: DeploymentPlanError) throws {
            guard case .object(var object) = try Self.plan().json else { return }
            object[key] = value
            let bytes = JSONValue.object(object).serialized()
            #expect(throws: expected) { try DeploymentPlan.read(bytes, file: "p.json") }
        }
        try refuse("schema_version", 2, .unknownVersion(file: "p.json", found: "2", known: 1))
        try refuse("schema_version", nil, .notAPlan(file: "p.json"))
        let wrong = JSONFieldError.wrongType(file: "p.json", field: "model", expected: "an object", found: "integer")
        try refuse("model", 7, .field(wrong))
        try refuse("guarantee", nil, .field(.missing(file: "p.json", field: "guarantee")))
        #expect(throws: DeploymentPlanError.self) { try DeploymentPlan.read([0x7B], file: "p.json") }
        var plan = try Self.plan()
        plan.choice.recipe.dataParallelSize = 9
        #expect(
            throws: DeploymentPlanError.contradiction(
                file: "p.json", field: "hardware.nodes",
                reason: "the recipe needs 36 accelerators, and the nodes have 4")
        ) { try DeploymentPlan.read(plan.json.serialized(), file: "p.json") }
        plan.choice.recipe.dataParallelSize = 0
        #expect(throws: DeploymentPlanError.self) { try DeploymentPlan.read(plan.json.serialized(), file: "p.json") }
    }

    /// A plan with something in every field.
    static func plan() throws -> DeploymentPlan {
        var recipe = Recipe()
        recipe.model = "llama-3-8b"
        recipe.tensorParallelSize = 2
        recipe.pipelineParallelSize = 2
        let price = Provenance(source: "aws.amazon.com/ec2/pricing", date: "2026-01-19")
        let nodes = PlanNodes(
            provider: "aws", instance: "g6.12xlarge", count: 1, accelerators: 4, interconnect: .pcieHost,
            usdPerHour: 4.6, region: "us-east-1", priceSource: price)
        let hardware = PlanHardware(
            accelerator: "l4", title: "NVIDIA L4", accelerators: 4, memoryBytes: 24_000_000_000, nodes: [nodes],
            labels: ["cloud.google.com/gke-accelerator": "nvidia-l4"])
        let latency = PlanLatency { _ in PlanEstimate(900, low: 870, high: 930) }
        let rate = PlanEstimate(4, low: 3.9, high: 4.1)
        let prediction = PlanPrediction(
            requestRate: 4, ttft: latency, tpot: latency, itl: latency, e2e: latency, requestThroughput: rate,
            inputThroughput: rate, outputThroughput: rate, goodput: PlanEstimate(0.99), capacity: 5.5,
            cost: PlanCost(
                perHour: 4.6, perMillionTokens: 0.3, perMillionInputTokens: 0.2, perMillionOutputTokens: 0.9,
                perRequest: 0.0003),
            load: PlanLoad(utilisation: 0.7, kvTokens: 90_000),
            method: PlanMethod(requests: 10_000, seeds: 5, modelError: 0.05, evidence: ["measured": 0.8]))
        let option = PlanOption(
            name: "4xl4 tp2 pp2", roles: [.lowestCost, .bestValue], recipe: recipe, hardware: hardware,
            prediction: prediction, breakdown: [PlanStepShare(part: "dense", milliseconds: 20, share: 0.6)])
        let objective = try ServiceLevelObjective(parsing: "ttft:p99<1s")
        return DeploymentPlan(
            model: PlanModel(name: "llama-3-8b", parameters: 8, activeParameters: 8, digest: "a"),
            choice: option,
            workload: PlanWorkload(
                name: "rag", description: "4096 in", digest: "c", meanPromptTokens: 4096, meanOutputTokens: 512),
            targets: PlanTargets(requestRate: 4, objective: objective, budget: 5),
            guarantee: PlanGuarantee(requestRate: 4, objective: objective, holdsOverInterval: true),
            alternatives: [option],
            rejected: [PlanRejection(option: "1xl4", reason: .memory, message: "Weights take 141 GB.")],
            mixedFleet: PlanFleet(
                usdPerHour: 3, isOptimal: true,
                parts: [.init(option: "1xl4", replicas: 2, usdPerHour: 0.8, shares: ["in<1024": 1])]),
            sensitivity: PlanSensitivity(
                flips: [.init(option: "1xa100", role: .lowestCost, ratioNow: 5, ratioAtFlip: 4)], headRoom: 0.3),
            provenance: PlanProvenance(
                generator: "cserve 0.1", date: "2026-11-24", seed: .max, engine: "cserve", digests: ["catalogue": "ef"],
                calibration: price, options: 240, simulated: 100, notes: ["T4: from its data sheet."]))
    }
}

@Test("Every error of a plan's file says what to do")
func deploymentPlanErrorMessages() {
    let messages: [(DeploymentPlanError, String)] = [
        (.notJSON(file: "p.json", reason: "it is empty"), "p.json is not a plan: it is empty."),
        (
            .notAPlan(file: "p.json"),
            "p.json is not a plan: it lacks \"schema_version\". Write one with cserve plan -o p.json."
        ),
        (
            .unknownVersion(file: "p.json", found: "2", known: 1),
            "p.json is a plan of version 2, but this build reads version 1. Use the cserve that wrote it, or plan again."
        ),
        (
            .field(.missing(file: "p.json", field: "model")),
            "p.json lacks \"model\". Add it, or write the file anew."
        ),
        (
            .contradiction(file: "p.json", field: "hardware.nodes", reason: "too few"),
            "p.json: \"hardware.nodes\" does not fit: too few. Correct the file, or plan again."
        ),
    ]
    for (error, message) in messages { #expect(error.description == message) }
}
