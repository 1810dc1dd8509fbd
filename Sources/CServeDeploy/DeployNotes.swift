// What a reader has to know before applying: assumptions, dips of capacity, what is missing.

import CServeCore

/// Sentences about one rendering.
struct DeployNotes {
    let context: DeploymentContext

    init(_ context: DeploymentContext) { self.context = context }

    /// All of them.
    var all: [String] { [rollout, drain, load] + hardware + weights + targetLimits + watching + scaling }

    private var rollout: String { "Rollout: \(Rollout(context.shape, context.options).sentence)." }

    private var drain: String {
        let times: ServingTimes = context.shape.times
        return "Drain: running answers get \(times.drainSeconds) s; the longest answer that the plan allows takes "
            + "\(times.longestAnswerSeconds) s."
    }

    private var load: String {
        let times: ServingTimes = context.shape.times
        return "Start: \(times.loadSeconds) s foreseen (\(ByteCount(context.shape.checkpointBytes)) at "
            + "\(ByteCount(Int(context.options.loadBandwidth)))/s and the engine's own start), \(times.startupSeconds) s allowed."
    }

    private var hardware: [String] {
        guard context.options.engine == .cserve, context.shape.usesGPUs else { return [] }
        return [
            "The plan counts on GPUs: the image must hold a cserve that computes on them. A cserve that does not says so "
                + "when it starts; --engine vllm renders the same plan for vLLM."
        ]
    }

    private var weights: [String] {
        guard context.needsWeights else { return [] }
        guard let model = context.options.model else {
            return [
                "Weights: no model was named (--model OWNER/NAME@REVISION), so nothing fetches them. They are expected in "
                    + "\(context.modelFolder)."
            ]
        }
        return model.isPinned ? [] : ["Weights: \(model) names a branch, whose bytes can change. Name a commit."]
    }

    private var targetLimits: [String] {
        guard context.options.target == .snowpark else { return [] }
        let slowest: Double = context.plan.choice.prediction.e2e.p99.high / 1000
        guard slowest > Double(SnowparkManifests.ingressIdleSeconds) else { return [] }
        return [
            "Snowflake's ingress ends an answer after \(SnowparkManifests.ingressIdleSeconds) s without a byte, and 1% of the "
                + "answers may take \(Int(slowest)) s: clients must stream."
        ]
    }

    private var watching: [String] {
        guard context.options.target.isKubernetes else { return [] }
        return AlertRules(context).unwatched.map {
            "No alert watches \($0): Prometheus knows shares of answers within a limit, above the first edge of a histogram."
        }
    }

    private var scaling: [String] {
        guard context.options.target.isKubernetes, context.shape.maxReplicas > context.shape.replicas else { return [] }
        let cost: String =
            context.shape.usdPerReplicaHour.map {
                " That may cost up to $\((($0 * Double(context.shape.maxReplicas)) * 100).rounded() / 100) an hour."
            } ?? ""
        return [
            "Scaling: from \(context.shape.replicas) to \(context.shape.maxReplicas) replicas above "
                + "\(context.shape.requestsInFlight) requests in flight in each.\(cost)"
        ]
    }
}
