// Rules on names: what points at something must find it, and what is a name must be one.

import CServeCore

extension LintRule {
    static let references: [LintRule] = [
        LintRule(
            "selector-labels", what: "Every selector finds pods by their labels.",
            why:
                "A Deployment whose selector misses its own template is refused; a Service that misses it answers nothing, silently.",
            fix: "Give selector and template the same labels.", check: selectors),
        LintRule(
            "missing-volume", what: "Every mount has its volume.", why: "The pod is refused.",
            fix: "Add the volume, or take the mount away.", check: missingVolumes),
        LintRule(
            "missing-reference", what: "ConfigMaps, claims, service accounts and scale targets that are named exist.",
            why:
                "Pods wait for ever for a ConfigMap or claim that does not come; an autoscaler without a target does nothing.",
            fix: "Render again, or correct the name.", check: missingReferences),
        LintRule(
            "label-value", what: "Label values have at most 63 letters, digits, dashes, underscores and dots.",
            why: "The object is refused.", fix: "Shorten it or replace the characters.", check: labelValues),
        LintRule(
            "object-name", what: "Names are lower-case DNS names.", why: "The object is refused.",
            fix: "Use lower-case letters, digits and dashes, 63 at most.", check: objectNames),
        LintRule(
            "port-name", what: "A port's name has at most 15 lower-case letters, digits and dashes.",
            why: "The pod is refused.", fix: "Shorten it.", check: portNames),
        LintRule(
            "probe-port", what: "A probe asks a port that the container has.",
            why: "A probe of a missing port fails until the pod is killed.", fix: "Name one of the container's ports.",
            check: probePorts),
    ]

    /// Whether labels carry all of a selector.
    private static func matches(_ selector: JSONValue?, _ labels: JSONValue) -> Bool {
        (selector?.objectValue?.members ?? []).allSatisfy { labels[$0.key] == $0.value }
    }

    @Sendable private static func selectors(_ set: ManifestSet) -> [Place] {
        var places: [Place] = []
        for object in set.of("Deployment") {
            let pods: [PodView] = set.pods.filter { $0.owner.title == object.title }
            if !pods.allSatisfy({ matches(object.spec["selector"]?["matchLabels"], $0.labels) }) {
                places.append(Place(object: object, detail: "Its selector does not match its own template."))
            }
        }
        let selecting: [(String, (ManifestObject) -> JSONValue?)] = [
            ("Service", { $0.spec["selector"] }), ("PodDisruptionBudget", { $0.spec["selector"]?["matchLabels"] }),
            ("NetworkPolicy", { $0.spec["podSelector"]?["matchLabels"] }),
        ]
        for (kind, selector) in selecting {
            for object in set.of(kind) where !set.pods.contains(where: { matches(selector(object), $0.labels) }) {
                places.append(Place(object: object, detail: "Its selector matches no pod of this folder."))
            }
        }
        for object in set.of("ServiceMonitor") {
            let wanted: JSONValue? = object.spec["selector"]?["matchLabels"]
            if !set.of("Service").contains(where: { matches(wanted, $0.tree["metadata"]?["labels"] ?? .null) }) {
                places.append(Place(object: object, detail: "Its selector matches no Service of this folder."))
            }
        }
        return places
    }

    @Sendable private static func missingVolumes(_ set: ManifestSet) -> [Place] {
        set.pods.flatMap { pod -> [Place] in
            let there: [String] = pod.volumes.compactMap { $0["name"]?.stringValue }
            return pod.allContainers.flatMap { $0["volumeMounts"]?.arrayValue ?? [] }.compactMap {
                $0["name"]?.stringValue
            }
            .filter { !there.contains($0) }
            .map { Place(object: pod.owner, detail: "The volume \"\($0)\" is mounted, but not there.") }
        }
    }

