// What ranks and stages spend on talking to each other, from the links that join them.
import CServeCore

/// The communication of one replica.
struct CollectiveModel: Sendable {
    let placement: ReplicaPlacement
    let engine: EngineProfile
    let library: UtilisationLibrary

    init(_ placement: ReplicaPlacement, engine: EngineProfile, library: UtilisationLibrary) {
        self.library = library
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

    /// The sum of `bytes` on every rank.
    func allReduce(bytes: Double, captured: Bool) -> TimeEstimate {
        let ranks: Int = placement.parallelism.tensor
        guard ranks > 1 else { return TimeEstimate(seconds: 0, evidence: .measured) }
        if placement.node.interconnect.kind == .shared || placement.accelerator.kind == .cpu {
            let moved: Double = 2 * Double(ranks - 1) / Double(ranks) * bytes
            return TimeEstimate(seconds: 2e-6 + moved / ring.bandwidth, evidence: .theoretical)
        }
        var best: TimeEstimate = time(bytes: bytes, way: "nccl")
        let links: Interconnect.Kind = placement.node.interconnect.kind
        // vLLM turns its own kernels off for more than two accelerators that only PCIe joins.
        guard engine.collective == .custom, links == .nvswitch || ranks == 2 else { return best }
        // Elsewhere engines take their own kernel where it is faster, which is below some size.
        let own: TimeEstimate = time(bytes: bytes, way: captured ? "graph" : "eager")
        if own.seconds < best.seconds { best = own }
        return best
    }

    private func time(bytes: Double, way: String) -> TimeEstimate {
        let ranks: Int = placement.parallelism.tensor
        let kind: Interconnect.Kind = placement.node.interconnect.kind
        if ranks <= placement.node.count,
            let curve = library.collective(way, ranks: ranks, for: placement.accelerator, links: kind)
        {
            return curve.time(bytes: bytes)
        }
        let seconds: Double = CollectiveTheory().seconds(bytes: bytes, ranks: ranks, link: ring, way: way)
        return TimeEstimate(seconds: seconds, evidence: .theoretical)
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
