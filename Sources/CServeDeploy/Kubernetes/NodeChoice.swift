// Which nodes a pod may run on: every cloud names its accelerators by a label of its own.

import CServeCore

/// The node labels of a target.
struct NodeChoice {
    let context: DeploymentContext

    static let productLabel: String = "nvidia.com/gpu.product"
    static let gkeLabel: String = "cloud.google.com/gke-accelerator"
    static let instanceLabel: String = "node.kubernetes.io/instance-type"
    static let zoneLabel: String = "topology.kubernetes.io/zone"

    /// The selector: the accelerator's label, and the zone where one is asked for.
    /// - Throws: ``DeployError/noLabel(target:accelerator:label:)``.
    func selector() throws(DeployError) -> JSONValue? {
        var labels: [(String, String)] = []
        if context.shape.usesGPUs {
            switch context.options.target {
            case .gke: labels.append((Self.gkeLabel, try gkeValue()))
            case .eks: break
            default: labels.append((Self.productLabel, try label(Self.productLabel)))
            }
        }
        if let zone = context.options.zone { labels.append((Self.zoneLabel, zone)) }
        return labels.isEmpty ? nil : .map(labels)
    }

    /// EKS: the instance types of the plan; its nodes carry no product label unless feature discovery is installed.
    var affinity: JSONValue? {
        guard context.options.target == .eks, context.shape.usesGPUs else { return nil }
        let instances: [String] = context.plan.choice.hardware.nodes.map(\.instance)
        let match: JSONValue = [
            "key": .string(Self.instanceLabel), "operator": "In", "values": .strings(instances),
        ]
        return [
            "nodeAffinity": [
                "requiredDuringSchedulingIgnoredDuringExecution": ["nodeSelectorTerms": [["matchExpressions": [match]]]]
            ]
        ]
    }

    /// GPU nodes are tainted so that nothing else takes their place.
    var tolerations: JSONValue? {
        context.shape.usesGPUs ? [["key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"]] : nil
    }

    /// GKE's own value; a3-megagpu machines have another than a3-highgpu ones for the same accelerator.
    func gkeValue() throws(DeployError) -> String {
        let isMega: Bool = context.plan.choice.hardware.nodes.contains { $0.instance.hasPrefix("a3-megagpu") }
        return isMega ? "nvidia-h100-mega-80gb" : try label(Self.gkeLabel)
    }

    private func label(_ key: String) throws(DeployError) -> String {
        let hardware: PlanHardware = context.plan.choice.hardware
        guard let value = hardware.labels[key] else {
            throw .noLabel(target: context.options.target.rawValue, accelerator: hardware.accelerator, label: key)
        }
        return value
    }
}

/// Settings of NVIDIA's collective library, only where several accelerators meet.
enum CollectiveSettings {
    /// Environment variables.
    static func variables(_ shape: DeploymentShape, hasRDMA: Bool) -> [(String, String)] {
        guard shape.usesGPUs, shape.ranks > 1 else { return [] }
        var variables: [(String, String)] = [("NCCL_DEBUG", "WARN")]
        switch shape.interconnect {
        // No path between the cards: NCCL may hang where it only seems to have one.
        case .pcieHost: variables.append(("NCCL_P2P_DISABLE", "1"))
        case .pciePeer: variables.append(("NCCL_P2P_LEVEL", "PHB"))
        case .none, .nvlinkPairs, .nvswitch, .shared: break
        }
        guard shape.podsPerReplica > 1 else { return variables }
        variables.append(("NCCL_SOCKET_IFNAME", "eth0"))
        if !hasRDMA { variables.append(("NCCL_IB_DISABLE", "1")) }
        return variables
    }
}
