// Rendered files as the rules see them: objects with their file, pods with their parts, the plan beside them.

import CServeCore
import Yams

/// A document of a file.
struct ManifestObject: Sendable {
    let file: String
    let tree: JSONValue

    var kind: String { tree["kind"]?.stringValue ?? "" }
    var name: String { tree["metadata"]?["name"]?.stringValue ?? "" }
    var title: String { kind.isEmpty ? file : "\(kind)/\(name)" }
    var spec: JSONValue { tree["spec"] ?? .null }
    func annotation(_ key: String) -> String? { tree["metadata"]?["annotations"]?["cserve.dev/" + key]?.stringValue }
}

/// A pod's template in its workload.
struct PodView: Sendable {
    let owner: ManifestObject
    /// Pods of this template in one replica of the workload.
    let count: Int
    let template: JSONValue

    var spec: JSONValue { template["spec"] ?? .null }
    var labels: JSONValue { template["metadata"]?["labels"] ?? .null }
    var containers: [JSONValue] { spec["containers"]?.arrayValue ?? [] }
    var allContainers: [JSONValue] { (spec["initContainers"]?.arrayValue ?? []) + containers }
    var volumes: [JSONValue] { spec["volumes"]?.arrayValue ?? [] }
    /// Whether it serves; a job's pod does not.
    var serves: Bool { owner.kind != "Job" }
    func accelerators(_ container: JSONValue, _ side: String) -> Double? {
        container["resources"]?[side]?["nvidia.com/gpu"].flatMap { Quantity.parse($0.stringValue ?? $0.text()) }
    }
    var accelerators: Double { containers.reduce(0) { $0 + (accelerators($1, "limits") ?? 0) } }
}

/// All files of a rendering.
struct ManifestSet: Sendable {
    /// Kubernetes objects.
    let objects: [ManifestObject]
    let compose: ManifestObject?
    let snowpark: ManifestObject?
    let sql: ManifestObject?
    let plan: DeploymentPlan?
    let record: JSONValue

    init(_ files: [RenderedFile]) throws(LintError) {
        let values: String? = files.first { $0.path == "chart/values.yaml" }?.text
        let table: JSONValue =
            try values.map { text throws(LintError) in try Self.documents(text, "chart/values.yaml").first ?? .null }
            ?? .null
        var objects: [ManifestObject] = []
        let folders: [String] = [PlainFormat.folder, "base/", "chart/templates/"]
        for file in files where folders.contains(where: { file.path.hasPrefix($0) }) && file.path.hasSuffix(".yaml") {
            guard !file.path.hasSuffix("kustomization.yaml") else { continue }
            let text: String = file.path.hasPrefix("chart/") ? HelmFormat.filled(file.text, values: table) : file.text
            for tree in try Self.documents(text, file.path) {
                objects.append(ManifestObject(file: file.path, tree: tree))
            }
        }
        self.objects = objects
        compose = try Self.single("compose.yaml", files)
        snowpark = try Self.single("service.yaml", files)
        sql = files.first { $0.path == "deploy.sql" }.map { ManifestObject(file: $0.path, tree: .string($0.text)) }
        record =
            files.first { $0.path == RenderRecord.path }.flatMap { try? JSONValue(parsing: Array($0.text.utf8)) }
            ?? .null
        plan = try files.first { $0.path == "plan.json" }.map { file throws(LintError) in try Self.plan(file) }
        let isFleet: Bool = files.contains { $0.path == "fleet.json" }
        guard !objects.isEmpty || compose != nil || snowpark != nil || isFleet else { throw .nothingThere }
    }

    private static func plan(_ file: RenderedFile) throws(LintError) -> DeploymentPlan {
        do { return try DeploymentPlan.read(Array(file.text.utf8), file: file.path) } catch { throw .badPlan(error) }
    }

    private static func single(_ path: String, _ files: [RenderedFile]) throws(LintError) -> ManifestObject? {
        guard let file = files.first(where: { $0.path == path }) else { return nil }
        return ManifestObject(file: path, tree: try documents(file.text, path).first ?? .null)
    }

    private static func documents(_ text: String, _ file: String) throws(LintError) -> [JSONValue] {
        do {
            var nodes = try Yams.compose_all(yaml: text)
            var documents: [JSONValue] = []
            while let node = nodes.next() { documents.append(json(node)) }
            // The sequence ends at a fault and keeps it.
            if let error = nodes.error { throw error }
            return documents
        } catch {
            throw .notYAML(file: file, reason: "\(error)")
        }
    }

    /// YAML's nodes in JSON's kinds.
    private static func json(_ node: Node) -> JSONValue {
        switch node {
        case .mapping(let mapping): return .object(JSONObject(mapping.map { ($0.key.string ?? "", json($0.value)) }))
        case .sequence(let sequence): return .array(sequence.map { json($0) })
        case .scalar(let scalar):
            guard scalar.style == .plain || scalar.style == .any else { return .string(scalar.string) }
            if let flag = node.bool { return .bool(flag) }
            if let number = node.int { return .integer(number) }
            if let number = node.float { return .double(number) }
            return node.null != nil ? .null : .string(scalar.string)
        default: return .null
        }
    }

    // MARK: What rules look for.

    func of(_ kind: String) -> [ManifestObject] { objects.filter { $0.kind == kind } }
    func has(_ kind: String, _ name: String) -> Bool { objects.contains { $0.kind == kind && $0.name == name } }

    /// Serving workloads.
    var workloads: [ManifestObject] { of("Deployment") + of("LeaderWorkerSet") }
    var autoscalers: [ManifestObject] { of("HorizontalPodAutoscaler") + of("ScaledObject") }

    /// Every pod template.
    var pods: [PodView] {
        objects.flatMap { object -> [PodView] in
            switch object.kind {
            case "Deployment", "Job", "StatefulSet", "DaemonSet":
                return [PodView(owner: object, count: 1, template: object.spec["template"] ?? .null)]
            case "LeaderWorkerSet":
                let group: JSONValue = object.spec["leaderWorkerTemplate"] ?? .null
                let size: Int = group["size"]?.intValue ?? 1
                return [
                    PodView(owner: object, count: 1, template: group["leaderTemplate"] ?? .null),
                    PodView(owner: object, count: size - 1, template: group["workerTemplate"] ?? .null),
                ]
            default: return []
            }
        }
    }

    /// The most replicas that may run.
    var mostReplicas: Int {
        let scaled: [Int] = autoscalers.compactMap { ($0.spec["maxReplicas"] ?? $0.spec["maxReplicaCount"])?.intValue }
        return scaled.max() ?? workloads.compactMap { $0.spec["replicas"]?.intValue }.max() ?? 1
    }

    /// The words of a container.
    static func words(_ container: JSONValue) -> [String] {
        ["command", "entrypoint", "args"].flatMap { container[$0]?.arrayValue ?? [] }.compactMap(\.stringValue)
    }

    /// The number behind a flag.
    static func flag(_ name: String, _ words: [String]) -> Int? {
        words.firstIndex(of: name).flatMap { words.indices.contains($0 + 1) ? Int(words[$0 + 1]) : nil }
    }
}
