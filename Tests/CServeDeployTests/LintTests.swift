// Every rule finds its planted fault, and nothing else does: good files have no findings.

import CServeCore
import Testing

@testable import CServeDeploy

/// A fault: the rendering that it is planted in, where, and what becomes what.
struct PlantedFault: CustomTestStringConvertible, Sendable {
    enum Base: Sendable { case scaled, fixed, group, compose, snowpark }

    var rule: String
    var base: Base
    var path: String
    var from: String
    var to: String

    init(_ rule: String, _ base: Base, _ path: String, _ from: String, _ to: String) {
        (self.rule, self.base, self.path, self.from, self.to) = (rule, base, path, from, to)
    }

    var testDescription: String { "\(rule): \(to)" }

    static func files(_ base: Base) throws -> [RenderedFile] {
        switch base {
        case .scaled:
            var options = try PlanFixture.options(.kubernetes)
            options.maxReplicas = 4
            return try Deployer.render(PlanFixture.plan(tensor: 2), options).files
        case .fixed: return try Deployer.render(PlanFixture.plan(tensor: 2), PlanFixture.options(.kubernetes)).files
        case .group:
            let plan = try PlanFixture.plan(tensor: 4, stages: 2)
            return try Deployer.render(plan, PlanFixture.options(.kubernetes, .vllm)).files
        case .compose: return try Deployer.render(PlanFixture.plan(tensor: 2), PlanFixture.options(.compose)).files
        case .snowpark:
            var options = try PlanFixture.options(.snowpark)
            options.image = "/cserve_db/serving/images/cserve:1"
            return try Deployer.render(PlanFixture.plan(accelerator: "l4"), options).files
        }
    }

    private static let work: String = "manifests/30-workload.yaml"

