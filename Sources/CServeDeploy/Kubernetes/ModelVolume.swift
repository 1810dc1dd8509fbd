// Where the weights come from: a claim filled once by a job, an image, or a disk of the pod's own.

import CServeCore

extension KubernetesManifests {
    /// The pod's volumes.
    var volumes: [JSONValue] {
        var volumes: [JSONValue] = []
        if let model = modelVolume { volumes.append(model) }
        volumes += [
            ["name": "plan", "configMap": ["name": .string(planConfigName)]],
            [
                "name": "shm",
                "emptyDir": [
                    "medium": "Memory", "sizeLimit": .string(Quantity.mebibytes(context.shape.sharedMemoryBytes)),
                ],
            ], ["name": "tmp", "emptyDir": ["sizeLimit": "10Gi"]],
        ]
        if fetchesInPod { volumes.append(tokenVolume) }
        return volumes
    }

    /// The engine's mounts.
    var mounts: [JSONValue] {
        var mounts: [JSONValue] = []
        if modelVolume != nil {
            mounts.append(["name": "models", "mountPath": .string(modelMountPath), "readOnly": true])
        }
        return mounts + [
            ["name": "plan", "mountPath": "/plan", "readOnly": true], ["name": "shm", "mountPath": "/dev/shm"],
            ["name": "tmp", "mountPath": "/tmp"],
        ]
    }

    /// An image is the folder itself; the other volumes hold folders.
    private var modelMountPath: String { context.options.modelCache == .image ? context.modelFolder : "/models" }

    private var modelVolume: JSONValue? {
        guard context.needsWeights else { return nil }
        switch context.options.modelCache {
        case .volume:
            return [
                "name": "models", "persistentVolumeClaim": ["claimName": .string(modelClaimName), "readOnly": true],
            ]
        case .image:
            return [
                "name": "models",
                "image": ["reference": .string(context.options.modelImage ?? ""), "pullPolicy": "IfNotPresent"],
            ]
        case .node:
            return ["name": "models", "ephemeral": ["volumeClaimTemplate": ["spec": claimSpec("ReadWriteOnce")]]]
        }
    }

    /// Twice the checkpoint: the next revision has room beside this one.
    private var claimBytes: Int { max(10 << 30, 2 * context.shape.checkpointBytes) }

    private func claimSpec(_ mode: String) -> JSONValue {
        .members([
            ("accessModes", [.string(mode)]), ("storageClassName", storageClass.map { .string($0) }),
            ("resources", ["requests": ["storage": .string(Quantity.gibibytes(claimBytes))]]),
        ])
    }

    /// Clouds' classes that many nodes can mount: Filestore on GKE, EFS on EKS (made by their CSI drivers' set-up).
    private var storageClass: String? {
        if let asked = context.options.storageClass { return asked }
        guard context.options.modelCache == .volume else { return nil }
        switch context.options.target {
        case .gke: return "standard-rwx"
        case .eks: return "efs-sc"
        default: return nil
        }
    }

    /// The claim and the job that fills it. The claim outlives plans: its folders are named by revision.
    var modelCache: [JSONValue] {
        guard context.needsWeights, context.options.modelCache == .volume else { return [] }
        let isShared: Bool = context.shape.maxReplicas * context.shape.podsPerReplica > 1
        let claim: JSONValue = object(
            "v1", "PersistentVolumeClaim", metadata(modelClaimName),
            [("spec", claimSpec(isShared ? "ReadWriteMany" : "ReadWriteOnce"))])
        guard let model = context.options.model else { return [claim] }
        return [claim, fetchJob(model)]
    }

    /// Fetches once for all pods; its name holds plan and model, for a job cannot be changed.
    private func fetchJob(_ model: HubModel) -> JSONValue {
        let pod: JSONValue = .members([
            ("serviceAccountName", .string(context.name)), ("automountServiceAccountToken", false),
            ("enableServiceLinks", false), ("restartPolicy", "OnFailure"), ("securityContext", Self.podSecurity),
            ("containers", [fetchContainer("fetch", model, waits: false)]),
            (
                "volumes",
                [
                    ["name": "models", "persistentVolumeClaim": ["claimName": .string(modelClaimName)]],
                    ["name": "tmp", "emptyDir": ["sizeLimit": "1Gi"]], tokenVolume,
                ]
            ),
        ])
        let labels: [(String, String)] = selector + [("app.kubernetes.io/component", "fetch")]
        return object(
            "batch/v1", "Job", metadata("\(context.name)-fetch-\(context.shortDigest)"),
            [
                (
                    "spec",
                    [
                        "backoffLimit": 10,
                        "template": [
                            "metadata": [
                                "labels": .map(labels),
                                "annotations": .map([("cserve.dev/plan-digest", "sha256:" + context.digest)]),
                            ], "spec": pod,
                        ],
                    ]
                )
            ])
    }

