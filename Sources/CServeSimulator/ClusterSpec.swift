// What is simulated: copies of a model behind a router.
import CServeCore
import CServeScheduling

/// Replicas and how requests are shared out among them.
public struct ClusterSpec: Sendable {
    /// The replicas; they may differ.
    public var replicas: [ReplicaSpec]
    /// Who gets which request.
    public var routing: RoutingPolicy

    /// Describes a cluster.
    public init(_ replicas: [ReplicaSpec], routing: RoutingPolicy = .leastLoad) {
        precondition(!replicas.isEmpty, "a cluster without replicas")
        self.replicas = replicas
        self.routing = routing
    }

    /// So many equal replicas.
    public init(_ replica: ReplicaSpec, count: Int = 1, routing: RoutingPolicy = .leastLoad) {
        self.init(Array(repeating: replica, count: count), routing: routing)
    }
}
