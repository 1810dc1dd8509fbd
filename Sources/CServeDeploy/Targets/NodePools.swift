// The nodes that a plan counts on, as GKE's commands and as EKS's managed node groups.

import CServeCore

/// Node pools, one for each kind of machine in the plan.
struct NodePools {
    let context: DeploymentContext

    init(_ context: DeploymentContext) { self.context = context }

    private var nodes: [PlanNodes] { context.plan.choice.hardware.nodes }

    /// Nodes of a kind at most: the plan's, grown as the replicas may grow, and the spare ones.
    private func most(_ node: PlanNodes) -> Int {
        let replicas: Int = context.shape.maxReplicas + context.options.spareReplicas
        return (node.count * replicas + context.shape.replicas - 1) / context.shape.replicas
    }

    private func poolName(_ node: PlanNodes) -> String {
        String("\(context.name)-\(ResourceName.label(node.instance))".suffix(38)).trimmingDashes
    }

    /// Commands for GKE; a pool's name has at most 40 characters.
    /// - Throws: ``DeployError/noLabel(target:accelerator:label:)``.
    func gke() throws(DeployError) -> RenderedFile {
        let accelerator: String? = context.shape.usesGPUs ? try NodeChoice(context: context).gkeValue() : nil
        let region: String = nodes.compactMap(\.region).first ?? "us-central1"
        let zone: String = context.options.zone ?? region + "-c"
        let pools: [String] = nodes.map { pool($0, accelerator) }
        let text: String = """
            #!/bin/sh
            \(context.header("Makes the node pools of the plan: CLUSTER=name [LOCATION=\(zone)] [SPOT=--spot] ./node-pools.sh"))
            set -eu
            CLUSTER=${CLUSTER:?the name of the cluster}
            LOCATION=${LOCATION:-\(zone)}
            SPOT=${SPOT:-}

            \(pools.joined(separator: "\n"))

            """
        return RenderedFile(path: "cluster/node-pools.sh", text: text, isExecutable: true)
    }

    private func pool(_ node: PlanNodes, _ accelerator: String?) -> String {
        var lines: [String] = [
            "gcloud container node-pools create \(poolName(node)) --cluster \"$CLUSTER\" --location \"$LOCATION\" $SPOT",
            "--machine-type \(node.instance)",
        ]
        if let accelerator {
            lines.append("--accelerator type=\(accelerator),count=\(node.accelerators),gpu-driver-version=latest")
            lines.append("--node-taints nvidia.com/gpu=present:NoSchedule")
        }
        lines += [
            "--num-nodes \(node.count) --enable-autoscaling --min-nodes 0 --max-nodes \(most(node))",
            "--disk-type pd-balanced --disk-size 200 --workload-metadata GKE_METADATA",
        ]
        if context.shape.podsPerReplica > 1 { lines.append("--placement-type COMPACT") }
        return lines.joined(separator: " \\\n    ")
    }

    /// A configuration for eksctl.
    func eks() -> RenderedFile {
        let region: String = nodes.compactMap(\.region).first ?? "us-east-1"
        let tree: JSONValue = [
            "apiVersion": "eksctl.io/v1alpha5", "kind": "ClusterConfig",
            "metadata": ["name": "cserve", "region": .string(region)],
            "managedNodeGroups": .array(nodes.map { nodeGroup($0, region) }),
        ]
        let text: String = context.header(
            "The node groups of the plan: set metadata.name to the cluster's, then eksctl create nodegroup -f this")
        return RenderedFile(path: "cluster/node-groups.yaml", text: text + YAMLEmitter.text(tree))
    }

    /// One group in one zone where replicas span nodes: traffic between zones is slow and costs. The default disk of
    /// 20 GiB does not hold the image.
    private func nodeGroup(_ node: PlanNodes, _ region: String) -> JSONValue {
        let isGroup: Bool = context.shape.podsPerReplica > 1
        let zone: String? = context.options.zone ?? (isGroup ? region + "a" : nil)
        let taints: JSONValue = [["key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"]]
        return .members([
            ("name", .string(poolName(node))), ("instanceType", .string(node.instance)),
            ("amiFamily", "AmazonLinux2023"),
            ("availabilityZones", zone.map { .strings([$0]) }), ("minSize", 0),
            ("desiredCapacity", .integer(node.count)),
            ("maxSize", .integer(most(node))), ("volumeSize", 200), ("volumeType", "gp3"), ("privateNetworking", true),
            ("placement", isGroup ? ["groupName": .string(context.name)] : nil),
            ("efaEnabled", isGroup && context.options.hasRDMA ? true : nil),
            ("labels", .map([("cserve.dev/pool", poolName(node))])), ("taints", context.shape.usesGPUs ? taints : nil),
            ("propagateASGTags", true),
            (
                "iam",
                [
                    "attachPolicyARNs": [
                        "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy",
                        "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy",
                        "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly",
                    ]
                ]
            ),
        ])
    }
}
