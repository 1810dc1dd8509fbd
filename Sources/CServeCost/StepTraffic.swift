// How many bytes a division makes accelerators send each other in a step: what slow links are slow at.
import CServeCore

/// What one accelerator of the first stage sends to others in a step.
public struct StepTraffic: Hashable, Sendable {
    /// Ranks of a stage.
    public let ranks: Int
    /// Stages.
    public let stages: Int
    /// Bytes of a token's activations, in 16 bits.
    public let bytesPerToken: Int
    /// Sums across ranks in the first stage: two in each layer (after attention, after the MLP), one of the embedding.
    public let sums: Int

    /// The traffic of a placed replica.
    public init(_ placement: ReplicaPlacement) {
        ranks = placement.parallelism.tensor
        stages = placement.parallelism.pipeline
        bytesPerToken = 2 * placement.shape.hiddenSize
        // Earlier stages take the layers that do not divide evenly.
        let layers: Int = (placement.shape.layers + stages - 1) / stages
        sums = ranks > 1 ? 2 * layers + 1 : 0
    }

    /// Bytes sent in a step of so many tokens: a ring's share of every sum, 2(n - 1)/n of it, and the activations for the
    /// next stage.
    public func bytes(tokens: Int) -> Int {
        let message: Int = tokens * bytesPerToken
        let ring: Int = sums * message * 2 * (ranks - 1) / ranks
        return ring + (stages > 1 ? message : 0)
    }
}
