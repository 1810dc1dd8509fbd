// Rules on what the plan says: its digest, its accelerators, its memory, its money, its model and image; and on secrets.

import CServeCore

extension LintRule {
    static let planRules: [LintRule] = [
        LintRule(
            "plan-digest", what: "Every object carries the digest of the plan beside it.",
            why: "Otherwise nobody knows what runs.", fix: "Render again from the plan.", check: digests),
        LintRule(
            "gpu-count", what: "A replica has tensor-parallel ranks times stages accelerators.",
            why: "With fewer the engine does not start; more are paid for nothing.", fix: "Render again from the plan.",
            check: counts),
        LintRule(
            "memory-fits",
            what: "The weights fit the accelerators' memory, and one request of the full length the KV cache.",
            why: "The engine would not start, or refuse what the plan counts on.", fix: "Plan again for this hardware.",
            check: memory),
        LintRule(
            "budget", what: "The most replicas cost no more than the plan's budget.",
            why: "An autoscaler spends what it may.",
            fix: "Lower the autoscaler's most, or raise the budget and plan again.",
            check: money),
        LintRule(
            "config-size", what: "A ConfigMap has at most 1 MiB.", why: "It is refused.",
            fix: "Shorten the plan's workload.",
            check: configSizes),
        LintRule(
            "image-digest", what: "Images are named by digest.",
            why: "A tag may be another image tomorrow: nothing is reproducible.",
            fix: "Render with --image NAME@sha256:DIGEST (the registry tells it after a push).", check: images),
        LintRule(
            "model-revision", what: "The model is named by commit.", why: "A branch may hold other weights tomorrow.",
            fix: "Render with --model OWNER/NAME@COMMIT.", check: models),
    ]

    static let secretRules: [LintRule] = [
        LintRule(
            "inline-secret", what: "No file holds a token, a key or a password.",
            why: "Files are shared, committed and logged.",
            fix: "Use a Secret and valueFrom.secretKeyRef, or a mounted file.",
            check: inlineSecrets)
    ]

    @Sendable private static func digests(_ set: ManifestSet) -> [Place] {
        guard let plan = set.plan else { return [] }
        let digests: [String] = [DeploymentContext.digest(of: plan)].map { "sha256:" + $0 }
        return set.objects.filter { !digests.contains($0.annotation("plan-digest") ?? "") }
            .map {
                Place(
                    object: $0,
                    detail: "It carries \($0.annotation("plan-digest") ?? "no digest"), the plan has \(digests[0]).")
            }
    }

    @Sendable private static func counts(_ set: ManifestSet) -> [Place] {
        guard let recipe = set.plan?.choice.recipe, !["cpu", "reference", "null"].contains(recipe.device) else {
            return []
        }
        let ranks: Int = recipe.tensorParallelSize * recipe.pipelineParallelSize
        return set.workloads.compactMap { object in
            let there: Double = set.pods.filter { $0.owner.title == object.title }.reduce(0) {
                $0 + $1.accelerators * Double($1.count)
            }
            guard Int(there) != ranks else { return nil }
            return Place(
                object: object,
                detail:
                    "A replica has \(Int(there)) GPUs; the recipe has \(recipe.tensorParallelSize) ranks times \(recipe.pipelineParallelSize) stages."
            )
        }
    }

    /// Bytes of a parameter as it lies in memory.
    private static func bytes(_ recipe: Recipe) -> Double {
        switch recipe.quantization {
        case "int8", "fp8": 1
        case "int4", "gptq", "awq": 0.5
        default: recipe.quantization != nil ? 0.5 : recipe.dtype == "float32" ? 4 : 2
        }
    }

    @Sendable private static func memory(_ set: ManifestSet) -> [Place] {
        guard let plan = set.plan, let object = set.workloads.first ?? set.compose ?? set.snowpark else { return [] }
        let recipe: Recipe = plan.choice.recipe
        let ranks: Double = Double(recipe.tensorParallelSize * recipe.pipelineParallelSize)
        let onDevice: Double = max(0, 1 - recipe.offloadingNum)
        let weights: Double = Double(plan.model.parameters) * bytes(recipe) * onDevice / ranks
        let room: Double = Double(plan.choice.hardware.memoryBytes) * recipe.gpuMemUtil
        var places: [Place] = []
        if weights >= room {
            places.append(
                Place(
                    object: object,
                    detail:
                        "\(ByteCount(Int(weights))) of weights have \(ByteCount(Int(room))) of room in each accelerator."
                ))
        }
        let tokens: Int = plan.choice.prediction.load.kvTokens
        if let longest = recipe.maxModelLen, tokens > 0, longest > tokens {
            places.append(Place(object: object, detail: "A request of \(longest) tokens has room for \(tokens)."))
        }
        return places
    }

