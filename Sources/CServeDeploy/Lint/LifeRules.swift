// Rules on a pod's life and on how many there are: start, drain, rollout, evictions, scaling.

import CServeCore

extension LintRule {
    static let lifeRules: [LintRule] = [
        LintRule(
            "drain", what: "A pod's grace is longer than its preStop and its drain together.",
            why: "When it ends, the pod is killed with its answers half written.",
            fix: "Raise terminationGracePeriodSeconds above both.", check: drains),
        LintRule(
            "longest-answer", .warning, what: "The drain lasts as long as the longest answer that the plan allows.",
            why: "Answers that take longer than the drain are cut off at every rollout.",
            fix: "Render without --drain, or lower max_model_len.", check: longestAnswers),
        LintRule(
            "startup-budget", what: "A start may take three times the load time that is foreseen.",
            why: "A volume that is slow for once would restart the pod for ever.",
            fix: "Raise the startup probe's failureThreshold.", check: startupBudgets),
        LintRule(
            "liveness", what: "cserve's liveness asks the step heartbeat, its readiness the drain.",
            why: "A liveness probe of readiness kills pods that drain or are busy.",
            fix: "Use /livez for liveness, /readyz for readiness, /startupz for startup.", check: liveness),
        LintRule(
            "rollout-deadlock", what: "A rollout may add a replica or take one away.",
            why: "With neither it never ends.", fix: "Set maxSurge or maxUnavailable above 0.", check: rollouts),
        LintRule(
            "surge", what: "A rollout adds replicas only where accelerators stand by.",
            why: "Without free accelerators the new pod waits for the old one, which waits for the new one.",
            fix: "Use maxSurge 0 and maxUnavailable 1, or render with --spare.", check: surges),
        LintRule(
            "capacity-dip", what: "The workload says what a rollout costs in capacity.",
            why: "Who applies a plan must know when it serves less.", fix: "Render again.", check: dips),
    ]

    static let scaleRules: [LintRule] = [
        LintRule(
            "disruption-budget",
            what: "A disruption budget has one of minAvailable and maxUnavailable, and allows something.",
            why: "Both are refused; a budget of 0 blocks every drain of a node.", fix: "Keep maxUnavailable: 1.",
            check: budgets),
        LintRule(
            "scaling-bounds", what: "An autoscaler's least is not above its most.", why: "It is refused.",
            fix: "Correct the bounds.", check: scalingBounds),
        LintRule(
            "owned-replicas", what: "A workload states no replicas where an autoscaler owns them.",
            why: "Every apply would set the number back.", fix: "Take spec.replicas away.", check: ownedReplicas),
        LintRule(
            "quota", what: "The quota holds the most replicas.",
            why: "An autoscaler that runs into it cannot keep the targets.", fix: "Raise requests.nvidia.com/gpu.",
            check: quotas),
    ]

    @Sendable private static func drains(_ set: ManifestSet) -> [Place] {
        set.pods.filter(\.serves).compactMap { pod in
            guard let grace = pod.spec["terminationGracePeriodSeconds"]?.intValue else {
                return Place(object: pod.owner, detail: "It has the default grace of 30 s.")
            }
            let preStop: Int =
                pod.containers.compactMap { $0["lifecycle"]?["preStop"]?["sleep"]?["seconds"]?.intValue }.max() ?? 0
            let drain: Int =
                pod.containers.compactMap { ManifestSet.flag("--shutdown-timeout", ManifestSet.words($0)) }.max() ?? 0
            guard grace <= preStop + drain else { return nil }
            return Place(object: pod.owner, detail: "Grace \(grace) s, preStop \(preStop) s and drain \(drain) s.")
        }
    }

    @Sendable private static func longestAnswers(_ set: ManifestSet) -> [Place] {
        guard let plan = set.plan,
            let target = set.record["target"]?.stringValue.flatMap({ DeploymentTarget(rawValue: $0) })
        else { return [] }
        let longest: Int = ServingTimes(plan, DeployOptions(target: target), checkpointBytes: 0).longestAnswerSeconds
        return set.pods.filter(\.serves).compactMap { pod in
            let drains: [Int] = pod.containers.compactMap {
                ManifestSet.flag("--shutdown-timeout", ManifestSet.words($0))
            }
            guard let drain = drains.max(), drain < longest else { return nil }
            return Place(object: pod.owner, detail: "The drain takes \(drain) s, the longest answer \(longest) s.")
        }
    }

    @Sendable private static func startupBudgets(_ set: ManifestSet) -> [Place] {
        set.workloads.flatMap { workload -> [Place] in
            let foreseen: Int = workload.annotation("predicted-load-seconds").flatMap { Int($0) } ?? 0
            return set.pods.filter { $0.owner.title == workload.title }.flatMap(\.containers).compactMap { container in
                guard container["ports"] != nil else { return nil }
                guard let probe = container["startupProbe"] else {
                    return Place(object: workload, detail: "It has no startup probe.")
                }
                let budget: Int = (probe["periodSeconds"]?.intValue ?? 10) * (probe["failureThreshold"]?.intValue ?? 3)
                guard budget < 3 * foreseen else { return nil }
                return Place(object: workload, detail: "A start may take \(budget) s, \(foreseen) s are foreseen.")
            }
        }
    }

