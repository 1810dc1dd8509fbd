// What a plan becomes, on every target: the same bytes each time, the shapes that the plan asks for, the numbers it foresees.

import CServeCore
import Testing
import Yams

@testable import CServeDeploy

@Suite("Rendering")
struct RenderTests {
    /// Plans by shape: a replica on one accelerator, on several, on several nodes; engines and clouds.
    private static func renderings() throws -> [(String, DeploymentPlan, DeployOptions)] {
        var all: [(String, DeploymentPlan, DeployOptions)] = []
        let shapes: [(Int, Int)] = [(1, 1), (2, 1), (1, 2), (4, 1), (2, 2), (4, 2), (2, 4)]
        for (tensor, stages) in shapes {
            for engine in DeploymentEngine.allCases where engine == .vllm || tensor * stages <= 4 {
                for target in [DeploymentTarget.kubernetes, .gke, .eks, .compose, .local] {
                    guard tensor * stages <= 4 || target.isKubernetes else { continue }
                    let isAWS: Bool = target == .eks
                    let plan = try PlanFixture.plan(
                        tensor: tensor, stages: stages, accelerator: isAWS ? "a10g" : "l4",
                        provider: isAWS ? "aws" : "gcp",
                        instance: isAWS ? "g5.12xlarge" : "g2-standard-48", interconnect: .pcieHost)
                    all.append(
                        ("\(target) \(engine) tp\(tensor) pp\(stages)", plan, try PlanFixture.options(target, engine)))
                }
            }
        }
        return all
    }

    @Test("every shape on every target renders, without findings, and the same each time")
    func everyShape() throws {
        let all = try Self.renderings()
        #expect(all.count >= 40)
        for (name, plan, options) in all {
            let files: [RenderedFile] = try Deployer.render(plan, options).files
            #expect(try Deployer.render(plan, options).files == files, "\(name)")
            let found: [LintFinding] = try ManifestLint.findings(files)
            #expect(found.isEmpty, "\(name): \(found.map(\.text).joined(separator: "\n"))")
            let digest: String = DeploymentContext.digest(of: plan)
            for file in files where !["plan.json", "recipe.json", "plan/recipe.json"].contains(file.path) {
                #expect(file.text.contains(digest), "\(name): \(file.path) does not carry the plan's digest")
            }
        }
    }

    @Test("the plan's digest does not depend on a file's layout")
    func digests() throws {
        let plan = try PlanFixture.plan()
        let compact = try DeploymentPlan.read(plan.json.serialized(), file: "a")
        let pretty = try DeploymentPlan.read(plan.json.serialized(.pretty), file: "b")
        #expect(DeploymentContext.digest(of: compact) == DeploymentContext.digest(of: pretty))
    }

    @Test("Helm's templates with their own values are the plain manifests, and so is Kustomize's base")
    func formats() throws {
        for most in [nil, 4] {
            var options = try PlanFixture.options(.kubernetes)
            options.maxReplicas = most
            let plan = try PlanFixture.plan(tensor: 2)
            let plain = try Deployer.render(plan, options)
            options.format = .kustomize
            let base = try Deployer.render(plan, options)
            options.format = .helm
            let chart = try Deployer.render(plan, options)
            let values: JSONValue = [
                "image": .string(options.image), "replicas": 2, "minReplicas": 2, "maxReplicas": .integer(most ?? 2),
            ]
            for file in plain.files where file.path.hasPrefix("manifests/") {
                let name: String = String(file.path.dropFirst("manifests/".count))
                #expect(base["base/" + name] == file.text)
                let template: String = try #require(chart["chart/templates/" + name])
                let filled: String = HelmFormat.filled(template, values: values)
                #expect(try trees(filled) == trees(file.text), "\(name)")
                #expect(name != "30-workload.yaml" || template.contains("{{ .Values.image | quote }}"))
            }
            #expect(try ManifestLint.findings(chart.files).isEmpty)
            #expect(try ManifestLint.findings(base.files).isEmpty)
        }
    }

    /// Documents as text of one form.
    private func trees(_ yaml: String) throws -> [String] {
        try Array(Yams.compose_all(yaml: yaml)).map { try Yams.serialize(node: $0) }
    }

