// Who may talk to whom: the namespace denies everything, and each need has its policy.

import CServeCore

extension KubernetesManifests {
    /// The label of namespaces and pods whose clients may ask.
    static let clientLabel: String = "cserve.dev/client"

    /// All policies.
    var networkPolicies: [JSONValue] {
        var policies: [JSONValue] = [denyAll, clients]
        if context.shape.podsPerReplica > 1 { policies.append(group) }
        if context.needsWeights, context.options.model != nil, context.options.modelCache != .image {
            policies.append(hub)
        }
        return policies
    }

    private func policy(_ name: String, _ spec: [(String, JSONValue?)]) -> JSONValue {
        object("networking.k8s.io/v1", "NetworkPolicy", metadata(name), [("spec", .members(spec))])
    }

    private var denyAll: JSONValue {
        policy("\(context.name)-deny", [("podSelector", .members([])), ("policyTypes", ["Ingress", "Egress"])])
    }

    /// In: clients with the label, wherever their namespace has it too, and Prometheus. Out: nothing, for an engine asks nobody.
    private var clients: JSONValue {
        let http: JSONValue = [["port": "http", "protocol": "TCP"]]
        let label: JSONValue = .map([(Self.clientLabel, "true")])
        return policy(
            context.name,
            [
                ("podSelector", ["matchLabels": .map(serving)]), ("policyTypes", ["Ingress"]),
                (
                    "ingress",
                    [
                        [
                            "from": [
                                ["podSelector": ["matchLabels": label]], ["namespaceSelector": ["matchLabels": label]],
                            ], "ports": http,
                        ],
                        [
                            "from": [
                                ["namespaceSelector": ["matchLabels": ["kubernetes.io/metadata.name": "monitoring"]]]
                            ], "ports": http,
                        ],
                    ]
                ),
            ])
    }

    /// The pods of a group reach each other on any port (collectives choose theirs), and ask for each other's addresses.
    private var group: JSONValue {
        let peers: JSONValue = [["podSelector": ["matchLabels": .map(selector)]]]
        return policy(
            "\(context.name)-group",
            [
                ("podSelector", ["matchLabels": .map(selector)]), ("policyTypes", ["Ingress", "Egress"]),
                ("ingress", [["from": peers]]), ("egress", [["to": peers], names]),
            ])
    }

    /// Whoever fetches weights reaches the hub, and private networks not at all.
    private var hub: JSONValue {
        let component: String = context.options.modelCache == .node ? "engine" : "fetch"
        let outside: JSONValue = [
            "ipBlock": [
                "cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"],
            ]
        ]
        return policy(
            "\(context.name)-hub",
            [
                ("podSelector", ["matchLabels": .map(selector + [("app.kubernetes.io/component", component)])]),
                ("policyTypes", ["Egress"]),
                ("egress", [["to": [outside], "ports": [["port": 443, "protocol": "TCP"]]], names]),
            ])
    }

    /// The cluster's DNS.
    private var names: JSONValue {
        [
            "to": [
                [
                    "namespaceSelector": ["matchLabels": ["kubernetes.io/metadata.name": "kube-system"]],
                    "podSelector": ["matchLabels": ["k8s-app": "kube-dns"]],
                ]
            ], "ports": [["port": 53, "protocol": "UDP"], ["port": 53, "protocol": "TCP"]],
        ]
    }
}