    static let all: [PlantedFault] = [
        // The fourteen that strict schemas let through.
        PlantedFault("selector-labels", .scaled, "manifests/40-service.yaml", "component: engine", "component: motor"),
        PlantedFault(
            "selector-labels", .scaled, work, "      app.kubernetes.io/component: engine\n  template",
            "      app.kubernetes.io/component: motor\n  template"),
        PlantedFault("rollout-deadlock", .scaled, work, "maxUnavailable: 1", "maxUnavailable: 0"),
        PlantedFault(
            "gpu-request-limit", .scaled, work,
            "ephemeral-storage: \"20Gi\"\n            nvidia.com/gpu: \"2\"\n          limits",
            "ephemeral-storage: \"20Gi\"\n            nvidia.com/gpu: \"1\"\n          limits"),
        PlantedFault("quantity", .scaled, work, "sizeLimit: \"10Gi\"", "sizeLimit: \"10GiB\""),
        PlantedFault(
            "missing-volume", .scaled, work, "- name: tmp\n        emptyDir", "- name: temp\n        emptyDir"),
        PlantedFault(
            "label-value", .scaled, work,
            "        app.kubernetes.io/instance: cserve-llama-3-8b\n        app.kubernetes.io/component: engine\n      annotations",
            "        app.kubernetes.io/instance: cserve-llama-3-8b\n        app.kubernetes.io/component: engine\n        plan: \"4 x l4\"\n      annotations"
        ),
        PlantedFault(
            "object-name", .scaled, "manifests/60-network.yaml", "name: cserve-llama-3-8b-hub",
            "name: cserve-Llama-3-8b-hub"),
        PlantedFault(
            "probe-port", .scaled, work, "path: /livez\n            port: http",
            "path: /livez\n            port: health"),
        PlantedFault("drain", .scaled, work, "seconds: 15", "seconds: 45"),
        PlantedFault(
            "pod-security", .scaled, work, "allowPrivilegeEscalation: false\n          readOnlyRootFilesystem: false",
            "privileged: true\n          allowPrivilegeEscalation: false\n          readOnlyRootFilesystem: false"),
        PlantedFault("scaling-bounds", .scaled, "manifests/50-scaling.yaml", "minReplicas: 2", "minReplicas: 5"),
        PlantedFault(
            "disruption-budget", .scaled, "manifests/40-service.yaml", "  maxUnavailable: 1",
            "  maxUnavailable: 1\n  minAvailable: 1"),
        PlantedFault(
            "port-name", .fixed, work, "- name: http\n          containerPort: 8000",
            "- name: http\n          containerPort: 8000\n        - name: open-ai-compatible\n          containerPort: 8001"
        ),
        PlantedFault("toleration", .scaled, work, "operator: Exists", "operator: Present"),
        // Rules of the plan and of operation.
        PlantedFault("missing-reference", .scaled, work, "claimName: cserve-llama-3-8b-models", "claimName: weights"),
        PlantedFault(
            "memory-limit", .scaled, work, "cpu: \"4\"\n            memory: \"22Gi\"",
            "cpu: \"4\"\n            memory: \"21Gi\""),
        PlantedFault("shared-memory", .scaled, work, "sizeLimit: \"2Gi\"", "sizeLimit: \"22Gi\""),
        PlantedFault(
            "gpu-selector", .scaled, work, "nvidia.com/gpu.product: NVIDIA-A100-SXM4-40GB",
            "nvidia.com/gpu.product: NVIDIA-L4"),
        PlantedFault("gpu-selector", .scaled, work, "nvidia.com/gpu.product: NVIDIA-A100-SXM4-40GB", "pool: a"),
        PlantedFault("collectives", .group, work, "value: eth0", "value: lo"),
        PlantedFault("zone", .group, work, "topology.kubernetes.io/zone: us-central1-c", "pool: a"),
        PlantedFault(
            "longest-answer", .scaled, work, "- \"--shutdown-timeout\"\n        - \"271\"",
            "- \"--shutdown-timeout\"\n        - \"60\""),
        PlantedFault("startup-budget", .scaled, work, "failureThreshold: 39", "failureThreshold: 12"),
        PlantedFault("liveness", .scaled, work, "path: /livez", "path: /readyz"),
        PlantedFault("surge", .scaled, work, "maxSurge: 0", "maxSurge: 1"),
        PlantedFault("capacity-dip", .scaled, work, "cserve.dev/rollout", "cserve.dev/rolled"),
        PlantedFault(
            "owned-replicas", .scaled, work, "  revisionHistoryLimit: 5", "  replicas: 2\n  revisionHistoryLimit: 5"),
        PlantedFault("quota", .scaled, "manifests/00-namespace.yaml", "nvidia.com/gpu: \"8\"", "nvidia.com/gpu: \"7\""),
        PlantedFault(
            "plan-digest", .scaled, "manifests/40-service.yaml", "cserve.dev/plan-digest: \"sha256:",
            "cserve.dev/plan-digest: \"sha256:0"),
        PlantedFault("gpu-count", .group, work, "size: 2", "size: 1"),
        PlantedFault(
            "image-digest", .scaled, work, "registry.example/cserve@sha256:", "registry.example/cserve@sha512:"),
        PlantedFault("model-revision", .scaled, "rendering.json", "@\(PlanFixture.commit)", "@main"),
        PlantedFault(
            "inline-secret", .scaled, work, "- name: HF_HUB_OFFLINE\n          value: \"1\"",
            "- name: HF_TOKEN\n          value: a-token-in-a-file"),
        PlantedFault(
            "inline-secret", .scaled, work, "- name: HF_HUB_OFFLINE\n          value: \"1\"",
            "- name: CREDENTIALS\n          value: hf_abcdefghijklmnopqrstuvwxyz"),
        PlantedFault("alert-reachable", .scaled, "manifests/70-monitoring.yaml", "> 0.525", "> 1.05"),
        PlantedFault(
            "config-size", .fixed, "manifests/10-identity.yaml", "  recipe.json: |",
            "  more: \(String(repeating: "a", count: 1 << 20))\n  recipe.json: |"),
        PlantedFault("compose-hardening", .compose, "compose.yaml", "read_only: true", "read_only: false"),
        PlantedFault("compose-ports", .compose, "compose.yaml", "127.0.0.1:8001:8000", "8001:8000"),
        PlantedFault(
            "compose-grace", .compose, "compose.yaml", "stop_grace_period: \"301s\"", "stop_grace_period: \"200s\""),
        PlantedFault("snowpark-name", .snowpark, "service.yaml", "name: api\n    port", "name: API\n    port"),
        PlantedFault("snowpark-one-node", .snowpark, "service.yaml", "nvidia.com/gpu: 1", "nvidia.com/gpu: 2"),
        PlantedFault(
            "snowpark-order", .snowpark, "deploy.sql", "CREATE IMAGE REPOSITORY", "-- later: CREATE IMAGE REPO"),
        PlantedFault(
            "snowpark-image", .snowpark, "service.yaml", "/cserve_db/serving/images/cserve:1", "docker.io/cserve:1"),
    ]
}

