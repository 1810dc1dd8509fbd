// Rules on pods: amounts, security, where they may run, and how they start and end.

import CServeCore

extension LintRule {
    static let podRules: [LintRule] = [
        LintRule(
            "quantity", what: "Amounts are written as Kubernetes reads them.", why: "64GiB is refused; 64Gi is meant.",
            fix: "Use Ki, Mi, Gi, Ti, or k, M, G, T.", check: quantities),
        LintRule(
            "gpu-request-limit", what: "GPUs are requested as they are limited.",
            why: "Accelerators cannot be shared or overcommitted: the pod is refused.",
            fix: "Give both the same number.",
            check: unequalAccelerators),
        LintRule(
            "memory-limit", what: "A serving container's memory is limited to what it requests.",
            why: "A pod that takes more than it asked for is the first to be killed when its node runs short.",
            fix: "Give request and limit the same amount.", check: unequalMemory),
        LintRule(
            "shared-memory", what: "Memory-backed volumes fit the container's memory limit.",
            why: "What lies in /dev/shm counts against the limit: a full one kills the engine.",
            fix: "Raise the limit, or lower the volume's.", check: sharedMemory),
        LintRule(
            "pod-security", what: "Pods keep the restricted Pod Security Standard.",
            why: "The namespace enforces it: the pod is refused.",
            fix:
                "Run as a user that is not root, drop all capabilities, allow no escalation, use RuntimeDefault, no host paths.",
            check: security),
        LintRule(
            "toleration", what: "Tolerations use Exists without a value or Equal.",
            why: "Another operator is refused; Exists with a value too.", fix: "Use operator: Exists and no value.",
            check: tolerations),
        LintRule(
            "gpu-selector", what: "GPU pods choose nodes by the plan's accelerator.",
            why: "On another accelerator the prediction does not hold, or the pod never starts.",
            fix: "Use the plan's label (hardware.labels), or its instance types.", check: gpuSelectors),
        LintRule(
            "collectives", what: "NCCL is set only where several accelerators meet, and never to the loopback.",
            why: "On lo a group never finds its peers; without peers the settings only mislead.",
            fix: "Take the NCCL variables away, or name the network's interface.", check: collectives),
        LintRule(
            "zone", .warning, what: "Groups of several nodes are pinned to a zone.",
            why: "Between zones each step waits for the network, and traffic is billed.",
            fix: "Render with --zone.", check: zones),
    ]

    @Sendable private static func quantities(_ set: ManifestSet) -> [Place] {
        func bad(_ amounts: JSONValue?) -> [String] {
            (amounts?.objectValue?.members ?? []).compactMap { member in
                let text: String = member.value.stringValue ?? member.value.text()
                return Quantity.parse(text).map { $0 >= 0 } == true ? nil : "\(member.key): \(text)"
            }
        }
        var places: [Place] = []
        for pod in set.pods {
            let amounts: [JSONValue?] =
                pod.allContainers.flatMap { [$0["resources"]?["requests"], $0["resources"]?["limits"]] }
                + pod.volumes.map { volume in volume["emptyDir"]?["sizeLimit"].map { ["sizeLimit": $0] } }
            places += amounts.flatMap { bad($0) }.map { Place(object: pod.owner, detail: "\($0) is no amount.") }
        }
        for object in set.of("PersistentVolumeClaim") + set.of("ResourceQuota") {
            let amounts: JSONValue? = object.spec["resources"]?["requests"] ?? object.spec["hard"]
            places += bad(amounts).map { Place(object: object, detail: "\($0) is no amount.") }
        }
        return places
    }

    @Sendable private static func unequalAccelerators(_ set: ManifestSet) -> [Place] {
        set.pods.flatMap { pod in
            pod.allContainers.compactMap { container -> Place? in
                let (asked, most) = (pod.accelerators(container, "requests"), pod.accelerators(container, "limits"))
                guard asked != most, asked != nil || most == nil else { return nil }
                return Place(
                    object: pod.owner,
                    detail:
                        "\(Int(asked ?? 0)) GPUs are requested and \(most.map { "\(Int($0))" } ?? "none") are the limit."
                )
            }
        }
    }

