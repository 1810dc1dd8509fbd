// The same manifests as a Helm chart: what an operator may change without a new plan becomes a value.

import CServeCore

/// Packs manifests as a chart. With its own values it gives exactly what the plain format holds.
enum HelmFormat {
    /// A value: its name, what it is in the manifests, and whether it is a string.
    private struct Value {
        var name: String
        var value: JSONValue

        /// What stands in the tree until the text is written; no rendered text has this character.
        var mark: JSONValue { .string("\u{27E6}\(name)\u{27E7}") }
        var template: String { "{{ .Values.\(name)\(value.stringValue == nil ? "" : " | quote") }}" }
    }

    static func files(
        _ manifests: [(path: String, purpose: String, objects: [JSONValue])], _ context: DeploymentContext
    ) -> [RenderedFile] {
        let values: [Value] = values(context)
        let templates: [RenderedFile] = manifests.map { file in
            let marked: [JSONValue] = file.objects.map { mark($0, values) }
            return RenderedFile(
                path: "chart/templates/" + file.path,
                text: context.header(file.purpose) + text(YAMLEmitter.text(marked), values))
        }
        let chart: JSONValue = [
            "apiVersion": "v2", "name": .string(context.name), "version": "1.0.0",
            "appVersion": .string(context.shortDigest),
            "description": .string("\(context.plan.model.name) as planned: \(context.plan.choice.name)"),
            "type": "application",
        ]
        let table: JSONValue = .object(JSONObject(values.map { ($0.name, $0.value) }))
        return templates + [
            RenderedFile(path: "chart/Chart.yaml", text: context.header("The chart.") + YAMLEmitter.text(chart)),
            RenderedFile(
                path: "chart/values.yaml",
                text: context.header("What may change; other values are another deployment than the plan foresees.")
                    + YAMLEmitter.text(table)),
        ]
    }

    private static func values(_ context: DeploymentContext) -> [Value] {
        let options: DeployOptions = context.options
        var values: [Value] = [Value(name: "image", value: .string(options.image))]
        if options.fetcher != options.image {
            values.append(Value(name: "fetchImage", value: .string(options.fetcher)))
        }
        if context.shape.maxReplicas > context.shape.replicas {
            values.append(Value(name: "minReplicas", value: .integer(context.shape.replicas)))
            values.append(Value(name: "maxReplicas", value: .integer(context.shape.maxReplicas)))
        } else {
            values.append(Value(name: "replicas", value: .integer(context.shape.replicas)))
        }
        return values
    }

    /// Members that values stand for.
    private static let keys: [String: [String]] = [
        "image": ["image", "fetchImage"], "replicas": ["replicas"], "minReplicas": ["minReplicas"],
        "maxReplicas": ["maxReplicas"], "minReplicaCount": ["minReplicas"], "maxReplicaCount": ["maxReplicas"],
    ]

    private static func mark(_ tree: JSONValue, _ values: [Value]) -> JSONValue {
        switch tree {
        case .object(let object):
            return .object(
                JSONObject(
                    object.members.map { member in
                        let names: [String] = keys[member.key] ?? []
                        let value: Value? = values.first { names.contains($0.name) && $0.value == member.value }
                        return (member.key, value?.mark ?? mark(member.value, values))
                    }))
        case .array(let items): return .array(items.map { mark($0, values) })
        default: return tree
        }
    }

    /// Braces of our own (a dashboard's legends) are no templates; then marks become templates.
    private static func text(_ yaml: String, _ values: [Value]) -> String {
        var text: String = yaml.replacing("{{", with: "{{ \"{{\" }}")
        for value in values {
            text = text.replacing(YAMLEmitter.plainOrQuoted(value.mark.stringValue ?? ""), with: value.template)
        }
        return text
    }

    /// A template with values in the place of its marks: what `helm template` gives for the templates written here.
    static func filled(_ template: String, values: JSONValue) -> String {
        var text: String = template
        for member in values.objectValue?.members ?? [] {
            let quoted: String = JSONValue.string(member.value.stringValue ?? "").text()
            text = text.replacing("{{ .Values.\(member.key) | quote }}", with: quoted)
            text = text.replacing("{{ .Values.\(member.key) }}", with: member.value.text())
        }
        return text.replacing("{{ \"{{\" }}", with: "{{")
    }
}
