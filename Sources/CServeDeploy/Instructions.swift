// The README of a rendering: the steps from these files to a service, for this very plan.

import CServeCore

/// Writes the steps.
struct Instructions {
    let context: DeploymentContext
    let notes: [String]

    /// The whole text.
    var text: String {
        let plan: DeploymentPlan = context.plan
        let price: String =
            plan.choice.hardware.usdPerHour.map { "$\(($0 * 100).rounded() / 100) an hour" } ?? "price unknown"
        let targets: String =
            plan.guarantee.objective.targets.isEmpty ? "no latency limits" : "\(plan.guarantee.objective)"
        return """
            # \(context.name)

            \(plan.model.name) on \(plan.choice.name), \(price): up to \((plan.guarantee.requestRate * 100).rounded() / 100) \
            requests/s of workload \(plan.workload.name) within \(targets).
            Plan sha256:\(context.digest), engine \(context.options.engine.rawValue), image \(context.options.image).

            ## To know

            \(notes.map { "- " + $0 }.joined(separator: "\n"))

            ## Steps

            \(steps)

            """
    }

    private var steps: String {
        switch context.options.target {
        case .local:
            "`./run.sh` runs the fleet in the foreground (`cserve` must be on the PATH). `fleet.json` describes it."
        case .compose: compose
        case .snowpark: snowpark
        case .kubernetes, .gke, .eks: cluster
        }
    }

    private var compose: String {
        """
            export CSERVE_API_KEY=$(openssl rand -hex 32)
            docker compose up -d
        """
    }

    private var snowpark: String {
        """
        1. Make the repository and the stages: the first statements of `deploy.sql`.
        2. Push the image (linux/amd64) to the repository that `SHOW IMAGE REPOSITORIES` names, and give its path to
           `--image` (`/database/schema/images/cserve:TAG`).
        3. Put the weights on the stage `models`, in the folder `\(context.modelFolder.split(separator: "/").last ?? "")`.
        4. Run the rest of `deploy.sql` in its order, as a role that may BIND SERVICE ENDPOINT.
        """
    }

    private var cluster: String {
        var lines: [String] = []
        switch context.options.target {
        case .gke: lines.append("CLUSTER=my-cluster cluster/node-pools.sh")
        case .eks: lines.append("eksctl create nodegroup -f cluster/node-groups.yaml")
        default: break
        }
        let (name, space): (String, String) = (context.name, context.options.namespace)
        lines += [
            "kubectl create namespace \(space) --dry-run=client -o yaml | kubectl apply -f -",
            "kubectl -n \(space) create secret generic \(name)-api-key --from-literal=key=\"$(openssl rand -hex 32)\"",
        ]
        if context.needsWeights, context.options.model != nil, context.options.modelCache != .image {
            lines.append(
                "kubectl -n \(space) create secret generic \(name)-hub-token --from-file=token=$HOME/.cache/huggingface/token"
            )
        }
        lines.append(apply)
        lines.append(
            "kubectl -n \(space) rollout status \(context.shape.podsPerReplica > 1 ? "leaderworkerset" : "deployment")/\(name) --timeout=\(2 * context.shape.times.startupSeconds)s"
        )
        let needs: String = needed.map { "- " + $0 }.joined(separator: "\n")
        return lines.map { "    " + $0 }.joined(separator: "\n") + "\n\nThe cluster needs:\n\n\(needs)"
    }

    private var apply: String {
        switch context.options.format {
        case .plain: "kubectl apply --server-side -f manifests/"
        case .kustomize: "kubectl apply --server-side -k base/"
        case .helm: "helm upgrade --install \(context.name) chart/ --namespace \(context.options.namespace)"
        }
    }

    private var needed: [String] {
        var needed: [String] = [
            "Kubernetes 1.30 or later (the `sleep` of `preStop`)\(context.options.modelCache == .image ? "; image volumes: 1.36, or the feature gate ImageVolume" : "")",
            "the Prometheus operator, whose stack selects `release: kube-prometheus-stack` and lies in the namespace `monitoring`",
            "clients in pods or namespaces with the label `\(KubernetesManifests.clientLabel): \"true\"`: all others are denied",
        ]
        if context.shape.usesGPUs {
            needed.append(
                "NVIDIA's device plugin\(context.options.target == .kubernetes ? " and GPU feature discovery" : "")")
        }
        if context.shape.podsPerReplica > 1 { needed.append("LeaderWorkerSet 0.9 or later") }
        if context.shape.maxReplicas > context.shape.replicas {
            needed.append(
                context.options.autoscaler == .keda
                    ? "KEDA"
                    : "prometheus-adapter, which serves `\(KubernetesManifests.inFlightMetric)` per pod as `\(Metrics(context).inFlight)`"
            )
        }
        return needed
    }
}