@Suite("Lint")
struct LintTests {
    @Test("a planted fault is found by its rule alone", arguments: PlantedFault.all)
    func planted(_ fault: PlantedFault) throws {
        var files: [RenderedFile] = try PlantedFault.files(fault.base)
        let place: Int = try #require(files.firstIndex { $0.path == fault.path })
        #expect(files[place].text.contains(fault.from), "\(fault.path) has no \(fault.from):\n\(files[place].text)")
        files[place].text = files[place].text.replacing(fault.from, with: fault.to)
        let found: [LintFinding] = try ManifestLint.findings(files)
        #expect(Set(found.map(\.rule)) == [fault.rule], "\(found.map(\.text).joined(separator: "\n"))")
    }

    @Test("good files have no findings", arguments: [PlantedFault.Base.scaled, .fixed, .group, .compose, .snowpark])
    func good(_ base: PlantedFault.Base) throws {
        let found: [LintFinding] = try ManifestLint.findings(PlantedFault.files(base))
        #expect(found.isEmpty, "\(found.map(\.text).joined(separator: "\n"))")
    }

    @Test("a plan whose weights have no room is found")
    func memory() throws {
        // 70 billion weights of 2 bytes over 2 accelerators: 70 GB each, and an A100 of 40 GB gives 38.
        let plan = try PlanFixture.plan(tensor: 2, parameters: 70_000_000_000)
        #expect(try rules(plan, PlanFixture.options(.kubernetes)) == ["memory-fits"])
        // A request longer than the KV cache.
        let long = try PlanFixture.plan(maxModelLen: 160_000)
        #expect(try rules(long, PlanFixture.options(.kubernetes)) == ["memory-fits"])
    }

    @Test("an autoscaler that may spend more than the budget is found")
    func budget() throws {
        // One node of $10 an hour for 2 replicas; 4 replicas cost $20.
        var options = try PlanFixture.options(.kubernetes)
        options.maxReplicas = 4
        #expect(try rules(PlanFixture.plan(tensor: 2, budget: 19), options) == ["budget"])
        #expect(try rules(PlanFixture.plan(tensor: 2, budget: 20), options).isEmpty)
    }

    @Test("Snowflake's silence limit is found where answers take longer")
    func idle() throws {
        var options = try PlanFixture.options(.snowpark)
        options.image = "/cserve_db/serving/images/cserve:1"
        var plan = try PlanFixture.plan(accelerator: "l4")
        plan.choice.prediction.e2e = PlanFixture.latency(91_000)
        #expect(try rules(plan, options) == ["snowpark-idle"])
    }

    @Test("every rule has a planted fault")
    func complete() {
        let planted: Set<String> = Set(PlantedFault.all.map(\.rule)).union(["memory-fits", "budget", "snowpark-idle"])
        #expect(planted == Set(LintRule.all.map(\.id)))
        #expect(LintRule.all.allSatisfy { !$0.what.isEmpty && !$0.why.isEmpty && !$0.fix.isEmpty })
    }

    @Test("what is no rendering is refused with its reason")
    func refusals() throws {
        #expect(throws: LintError.nothingThere) { try ManifestLint.findings([]) }
        let broken = RenderedFile(path: "manifests/a.yaml", text: "a: [1")
        #expect { try ManifestLint.findings([broken]) } throws: { "\($0)".hasPrefix("manifests/a.yaml is not YAML") }
        let plan = RenderedFile(path: "plan.json", text: "{}")
        #expect(throws: LintError.badPlan(.notAPlan(file: "plan.json"))) { try ManifestLint.findings([plan]) }
    }

    private func rules(_ plan: DeploymentPlan, _ options: DeployOptions) throws -> Set<String> {
        Set(try ManifestLint.findings(Deployer.render(plan, options).files).map(\.rule))
    }
}
