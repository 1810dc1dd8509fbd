// The pod of a replica: one hardened container, probes with their meanings, weights read-only, a drain that lasts.

import CServeCore

/// The part that a pod plays.
enum PodRole: String {
    /// Answers requests: the only pod of a replica, or the leader of its group.
    case engine
    /// Computes for a leader.
    case worker
}

extension KubernetesManifests {
    /// The pod's template.
    /// - Throws: ``DeployError``.
    func podTemplate(_ role: PodRole) throws(DeployError) -> JSONValue {
        let choice = NodeChoice(context: context)
        let spec: [(String, JSONValue?)] = [
            ("serviceAccountName", .string(context.name)), ("automountServiceAccountToken", false),
            ("enableServiceLinks", false),
            ("terminationGracePeriodSeconds", .integer(context.shape.times.graceSeconds)),
            ("nodeSelector", try choice.selector()), ("affinity", choice.affinity), ("tolerations", choice.tolerations),
            (
                "topologySpreadConstraints",
                context.shape.podsPerReplica == 1 && context.shape.maxReplicas > 1 ? spread : nil
            ),
            ("securityContext", Self.podSecurity), ("initContainers", weightsInit),
            ("containers", [try container(role)]),
            ("volumes", .array(volumes)),
        ]
        let annotations: [(String, String)] = [
            ("cserve.dev/plan-digest", "sha256:" + context.digest),
            ("cluster-autoscaler.kubernetes.io/safe-to-evict", "false"),
        ]
        return [
            "metadata": [
                "labels": .map(selector + [("app.kubernetes.io/component", role.rawValue)]),
                "annotations": .map(annotations),
            ], "spec": .members(spec),
        ]
    }

    /// User and group 10001: any that is not root. Recursive changes of owners take minutes on 140 GB: only where needed.
    static let podSecurity: JSONValue = [
        "runAsNonRoot": true, "runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001,
        "fsGroupChangePolicy": "OnRootMismatch", "seccompProfile": ["type": "RuntimeDefault"],
    ]

    /// What the restricted standard asks of a container. A GPU container's root stays writable: NVIDIA's CDI hook writes
    /// there before the engine starts.
    static func containerSecurity(readOnlyRoot: Bool) -> JSONValue {
        [
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": .bool(readOnlyRoot),
            "capabilities": ["drop": ["ALL"]],
        ]
    }

    /// Replicas prefer different zones.
    private var spread: JSONValue {
        [
            [
                "maxSkew": 1, "topologyKey": .string(NodeChoice.zoneLabel), "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": ["matchLabels": .map(serving)],
            ]
        ]
    }

    private func container(_ role: PodRole) throws(DeployError) -> JSONValue {
        let answers: Bool = role == .engine
        return .members([
            ("name", "engine"), ("image", .string(context.options.image)), ("imagePullPolicy", "IfNotPresent"),
            ("command", .strings(try command(role))), ("env", environment),
            (
                "ports",
                answers ? [["name": "http", "containerPort": .integer(context.options.port), "protocol": "TCP"]] : nil
            ),
            ("resources", resources), ("startupProbe", answers ? startupProbe : nil),
            ("readinessProbe", answers ? readinessProbe : nil), ("livenessProbe", answers ? livenessProbe : nil),
            ("lifecycle", ["preStop": ["sleep": ["seconds": .integer(ServingTimes.preStopSeconds)]]]),
            ("terminationMessagePolicy", "FallbackToLogsOnError"),
            ("securityContext", Self.containerSecurity(readOnlyRoot: !context.shape.usesGPUs)),
            ("volumeMounts", .array(mounts)),
        ])
    }

    /// The engine's words; the pods of a group find their leader by the variables of LeaderWorkerSet.
    private func command(_ role: PodRole) throws(DeployError) -> [String] {
        let words: [String] = try engine.words(host: "0.0.0.0", port: context.options.port, recipe: "/plan/recipe.json")
        guard context.shape.podsPerReplica > 1 else { return words }
        let group: [String] = [
            "--nnodes", "\(context.shape.podsPerReplica)", "--node-rank", role == .engine ? "0" : "$(LWS_WORKER_INDEX)",
            "--master-addr", "$(LWS_LEADER_ADDRESS)", "--master-port", "29500",
        ]
        return words + group + (role == .engine ? [] : ["--headless"])
    }

    /// Plain settings, the keys from a secret, and NCCL's where several accelerators meet.
    private var environment: JSONValue {
        let isVLLM: Bool = context.options.engine == .vllm
        var plain: [(String, String)] = [("HF_HUB_OFFLINE", "1")]
        if context.shape.usesGPUs { plain.append(("CUDA_DEVICE_ORDER", "PCI_BUS_ID")) }
        // Its caches need a home that may be written, and its compiler a user's name.
        if isVLLM { plain += [("HOME", "/tmp"), ("USER", "cserve"), ("VLLM_CACHE_ROOT", "/tmp/vllm")] }
        plain += CollectiveSettings.variables(context.shape, hasRDMA: context.options.hasRDMA)
        let key: JSONValue = [
            "name": isVLLM ? "VLLM_API_KEY" : "CSERVE_API_KEY",
            "valueFrom": ["secretKeyRef": ["name": .string(apiKeySecret), "key": "key"]],
        ]
        return .array([key] + plain.map { ["name": .string($0.0), "value": .string($0.1)] })
    }

    /// The secret with the key that clients bring; made by hand, so that no file holds it.
    var apiKeySecret: String { "\(context.name)-api-key" }

    /// Memory and accelerators as asked, no processor limit: throttling would stretch steps.
    private var resources: JSONValue {
        var requests: [(String, JSONValue)] = [
            ("cpu", .string("\(context.shape.processors)")),
            ("memory", .string(Quantity.mebibytes(context.shape.memoryBytes))),
            ("ephemeral-storage", "20Gi"),
        ]
        if context.shape.usesGPUs { requests.append(("nvidia.com/gpu", .string("\(context.shape.podAccelerators)"))) }
        return .members([
            ("requests", .object(JSONObject(requests))), ("limits", .object(JSONObject(Array(requests.dropFirst())))),
        ])
    }

    private func probe(_ path: String, period: Int, timeout: Int, failures: Int) -> JSONValue {
        [
            "httpGet": ["path": .string(path), "port": "http"], "periodSeconds": .integer(period),
            "timeoutSeconds": .integer(timeout), "failureThreshold": .integer(failures),
        ]
    }

    private var startupProbe: JSONValue {
        probe(
            engine.probes.startup, period: ServingTimes.startupPeriod, timeout: 5,
            failures: context.shape.times.startupProbes)
    }
    private var readinessProbe: JSONValue { probe(engine.probes.ready, period: 2, timeout: 2, failures: 2) }
    /// Slow on purpose: it fails on a stalled engine only, never on load.
    private var livenessProbe: JSONValue { probe(engine.probes.live, period: 10, timeout: 5, failures: 6) }
}