    @Sendable private static func money(_ set: ManifestSet) -> [Place] {
        guard let plan = set.plan, let budget = plan.targets.budget, let price = plan.choice.hardware.usdPerHour else {
            return []
        }
        let most: Double = price / Double(max(1, plan.choice.recipe.dataParallelSize)) * Double(set.mostReplicas)
        guard most > budget * (1 + 1e-9), let object = set.autoscalers.first ?? set.workloads.first else { return [] }
        return [
            Place(
                object: object, detail: "\(set.mostReplicas) replicas cost $\(most) an hour, the budget is $\(budget).")
        ]
    }

    @Sendable private static func configSizes(_ set: ManifestSet) -> [Place] {
        set.of("ConfigMap").compactMap { object in
            let size: Int = (object.tree["data"]?.objectValue?.values ?? []).reduce(0) {
                $0 + ($1.stringValue?.utf8.count ?? 0)
            }
            return size > 1 << 20 ? Place(object: object, detail: "It has \(ByteCount(size)).") : nil
        }
    }

    @Sendable private static func images(_ set: ManifestSet) -> [Place] {
        var named: [(ManifestObject, String)] = set.pods.flatMap { pod in
            pod.allContainers.compactMap { container in container["image"]?.stringValue.map { (pod.owner, $0) } }
                + pod.volumes.compactMap { volume in volume["image"]?["reference"]?.stringValue.map { (pod.owner, $0) }
                }
        }
        if let compose = set.compose {
            named += (compose.tree["services"]?.objectValue?.values ?? []).compactMap { service in
                service["image"]?.stringValue.map { (compose, $0) }
            }
        }
        var seen: Set<String> = []
        return named.filter { !isDigest($0.1) && seen.insert($0.0.title + $0.1).inserted }
            .map { Place(object: $0.0, detail: "The image \($0.1) has no digest.") }
    }

    private static func isDigest(_ image: String) -> Bool {
        guard let at = image.range(of: "@sha256:") else { return false }
        let digits: Substring = image[at.upperBound...]
        return digits.utf8.count == 64 && digits.allSatisfy { $0.isHexDigit && !$0.isUppercase }
    }

    @Sendable private static func models(_ set: ManifestSet) -> [Place] {
        guard let object = set.workloads.first ?? set.compose, let plan = set.plan,
            plan.choice.recipe.model != Recipe.builtInModel, set.record["model_cache"]?.stringValue != "image"
        else { return [] }
        guard let name = set.record["model"]?.stringValue else {
            return [Place(object: object, detail: "No model is named, so nothing says which weights these are.")]
        }
        let isPinned: Bool = (try? HubModel(parsing: name))?.isPinned ?? false
        return isPinned ? [] : [Place(object: object, detail: "\(name) is no commit.")]
    }

    @Sendable private static func inlineSecrets(_ set: ManifestSet) -> [Place] {
        let documents: [ManifestObject] = set.objects + [set.compose, set.snowpark].compactMap { $0 }
        return documents.flatMap { object in
            SecretFinder.find(object.tree).map { Place(object: object, detail: "\($0) is written out.") }
        }
    }
}

/// Finds what looks like a secret.
enum SecretFinder {
    /// How published tokens begin: Hugging Face, GitHub, OpenAI, AWS.
    private static let beginnings: [String] = ["hf_", "ghp_", "github_pat_", "sk-", "AKIA"]
    private static let words: [String] = ["TOKEN", "API_KEY", "PASSWORD", "SECRET"]

    /// The names of variables and keys whose value stands in the tree.
    static func find(_ tree: JSONValue) -> [String] {
        switch tree {
        case .array(let items): return items.flatMap { find($0) }
        case .object(let object):
            var found: [String] = []
            if let name = object["name"]?.stringValue, let value = object["value"]?.stringValue, isSecret(name, value) {
                found.append(name)
            }
            if object["kind"]?.stringValue == "Secret" { found.append("A Secret") }
            for member in object.members {
                if let text = member.value.stringValue, isSecret(member.key, text) { found.append(member.key) }
                found += find(member.value)
            }
            return found
        case .string(let text): return isToken(text) ? ["A token"] : []
        default: return []
        }
    }

    /// A path, a reference (`${…}`) and an empty value are no secrets.
    private static func isSecret(_ name: String, _ value: String) -> Bool {
        let upper: String = name.uppercased()
        guard words.contains(where: { upper.hasSuffix($0) }), !value.isEmpty else { return false }
        return !value.hasPrefix("/") && !value.hasPrefix("${")
    }

    private static func isToken(_ text: String) -> Bool {
        beginnings.contains { text.hasPrefix($0) } && text.utf8.count >= 20 && !text.contains(" ")
    }
}
