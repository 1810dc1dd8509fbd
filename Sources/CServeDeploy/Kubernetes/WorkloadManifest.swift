// The replicas: a Deployment where a replica is one pod, a LeaderWorkerSet where it is a group.

import CServeCore

extension KubernetesManifests {
    /// The workload.
    /// - Throws: ``DeployError``.
    func workload() throws(DeployError) -> JSONValue {
        guard context.shape.podsPerReplica > 1 else { return try deployment() }
        guard context.options.engine == .vllm else {
            throw .spansNodes(
                what: "engine cserve", ranks: context.shape.ranks, nodeAccelerators: context.shape.podAccelerators,
                advice: "Plan with smaller --tp and --pp or larger nodes, or render with --engine vllm.")
        }
        return try group()
    }

    /// Whether an autoscaler owns the number of replicas; then no manifest states it, or every apply would reset it.
    var isScaled: Bool { context.shape.maxReplicas > context.shape.replicas }

    private var stated: JSONValue? { isScaled ? nil : .integer(context.shape.replicas) }

    /// What is written on the workload for people and for the lint.
    private var notes: [(String, String)] {
        [
            ("cserve.dev/option", context.plan.choice.name),
            ("cserve.dev/rollout", Rollout(context.shape, context.options).sentence),
            ("cserve.dev/predicted-load-seconds", "\(context.shape.times.loadSeconds)"),
        ]
    }

    private func deployment() throws(DeployError) -> JSONValue {
        object(
            "apps/v1", "Deployment", metadata(context.name, annotations: notes),
            [
                (
                    "spec",
                    .members([
                        ("replicas", stated), ("revisionHistoryLimit", 5), ("minReadySeconds", 10),
                        ("progressDeadlineSeconds", .integer(progressSeconds)),
                        ("strategy", Rollout(context.shape, context.options).strategy),
                        ("selector", ["matchLabels": .map(serving)]), ("template", try podTemplate(.engine)),
                    ])
                )
            ])
    }

    /// A rollout may take as long as a start may, after the weights have been waited for.
    private var progressSeconds: Int { 2 * context.shape.times.startupSeconds + context.shape.times.graceSeconds }

    /// Groups of pods, one node each. A group is made anew as a whole, but not while its images are still being pulled
    /// (RecreateGroupAfterStart, LeaderWorkerSet 0.9).
    private func group() throws(DeployError) -> JSONValue {
        let surge: Int = Rollout(context.shape, context.options).surge
        return object(
            "leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", metadata(context.name, annotations: notes),
            [
                (
                    "spec",
                    .members([
                        ("replicas", stated), ("startupPolicy", "LeaderCreated"),
                        ("networkConfig", ["subdomainPolicy": "UniquePerReplica"]),
                        (
                            "rolloutStrategy",
                            [
                                "type": "RollingUpdate",
                                "rollingUpdateConfiguration": [
                                    "maxUnavailable": .integer(surge > 0 ? 0 : 1), "maxSurge": .integer(surge),
                                    "partition": 0,
                                ],
                            ]
                        ),
                        (
                            "leaderWorkerTemplate",
                            [
                                "size": .integer(context.shape.podsPerReplica),
                                "restartPolicy": "RecreateGroupAfterStart",
                                "leaderTemplate": try podTemplate(.engine), "workerTemplate": try podTemplate(.worker),
                            ]
                        ),
                    ])
                )
            ])
    }
}

/// How a new version takes the old one's place.
struct Rollout {
    /// Replicas that start before one ends.
    let surge: Int
    private let replicas: Int
    private let isGroup: Bool

    init(_ shape: DeploymentShape, _ options: DeployOptions) {
        surge = options.spareReplicas > 0 ? 1 : 0
        replicas = shape.replicas
        isGroup = shape.podsPerReplica > 1
    }

    /// With a spare replica's accelerators: start first. Without: end first. One replica and no spare: all at once, for
    /// a rolling update that may neither add nor take away would never end.
    var strategy: JSONValue {
        guard surge > 0 || replicas > 1 else { return ["type": "Recreate"] }
        return [
            "type": "RollingUpdate",
            "rollingUpdate": ["maxSurge": .integer(surge), "maxUnavailable": .integer(surge > 0 ? 0 : 1)],
        ]
    }

    /// The capacity that a rollout costs.
    var sentence: String {
        if surge > 0 { return "a new replica starts before an old one ends: capacity does not dip" }
        if replicas == 1 { return "the only replica ends before the new one starts: no capacity until it is ready" }
        let share: Int = Int((100 / Double(replicas)).rounded())
        return "one of \(replicas) replicas at a time: capacity dips by \(share)%"
    }
}