    private static func memory(_ container: JSONValue, _ side: String) -> Double? {
        container["resources"]?[side]?["memory"]?.stringValue.flatMap { Quantity.parse($0) }
    }

    @Sendable private static func unequalMemory(_ set: ManifestSet) -> [Place] {
        set.pods.filter(\.serves).flatMap { pod in
            pod.containers.compactMap { container -> Place? in
                let sides: [JSONValue?] = ["requests", "limits"].map { container["resources"]?[$0]?["memory"] }
                // What is no amount at all is another rule's.
                let isReadable: Bool = sides.compactMap { $0?.stringValue }.allSatisfy { Quantity.parse($0) != nil }
                guard isReadable, sides[0] == nil || memory(container, "requests") != memory(container, "limits") else {
                    return nil
                }
                return Place(
                    object: pod.owner,
                    detail:
                        "Memory \(sides[0]?.text() ?? "none") is requested, \(sides[1]?.text() ?? "none") the limit.")
            }
        }
    }

    @Sendable private static func sharedMemory(_ set: ManifestSet) -> [Place] {
        set.pods.filter(\.serves).compactMap { pod in
            let shared: Double = pod.volumes.reduce(0) { sum, volume in
                guard volume["emptyDir"]?["medium"]?.stringValue == "Memory" else { return sum }
                return sum + (volume["emptyDir"]?["sizeLimit"]?.stringValue.flatMap { Quantity.parse($0) } ?? .infinity)
            }
            guard let container = pod.containers.first, let limit = memory(container, "limits"), shared >= limit else {
                return nil
            }
            return Place(
                object: pod.owner,
                detail: "Memory-backed volumes take \(shared / 0x1p30) GiB of a limit of \(limit / 0x1p30) GiB.")
        }
    }

    @Sendable private static func security(_ set: ManifestSet) -> [Place] {
        let isRestricted: Bool = set.of("Namespace").contains {
            $0.tree["metadata"]?["labels"]?["pod-security.kubernetes.io/enforce"]?.stringValue == "restricted"
        }
        guard isRestricted else {
            return set.of("Namespace").map { Place(object: $0, detail: "It does not enforce the restricted level.") }
        }
        return set.pods.flatMap { pod in
            PodSecurity.breaches(pod).map { Place(object: pod.owner, detail: $0) }
        }
    }

    @Sendable private static func tolerations(_ set: ManifestSet) -> [Place] {
        set.pods.flatMap { pod in
            (pod.spec["tolerations"]?.arrayValue ?? []).compactMap { toleration -> Place? in
                let name: String = toleration["operator"]?.stringValue ?? "Equal"
                if name == "Exists", toleration["value"] == nil || toleration["value"]?.stringValue == "" { return nil }
                if name == "Equal" { return nil }
                return Place(object: pod.owner, detail: "The operator \(name) of a toleration cannot stand so.")
            }
        }
    }

    @Sendable private static func gpuSelectors(_ set: ManifestSet) -> [Place] {
        guard let hardware = set.plan?.choice.hardware else { return [] }
        let products: Set<String> = Set(hardware.labels.values).union(["nvidia-h100-mega-80gb"])
        let instances: [String] = hardware.nodes.map(\.instance)
        return set.pods.filter { $0.serves && $0.accelerators > 0 }.compactMap { pod in
            let labels: JSONValue? = pod.spec["nodeSelector"]
            let label: String? = [NodeChoice.productLabel, NodeChoice.gkeLabel].compactMap { labels?[$0]?.stringValue }
                .first
            if let label {
                return products.contains(label)
                    ? nil : Place(object: pod.owner, detail: "It selects \(label), the plan has \(hardware.title).")
            }
            let types: [String] = NodeAffinity.values(pod.spec, NodeChoice.instanceLabel)
            guard types.isEmpty || !types.allSatisfy({ instances.contains($0) }) else { return nil }
            return Place(
                object: pod.owner, detail: "It takes GPUs, but selects no accelerator of the plan (\(hardware.title)).")
        }
    }

