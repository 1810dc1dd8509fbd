// The Kubernetes destination: which objects a plan becomes, and in which files they lie.

import CServeCore

/// Renders a plan's Kubernetes objects; GKE and EKS add node pools and choose nodes by their own labels.
struct KubernetesManifests {
    let context: DeploymentContext
    let engine: EngineCommand

    init(_ context: DeploymentContext) {
        self.context = context
        engine = EngineCommand(context: context)
    }

    /// Objects by file, in the order of their application.
    /// - Throws: ``DeployError``.
    func files() throws(DeployError) -> [(path: String, purpose: String, objects: [JSONValue])] {
        [
            ("00-namespace.yaml", "The namespace, its security level and its share of accelerators.", namespace),
            ("10-identity.yaml", "Who the pods are, and the plan that they run.", [serviceAccount, try planConfig()]),
            ("20-model.yaml", "The weights: where they lie and who fetches them.", modelCache),
            ("30-workload.yaml", "The replicas.", [try workload()]),
            (
                "40-service.yaml", "How clients reach the replicas, and how many may be evicted at once.",
                [service, budget]
            ),
            ("50-scaling.yaml", "How many replicas run.", scaling),
            ("60-network.yaml", "Who may talk to whom: nobody who is not named.", networkPolicies),
            ("70-monitoring.yaml", "What is watched: scraping, alerts on the plan's targets, a dashboard.", monitoring),
        ].filter { !$0.2.isEmpty }
    }

    // MARK: What all objects share.

    /// Labels that select this deployment's serving pods.
    var selector: [(String, String)] {
        [("app.kubernetes.io/name", "cserve"), ("app.kubernetes.io/instance", context.name)]
    }

    /// Labels of an object.
    var labels: JSONValue { .map(selector + [("app.kubernetes.io/managed-by", "cserve")]) }

    /// Labels that select the pods that answer: all of a single-node deployment, the leaders of groups.
    var serving: [(String, String)] { selector + [("app.kubernetes.io/component", "engine")] }

    /// Metadata with labels and the plan's digest.
    func metadata(_ name: String, annotations: [(String, String)] = [], isNamespaced: Bool = true) -> JSONValue {
        .members([
            ("name", .string(name)), ("namespace", isNamespaced ? .string(context.options.namespace) : nil),
            ("labels", labels),
            ("annotations", .map([("cserve.dev/plan-digest", "sha256:" + context.digest)] + annotations)),
        ])
    }

    /// An object.
    func object(_ version: String, _ kind: String, _ metadata: JSONValue, _ rest: [(String, JSONValue?)]) -> JSONValue {
        .members([("apiVersion", .string(version)), ("kind", .string(kind)), ("metadata", metadata)] + rest)
    }

    /// The name of the immutable ConfigMap: another plan gets another one, so that a rollback finds its own.
    var planConfigName: String { "\(context.name)-plan-\(context.shortDigest)" }
    /// The name of the model's volume claim.
    var modelClaimName: String { "\(context.name)-models" }
}

extension KubernetesManifests {
    /// The namespace under the restricted Pod Security Standard, and the quota: what the plan may take, no more.
    private var namespace: [JSONValue] {
        var labels: [(String, String)] = []
        for mode in ["enforce", "audit", "warn"] {
            labels.append(("pod-security.kubernetes.io/\(mode)", "restricted"))
            labels.append(("pod-security.kubernetes.io/\(mode)-version", "latest"))
        }
        let space: JSONValue = object(
            "v1", "Namespace",
            [
                "name": .string(context.options.namespace), "labels": .map(labels),
                "annotations": .map([("cserve.dev/plan-digest", "sha256:" + context.digest)]),
            ], [])
        guard context.shape.usesGPUs else { return [space] }
        let most: Int = (context.shape.maxReplicas + context.options.spareReplicas) * context.shape.ranks
        let quota: JSONValue = object(
            "v1", "ResourceQuota", metadata(context.name),
            [("spec", ["hard": ["requests.nvidia.com/gpu": .string("\(most)")]])])
        return [space, quota]
    }

    /// An identity without rights: nothing in a pod talks to the API server.
    private var serviceAccount: JSONValue {
        object("v1", "ServiceAccount", metadata(context.name), [("automountServiceAccountToken", false)])
    }

    /// The plan and the recipe; what the planner left out or set aside stays in the rendered `plan.json`.
    private func planConfig() throws(DeployError) -> JSONValue {
        var plan: DeploymentPlan = context.plan
        plan.alternatives = []
        plan.rejected = []
        return object(
            "v1", "ConfigMap", metadata(planConfigName),
            [
                ("immutable", true),
                (
                    "data",
                    [
                        "plan.json": .string(plan.json.text(.pretty) + "\n"),
                        "recipe.json": .string(RecipeText.json(context.recipe)),
                    ]
                ),
            ])
    }

    /// One address for all replicas; a group answers through its leader alone.
    private var service: JSONValue {
        object(
            "v1", "Service", metadata(context.name),
            [
                (
                    "spec",
                    [
                        "type": "ClusterIP", "selector": .map(serving),
                        "ports": [
                            [
                                "name": "http", "port": 80, "targetPort": "http", "protocol": "TCP",
                                "appProtocol": "http",
                            ]
                        ],
                    ]
                )
            ])
    }

    /// One replica at a time may be evicted, a whole group where it has several pods; a pod that is not ready does not hold
    /// up a drain of its node.
    private var budget: JSONValue {
        object(
            "policy/v1", "PodDisruptionBudget", metadata(context.name),
            [
                (
                    "spec",
                    [
                        "maxUnavailable": .integer(context.shape.podsPerReplica),
                        "unhealthyPodEvictionPolicy": "AlwaysAllow", "selector": ["matchLabels": .map(selector)],
                    ]
                )
            ])
    }
}

/// The recipe file of one replica.
enum RecipeText {
    /// JSON with CServe's public names.
    static func json(_ recipe: Recipe) -> String {
        ((try? JSONValue(encoding: recipe)) ?? .null).text(.pretty) + "\n"
    }
}