    @Sendable private static func liveness(_ set: ManifestSet) -> [Place] {
        set.pods.filter(\.serves).flatMap { pod in
            pod.containers.compactMap { container -> Place? in
                guard ManifestSet.words(container).first == "cserve", container["ports"] != nil else { return nil }
                let wanted: [(String, String)] = [
                    ("livenessProbe", "/livez"), ("readinessProbe", "/readyz"), ("startupProbe", "/startupz"),
                ]
                // Without a startup probe another rule speaks.
                let wrong: [String] = wanted.filter { probe, path in
                    guard let asked = container[probe]?["httpGet"]?["path"]?.stringValue else {
                        return probe != "startupProbe"
                    }
                    return asked != path
                }.map(\.0)
                return wrong.isEmpty
                    ? nil
                    : Place(
                        object: pod.owner, detail: "\(wrong.joined(separator: ", ")) asks the wrong path or nothing.")
            }
        }
    }

    private static func rolling(_ object: ManifestObject) -> (surge: JSONValue?, unavailable: JSONValue?)? {
        let rule: JSONValue? =
            object.spec["strategy"]?["rollingUpdate"] ?? object.spec["rolloutStrategy"]?["rollingUpdateConfiguration"]
        return rule.map { ($0["maxSurge"], $0["maxUnavailable"]) }
    }

    @Sendable private static func rollouts(_ set: ManifestSet) -> [Place] {
        set.workloads.compactMap { object in
            let zeros: [JSONValue?] = [0, "0%", "0"]
            guard let (surge, unavailable) = rolling(object), zeros.contains(surge), zeros.contains(unavailable) else {
                return nil
            }
            return Place(object: object, detail: "maxSurge and maxUnavailable are both 0.")
        }
    }

    @Sendable private static func surges(_ set: ManifestSet) -> [Place] {
        set.workloads.compactMap { object in
            // No strategy is a surge of a quarter.
            let spare: Int = set.record["spare_replicas"]?.intValue ?? 0
            let isGPU: Bool = set.pods.contains { $0.owner.title == object.title && $0.accelerators > 0 }
            guard isGPU, spare == 0, object.spec["strategy"]?["type"]?.stringValue != "Recreate" else { return nil }
            let zeros: [JSONValue?] = [0, "0%", "0"]
            guard let (surge, _) = rolling(object) else {
                return Place(object: object, detail: "It rolls out with the default surge.")
            }
            return zeros.contains(surge)
                ? nil
                : Place(
                    object: object,
                    detail: "maxSurge is \(surge?.text() ?? "the default"), and no replica's accelerators are spare.")
        }
    }

    @Sendable private static func dips(_ set: ManifestSet) -> [Place] {
        set.workloads.filter { ($0.annotation("rollout") ?? "").isEmpty }
            .map { Place(object: $0, detail: "cserve.dev/rollout is missing.") }
    }

    @Sendable private static func budgets(_ set: ManifestSet) -> [Place] {
        set.of("PodDisruptionBudget").compactMap { object in
            let (least, most) = (object.spec["minAvailable"], object.spec["maxUnavailable"])
            if least != nil, most != nil {
                return Place(object: object, detail: "It has minAvailable and maxUnavailable.")
            }
            return most == 0 ? Place(object: object, detail: "maxUnavailable is 0.") : nil
        }
    }

    @Sendable private static func scalingBounds(_ set: ManifestSet) -> [Place] {
        set.autoscalers.compactMap { object in
            let least: Int = (object.spec["minReplicas"] ?? object.spec["minReplicaCount"])?.intValue ?? 1
            let most: Int = (object.spec["maxReplicas"] ?? object.spec["maxReplicaCount"])?.intValue ?? 0
            return least > most ? Place(object: object, detail: "At least \(least), at most \(most) replicas.") : nil
        }
    }

    @Sendable private static func ownedReplicas(_ set: ManifestSet) -> [Place] {
        let owned: [String] = set.autoscalers.compactMap { $0.spec["scaleTargetRef"]?["name"]?.stringValue }
        return set.workloads.filter { owned.contains($0.name) && $0.spec["replicas"] != nil }
            .map { Place(object: $0, detail: "It states \($0.spec["replicas"]?.text() ?? "") replicas.") }
    }

    @Sendable private static func quotas(_ set: ManifestSet) -> [Place] {
        let perReplica: Double = set.pods.filter(\.serves).reduce(0) { $0 + $1.accelerators * Double($1.count) }
        let needed: Double = perReplica * Double(set.mostReplicas)
        return set.of("ResourceQuota").compactMap { object in
            guard let hard = object.spec["hard"]?["requests.nvidia.com/gpu"],
                let there = Quantity.parse(hard.stringValue ?? hard.text()), there < needed
            else { return nil }
            return Place(
                object: object,
                detail: "It allows \(Int(there)) GPUs, \(set.mostReplicas) replicas take \(Int(needed)).")
        }
    }
}