    @Sendable private static func collectives(_ set: ManifestSet) -> [Place] {
        set.pods.flatMap { pod in
            pod.containers.flatMap { $0["env"]?.arrayValue ?? [] }.compactMap { variable -> Place? in
                guard let name = variable["name"]?.stringValue, name.hasPrefix("NCCL_") else { return nil }
                let ranks: Double =
                    pod.accelerators * Double(max(1, pod.owner.spec["leaderWorkerTemplate"]?["size"]?.intValue ?? 1))
                if ranks <= 1 {
                    return Place(object: pod.owner, detail: "\(name) is set, but a replica has one accelerator.")
                }
                guard name == "NCCL_SOCKET_IFNAME", variable["value"]?.stringValue == "lo" else { return nil }
                return Place(object: pod.owner, detail: "NCCL_SOCKET_IFNAME is lo.")
            }
        }
    }

    @Sendable private static func zones(_ set: ManifestSet) -> [Place] {
        set.pods.filter { $0.owner.kind == "LeaderWorkerSet" && $0.count > 0 }
            .filter { $0.spec["nodeSelector"]?[NodeChoice.zoneLabel] == nil }
            .map { Place(object: $0.owner, detail: "Its pods may lie in several zones.") }
    }
}

/// Node affinities.
enum NodeAffinity {
    /// The values that a required affinity has for a key.
    static func values(_ spec: JSONValue, _ key: String) -> [String] {
        let required: JSONValue? = spec["affinity"]?["nodeAffinity"]?["requiredDuringSchedulingIgnoredDuringExecution"]
        return (required?["nodeSelectorTerms"]?.arrayValue ?? []).flatMap { $0["matchExpressions"]?.arrayValue ?? [] }
            .filter { $0["key"]?.stringValue == key }.flatMap { $0["values"]?.arrayValue ?? [] }.compactMap(
                \.stringValue)
    }
}

/// The restricted Pod Security Standard. Source: kubernetes.io/docs/concepts/security/pod-security-standards.
enum PodSecurity {
    static func breaches(_ pod: PodView) -> [String] {
        let spec: JSONValue = pod.spec
        var found: [String] = []
        for flag in ["hostNetwork", "hostPID", "hostIPC"] where spec[flag]?.boolValue == true {
            found.append("\(flag) is true.")
        }
        found += pod.volumes.filter { $0["hostPath"] != nil }.map {
            "The volume \($0["name"]?.stringValue ?? "") is a host path."
        }
        return found + pod.allContainers.flatMap { container(spec["securityContext"], $0) }
    }

    private static func container(_ pod: JSONValue?, _ container: JSONValue) -> [String] {
        let own: JSONValue? = container["securityContext"]
        let name: String = container["name"]?.stringValue ?? ""
        func setting(_ key: String) -> JSONValue? { own?[key] ?? pod?[key] }
        let dropped: [JSONValue] = own?["capabilities"]?["drop"]?.arrayValue ?? []
        let added: [JSONValue] = (own?["capabilities"]?["add"]?.arrayValue ?? []).filter {
            $0.stringValue != "NET_BIND_SERVICE"
        }
        let checks: [(Bool, String)] = [
            (own?["privileged"]?.boolValue != true, "is privileged"),
            (own?["allowPrivilegeEscalation"]?.boolValue == false, "may escalate its rights"),
            (setting("runAsNonRoot")?.boolValue == true, "may run as root"),
            (setting("runAsUser")?.intValue != 0, "runs as root"),
            (dropped.contains("ALL"), "does not drop ALL capabilities"), (added.isEmpty, "adds capabilities"),
            (
                ["RuntimeDefault", "Localhost"].contains(setting("seccompProfile")?["type"]?.stringValue ?? ""),
                "has no seccomp profile"
            ),
        ]
        return checks.filter { !$0.0 }.map { "Container \(name) \($0.1)." }
    }
}
