// A plan becomes files: the same plan and options give the same bytes.

import CServeCore

/// Renders plans.
public enum Deployer {
    /// Renders a plan's choice for a destination.
    /// - Throws: ``DeployError``.
    public static func render(_ plan: DeploymentPlan, _ options: DeployOptions) throws(DeployError) -> Rendering {
        try check(plan, options)
        let context = try DeploymentContext(plan, options)
        var files: [RenderedFile]
        switch options.target {
        case .local: files = try LocalManifests(context).files()
        case .compose: files = try ComposeManifests(context).files()
        case .snowpark: files = try SnowparkManifests(context).files()
        case .kubernetes, .gke, .eks: files = try cluster(context)
        }
        files.append(RenderedFile(path: "plan.json", text: plan.json.text(.pretty) + "\n"))
        let notes: [String] = DeployNotes(context).all
        files.append(RenderedFile(path: "README.md", text: Instructions(context: context, notes: notes).text))
        files.append(RenderRecord.file(context, files))
        return Rendering(files: files.sorted { $0.path < $1.path }, notes: notes)
    }

    /// A plan whose choice is another of its options.
    /// - Throws: ``DeployError/unknownOption(_:known:)``.
    public static func choosing(_ name: String, in plan: DeploymentPlan) throws(DeployError) -> DeploymentPlan {
        let known: [PlanOption] = [plan.choice] + plan.alternatives
        guard let option = known.first(where: { $0.name == name }) else {
            throw .unknownOption(
                name, known: known.map(\.name).reduce(into: []) { if !$0.contains($1) { $0.append($1) } })
        }
        var plan: DeploymentPlan = plan
        plan.choice = option
        return plan
    }

    private static func check(_ plan: DeploymentPlan, _ options: DeployOptions) throws(DeployError) {
        let positive: [(String, Int?)] = [
            ("--max-replicas", options.maxReplicas), ("--drain", options.drainSeconds), ("--load", options.loadSeconds),
            ("--cpus", options.processors), ("--memory", options.hostMemoryBytes), ("--port", options.port),
        ]
        for (name, value) in positive { if let value, value < 1 { throw .notPositive(name: name, value: value) } }
        guard options.spareReplicas >= 0 else { throw .notPositive(name: "--spare", value: options.spareReplicas) }
        guard options.target.isKubernetes || options.format == .plain else {
            throw .noFormat(format: options.format.rawValue, target: options.target.rawValue)
        }
        if options.target.isKubernetes, options.modelCache == .image, options.modelImage == nil { throw .noModelImage }
        guard let provider = options.target.provider else { return }
        if let node = plan.choice.hardware.nodes.first(where: { $0.provider != provider }) {
            throw .wrongProvider(target: options.target.rawValue, provider: node.provider, instance: node.instance)
        }
    }

    /// Manifests in the format that is asked for, and what makes the cluster's nodes.
    private static func cluster(_ context: DeploymentContext) throws(DeployError) -> [RenderedFile] {
        let manifests = try KubernetesManifests(context).files()
        let files: [RenderedFile] =
            switch context.options.format {
            case .plain: PlainFormat.files(manifests, context)
            case .kustomize: KustomizeFormat.files(manifests, context)
            case .helm: HelmFormat.files(manifests, context)
            }
        switch context.options.target {
        case .gke: return files + [try NodePools(context).gke()]
        case .eks: return files + [NodePools(context).eks()]
        default: return files
        }
    }
}

/// Manifests as kubectl takes them.
enum PlainFormat {
    static let folder: String = "manifests/"

    static func files(
        _ manifests: [(path: String, purpose: String, objects: [JSONValue])], _ context: DeploymentContext
    ) -> [RenderedFile] {
        manifests.map { file in
            RenderedFile(path: folder + file.path, text: context.header(file.purpose) + YAMLEmitter.text(file.objects))
        }
    }
}

/// The same files as a Kustomize base.
enum KustomizeFormat {
    static func files(
        _ manifests: [(path: String, purpose: String, objects: [JSONValue])], _ context: DeploymentContext
    ) -> [RenderedFile] {
        let list: JSONValue = [
            "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
            "resources": .strings(manifests.map(\.path)),
        ]
        let files: [RenderedFile] = manifests.map { file in
            RenderedFile(path: "base/" + file.path, text: context.header(file.purpose) + YAMLEmitter.text(file.objects))
        }
        let text: String = context.header("The base: overlays change it, and with it what the plan foresees.")
        return files + [RenderedFile(path: "base/kustomization.yaml", text: text + YAMLEmitter.text(list))]
    }
}

/// What was rendered, from what, with which options: enough to render it again and to see what was changed by hand.
enum RenderRecord {
    static let path: String = "rendering.json"

    static func file(_ context: DeploymentContext, _ files: [RenderedFile]) -> RenderedFile {
        let options: DeployOptions = context.options
        let record: JSONValue = .members([
            ("schema", "cserve-rendering/1"), ("plan_digest", .string("sha256:" + context.digest)),
            ("option", .string(context.plan.choice.name)), ("name", .string(context.name)),
            ("target", .string(options.target.rawValue)), ("format", .string(options.format.rawValue)),
            ("engine", .string(options.engine.rawValue)), ("image", .string(options.image)),
            ("model", options.model.map { .string($0.description) }),
            ("model_cache", .string(options.modelCache.rawValue)),
            ("max_replicas", .integer(context.shape.maxReplicas)),
            ("spare_replicas", .integer(options.spareReplicas)), ("load_s", .integer(context.shape.times.loadSeconds)),
            ("drain_s", .integer(context.shape.times.drainSeconds)),
            (
                "files",
                .object(
                    JSONObject(files.sorted { $0.path < $1.path }.map { ($0.path, .string("sha256:" + $0.digest)) }))
            ),
        ])
        return RenderedFile(path: path, text: record.text(.pretty) + "\n")
    }
}
