// What ranks and stages spend on talking to each other, from the links that join them.
import CServeCore

/// The communication of one replica.
struct CollectiveModel: Sendable {
    let placement: ReplicaPlacement
    let engine: EngineProfile

    init(_ placement: ReplicaPlacement, engine: EngineProfile) {
        self.placement = placement
        self.engine = engine
    }

    /// The link that bounds a ring over the ranks of a stage.
    private var ring: Link {
        let node: NodeSpec = placement.node
        let ranks: Int = placement.parallelism.tensor
        if ranks > node.count, let network = node.network { return network }
        if node.interconnect.kind == .nvlinkPairs, ranks > 2 {
            return node.interconnect.farLink ?? node.interconnect.link
        }
        return node.interconnect.link
    }

    /// The sum of `bytes` on every rank: a ring moves each byte `2 * (n - 1) / n` times over the slowest link.
    func allReduce(bytes: Double, captured: Bool) -> TimeEstimate {
        let ranks = Double(placement.parallelism.tensor)
        guard ranks > 1 else { return TimeEstimate(seconds: 0, evidence: .theoretical) }
        let link: Link = ring
        let moved: Double = 2 * (ranks - 1) / ranks * bytes
        return TimeEstimate(
            seconds: 2 * link.latency + moved / link.bandwidth + (captured ? 0 : 20e-6), evidence: .theoretical)
    }

    /// One message from a stage to the next one; each rank sends its share, or all of it where ranks hold the same.
    func send(bytes: Double, after stage: Int) -> TimeEstimate {
        let tensor: Int = placement.parallelism.tensor
        let node: NodeSpec = placement.node
        let last: Int = (stage + 1) * tensor - 1
        let crosses: Bool = node.count > 0 && last / node.count != (last + 1) / node.count
        var link: Link = node.interconnect.link
        if crosses {
            link = node.network ?? link
        } else if node.interconnect.kind == .nvlinkPairs, tensor > 1 || last % 2 == 1 {
            link = node.interconnect.farLink ?? link
        }
        return TimeEstimate(seconds: link.time(bytes: bytes), evidence: .theoretical)
    }
}