    @Sendable private static func missingReferences(_ set: ManifestSet) -> [Place] {
        var places: [Place] = []
        func want(_ kind: String, _ name: String?, _ object: ManifestObject) {
            guard let name, !set.has(kind, name) else { return }
            places.append(Place(object: object, detail: "It names \(kind)/\(name), which is not in this folder."))
        }
        for pod in set.pods {
            want("ServiceAccount", pod.spec["serviceAccountName"]?.stringValue, pod.owner)
            for volume in pod.volumes {
                want("ConfigMap", volume["configMap"]?["name"]?.stringValue, pod.owner)
                want("PersistentVolumeClaim", volume["persistentVolumeClaim"]?["claimName"]?.stringValue, pod.owner)
            }
        }
        for scaler in set.autoscalers {
            let target: JSONValue? = scaler.spec["scaleTargetRef"]
            want(target?["kind"]?.stringValue ?? "Deployment", target?["name"]?.stringValue, scaler)
        }
        return places
    }

    @Sendable private static func labelValues(_ set: ManifestSet) -> [Place] {
        func bad(_ labels: JSONValue?) -> [String] {
            (labels?.objectValue?.members ?? []).compactMap { member in
                let text: String = member.value.stringValue ?? member.value.text()
                return NameRule.isLabelValue(text) && member.value.stringValue != nil ? nil : "\(member.key): \(text)"
            }
        }
        return set.objects.flatMap { object in
            bad(object.tree["metadata"]?["labels"]).map { Place(object: object, detail: "The label \($0) is none.") }
        }
            + set.pods.flatMap { pod in
                bad(pod.labels).map { Place(object: pod.owner, detail: "The pod's label \($0) is none.") }
            }
    }

    @Sendable private static func objectNames(_ set: ManifestSet) -> [Place] {
        set.objects.compactMap { object in
            let names: [String] = [object.name, object.tree["metadata"]?["namespace"]?.stringValue ?? "x"]
            guard let bad = names.first(where: { !NameRule.isName($0) }) else { return nil }
            return Place(object: object, detail: "\"\(bad)\" cannot be a name.")
        }
    }

    @Sendable private static func portNames(_ set: ManifestSet) -> [Place] {
        set.pods.flatMap { pod in
            pod.allContainers.flatMap { $0["ports"]?.arrayValue ?? [] }.compactMap { $0["name"]?.stringValue }
                .filter { !NameRule.isPortName($0) }
                .map { Place(object: pod.owner, detail: "The port's name \"\($0)\" has \($0.utf8.count) characters.") }
        }
    }

    @Sendable private static func probePorts(_ set: ManifestSet) -> [Place] {
        set.pods.flatMap { pod in
            pod.containers.flatMap { container -> [Place] in
                let ports: [JSONValue] = container["ports"]?.arrayValue ?? []
                let known: [JSONValue] = ports.compactMap { $0["name"] } + ports.compactMap { $0["containerPort"] }
                return ["startupProbe", "readinessProbe", "livenessProbe"].compactMap { probe in
                    guard let port = container[probe]?["httpGet"]?["port"], !known.contains(port) else { return nil }
                    return Place(
                        object: pod.owner, detail: "The \(probe) asks port \(port), which is none of the container's.")
                }
            }
        }
    }
}

/// What Kubernetes accepts as names. Source: apimachinery's util/validation.
enum NameRule {
    static func isLabelValue(_ text: String) -> Bool {
        text.isEmpty
            || (text.utf8.count <= 63 && text.utf8.allSatisfy { isAlphanumeric($0) || "-_.".utf8.contains($0) }
                && isAlphanumeric(text.utf8.first ?? 0) && isAlphanumeric(text.utf8.last ?? 0))
    }

    static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 63 && text == text.lowercased()
            && text.utf8.allSatisfy { isAlphanumeric($0) || "-.".utf8.contains($0) }
            && isAlphanumeric(text.utf8.first ?? 0) && isAlphanumeric(text.utf8.last ?? 0)
    }

    static func isPortName(_ text: String) -> Bool {
        text.utf8.count <= 15 && isName(text) && !text.contains(".") && text.contains { $0.isLetter }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