    /// Whether each pod fetches for itself.
    var fetchesInPod: Bool {
        context.needsWeights && context.options.modelCache == .node && context.options.model != nil
    }

    /// Before the engine: wait for the job's weights, or fetch the pod's own. Both are checked file by file.
    var weightsInit: JSONValue? {
        guard context.needsWeights, let model = context.options.model, context.options.modelCache != .image else {
            return nil
        }
        return [fetchContainer("weights", model, waits: context.options.modelCache == .volume)]
    }

    private func fetchContainer(_ name: String, _ model: HubModel, waits: Bool) -> JSONValue {
        var words: [String] = ["cserve", "fetch", model.description, "--to", context.modelFolder, "--quiet"]
        if waits { words += ["--offline", "--wait", "\(context.shape.times.startupSeconds)"] }
        var environment: [JSONValue] = [["name": "HOME", "value": "/tmp"]]
        var mounts: [JSONValue] = [
            .members([("name", "models"), ("mountPath", "/models"), ("readOnly", waits ? true : nil)]),
            ["name": "tmp", "mountPath": "/tmp"],
        ]
        if !waits {
            environment.append(["name": "HF_TOKEN_PATH", "value": "/run/hub/token"])
            mounts.append(["name": "hub-token", "mountPath": "/run/hub", "readOnly": true])
        }
        let sizes: JSONValue = ["memory": "1Gi", "ephemeral-storage": "2Gi"]
        return [
            "name": .string(name), "image": .string(context.options.fetcher), "imagePullPolicy": "IfNotPresent",
            "command": .strings(words), "env": .array(environment),
            "resources": ["requests": ["cpu": "1", "memory": "1Gi", "ephemeral-storage": "2Gi"], "limits": sizes],
            "terminationMessagePolicy": "FallbackToLogsOnError",
            "securityContext": Self.containerSecurity(readOnlyRoot: true), "volumeMounts": .array(mounts),
        ]
    }

    /// The hub's token as a file; absent for models that everybody may read.
    private var tokenVolume: JSONValue {
        [
            "name": "hub-token",
            "secret": [
                "secretName": .string("\(context.name)-hub-token"), "optional": true, "defaultMode": 0o440,
                "items": [["key": "token", "path": "token"]],
            ],
        ]
    }
}

/// Kubernetes' way to write amounts.
enum Quantity {
    static func mebibytes(_ bytes: Int) -> String {
        bytes % (1 << 30) == 0 ? "\(bytes >> 30)Gi" : "\((bytes + (1 << 20) - 1) >> 20)Mi"
    }

    static func gibibytes(_ bytes: Int) -> String { "\((bytes + (1 << 30) - 1) >> 30)Gi" }

    /// Bytes or units of an amount; nil where Kubernetes would refuse it. Source: apimachinery's resource.Quantity.
    static func parse(_ text: String) -> Double? {
        let number: Substring = text.prefix { $0.isASCII && ($0.isNumber || $0 == "." || $0 == "-" || $0 == "+") }
        guard let value = Double(number), number.last != "." else { return nil }
        let suffix: String = String(text.dropFirst(number.count))
        let scales: [String: Double] = [
            "": 1, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
            "Ki": 0x1p10, "Mi": 0x1p20, "Gi": 0x1p30, "Ti": 0x1p40, "Pi": 0x1p50, "Ei": 0x1p60,
        ]
        if let scale = scales[suffix] { return value * scale }
        guard suffix.hasPrefix("e") || suffix.hasPrefix("E"), let power = Int(suffix.dropFirst()), abs(power) <= 18
        else {
            return nil
        }
        return Double("\(number)e\(power)")
    }
}