    @Test(
        "what YAML could misread is quoted",
        arguments: [
            "1", "1e3", "0x1F", "yes", "No", "true", "null", "~", "2026-11-25", "12:30", "a: b", "- a", "", " a", "a ",
            "#a", "a #b",
            "é", "\"q\"", "a\nb\n", "a\n\n b\n", "a \nb", "\ta", "*a", "&a", "!a", "{a}", "[a]", "%a", "a\u{7F}",
            "x\n\n", "on", "=", ".5", "5Gi",
            "line\n  indented\n\nlast",
        ])
    func quoting(_ text: String) throws {
        let tree: JSONValue = ["key": .string(text), "list": [.string(text), [.string(text)], ["in": .string(text)]]]
        let yaml: String = YAMLEmitter.text(tree)
        let back = try #require(try Yams.load(yaml: yaml) as? [String: Any])
        #expect(back["key"] as? String == text, "\(yaml)")
        let list = try #require(back["list"] as? [Any])
        #expect(list[0] as? String == text, "\(yaml)")
        #expect((list[1] as? [Any])?[0] as? String == text, "\(yaml)")
        #expect((list[2] as? [String: Any])?["in"] as? String == text, "\(yaml)")
    }

    @Test("a replica that spans nodes is a group of alike pods, and cserve is refused there")
    func groups() throws {
        let plan = try PlanFixture.plan(tensor: 2, stages: 3, nodeAccelerators: 4)
        let context = try DeploymentContext(plan, PlanFixture.options(.kubernetes, .vllm))
        // Two stages of 2 ranks would fit a node, but 3 stages do not divide by 2: three pods of 2.
        #expect(context.shape.podsPerReplica == 3 && context.shape.podAccelerators == 2)
        let text: String = try #require(
            Deployer.render(plan, PlanFixture.options(.kubernetes, .vllm))["manifests/30-workload.yaml"])
        for part in ["kind: LeaderWorkerSet", "size: 3", "$(LWS_LEADER_ADDRESS)", "--headless", "NCCL_SOCKET_IFNAME"] {
            #expect(text.contains(part), "\(part)")
        }
        #expect(throws: DeployError.self) { try Deployer.render(plan, PlanFixture.options(.kubernetes)) }
        #expect(throws: DeployError.tensorAcrossNodes(ranks: 8, nodeAccelerators: 4)) {
            try Deployer.render(PlanFixture.plan(tensor: 8), PlanFixture.options(.kubernetes, .vllm))
        }
    }

    @Test("rollouts follow the spare accelerators, and say what they cost")
    func rollouts() throws {
        func workload(replicas: Int, spare: Int) throws -> String {
            var options = try PlanFixture.options(.kubernetes)
            options.spareReplicas = spare
            return try Deployer.render(PlanFixture.plan(replicas: replicas), options)["manifests/30-workload.yaml"]
                ?? ""
        }
        #expect(try workload(replicas: 1, spare: 0).contains("type: Recreate"))
        #expect(try workload(replicas: 1, spare: 0).contains("no capacity until it is ready"))
        #expect(try workload(replicas: 4, spare: 0).contains("capacity dips by 25%"))
        #expect(try workload(replicas: 4, spare: 0).contains("maxSurge: 0"))
        #expect(try workload(replicas: 1, spare: 1).contains("maxSurge: 1"))
    }

    @Test("times come from the plan: drain from its longest answer, start from its weights")
    func times() throws {
        let times: ServingTimes = try DeploymentContext(PlanFixture.plan(), PlanFixture.options(.kubernetes)).shape
            .times
        // 8192 tokens at 33 ms and 440 ms for the first: 270.8 s. 16.06 GB at 125 MiB/s and 5 s: 127.5 s.
        #expect(times.longestAnswerSeconds == 271 && times.drainSeconds == 271 && times.graceSeconds == 301)
        #expect(times.loadSeconds == 128 && times.startupSeconds == 384 && times.startupProbes == 39)
        var options = try PlanFixture.options(.kubernetes, .vllm)
        options.drainSeconds = 100
        options.loadSeconds = 10
        let others: ServingTimes = try DeploymentContext(PlanFixture.plan(), options).shape.times
        #expect(others.drainSeconds == 100 && others.startupSeconds == 60)
    }

    @Test("vLLM gets the recipe's flags, and what it lacks is refused")
    func vllm() throws {
        func words(_ change: (inout DeploymentPlan) -> Void) throws -> String {
            var plan = try PlanFixture.plan(tensor: 2)
            change(&plan)
            let context = try DeploymentContext(plan, PlanFixture.options(.kubernetes, .vllm))
            return try EngineCommand(context: context).words(host: "0.0.0.0", port: 8000, recipe: "r").joined(
                separator: " ")
        }
        let usual: String = try words { _ in }
        for flag in [
            "vllm serve /models/Llama-3.1-8B-Instruct-0e9e39f249a1", "--tensor-parallel-size 2", "--max-num-seqs 128",
            "--max-num-batched-tokens 2048", "--max-model-len 8192", "--gpu-memory-utilization 0.9",
            "--enable-prefix-caching",
            "--kv-cache-dtype auto", "--block-size 16",
        ] { #expect(usual.contains(flag), "\(flag)") }
        let drafts: String = try words { $0.choice.recipe.specProposer = "ngram" }
        #expect(drafts.contains("{\"method\":\"ngram\",\"num_speculative_tokens\":4"))
        #expect(throws: DeployError.self) { try words { $0.choice.recipe.quantization = "int4" } }
        #expect(throws: DeployError.self) { try words { $0.choice.recipe.cacheDtype = "int8" } }
        #expect(throws: DeployError.self) { try words { $0.choice.recipe.offloadingNum = 0.5 } }
    }

    @Test("burn-rate alerts stand on edges of the histograms and can fire")
    func alerts() throws {
        let plan = try PlanFixture.plan(slo: "ttft:p99<2.2s,tpot:p90<60ms,e2e:mean<9s")
        let context = try DeploymentContext(plan, PlanFixture.options(.kubernetes))
        let rules = AlertRules(context)
        #expect(rules.watched.map(\.name) == ["ttft_p99", "tpot_p90"])
        // 2.2 s lies above the edge 2, 60 ms above the edge 50 ms.
        #expect(rules.watched.map(\.edge) == [2, 0.05])
        #expect(rules.unwatched.map(\.description) == ["e2e:mean<9s"])
        // 14.4 times a budget of 1% is 0.144; of 10% it would be 1.44, which no share reaches.
        #expect(abs(rules.watched[0].threshold(14.4) - 0.144) < 1e-12 && rules.watched[1].threshold(14.4) == 0.55)
        #expect(rules.watched[0].ratio("5m").contains("le=~\"2(\\\\.0)?\""))
    }

    @Test("what a target cannot do is refused with its reason")
    func refusals() throws {
        #expect(throws: DeployError.wrongProvider(target: "eks", provider: "gcp", instance: "a2-highgpu-4g")) {
            try Deployer.render(PlanFixture.plan(), PlanFixture.options(.eks))
        }
        #expect(throws: DeployError.self) {
            try Deployer.render(PlanFixture.plan(accelerator: "h100"), PlanFixture.options(.snowpark))
        }
        #expect(
            throws: DeployError.spansNodes(
                what: "compose", ranks: 8, nodeAccelerators: 4, advice: "Use --target kubernetes.")
        ) {
            try Deployer.render(PlanFixture.plan(tensor: 4, stages: 2), PlanFixture.options(.compose))
        }
        var options = try PlanFixture.options(.kubernetes)
        options.maxReplicas = 1
        #expect(throws: DeployError.tooFewReplicas(most: 1, planned: 2)) {
            try Deployer.render(PlanFixture.plan(), options)
        }
        #expect(throws: DeployError.unknownOption("x", known: ["2xa100-40 tp1 pp1"])) {
            try Deployer.choosing("x", in: PlanFixture.plan())
        }
    }

    @Test("model caches: a claim filled once, an image, a disk of the pod's own")
    func caches() throws {
        func files(_ cache: ModelCache) throws -> Rendering {
            var options = try PlanFixture.options(.kubernetes)
            options.modelCache = cache
            options.modelImage = "registry.example/llama" + PlanFixture.digest
            return try Deployer.render(PlanFixture.plan(), options)
        }
        let claim = try files(.volume)
        #expect(claim["manifests/20-model.yaml"]?.contains("kind: Job") == true)
        #expect(claim["manifests/30-workload.yaml"]?.contains("\"--wait\"") == true)
        #expect(
            try files(.image)["manifests/30-workload.yaml"]?.contains("reference: \"registry.example/llama@sha256")
                == true)
        #expect(try files(.node)["manifests/30-workload.yaml"]?.contains("volumeClaimTemplate") == true)
        for cache in ModelCache.allCases {
            let found: [LintFinding] = try ManifestLint.findings(files(cache).files)
            #expect(found.isEmpty, "\(cache): \(found.map(\.text))")
        }
    }
}
