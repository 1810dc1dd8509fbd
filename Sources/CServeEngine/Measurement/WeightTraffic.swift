// How many bytes and operations a step of a model needs at least: what its time is held against.

import CServeCore

/// The weights that one step touches.
public struct WeightTraffic: Hashable, Sendable {
    /// Bytes of packed weights read by a step.
    public var bytes: Double = 0
    /// Parameters that every computed token is multiplied with, the head's left out.
    public var parametersPerToken: Double = 0
    /// Parameters of the head.
    public var headParameters: Double = 0

    /// Counts the weights of all stages.
    ///
    /// The embedding is left out unless it is the head too (a step reads some of its rows). Of a mixture, the experts
    /// count that so many tokens choose if every choice is equally likely.
    /// - Parameter tokens: Tokens in the step.
    public init(shape: ModelShape, plans: [MemoryPlan], layouts: WeightLayouts, tokens: Int) {
        let chosen = shape.mixture.map { Double($0.perToken) / Double($0.experts) } ?? 1
        var unused = 1.0
        for _ in 0..<tokens { unused *= 1 - chosen }
        for plan in plans {
            guard let manifest = try? WeightManifest(shape: shape, shard: plan.shard) else { continue }
            let headIsApart = manifest.items.contains { $0.role == .head }
            for item in manifest.items where item.role != .embedding || (!headIsApart && plan.shard.hasHead) {
                let isHead = item.role == .head || item.role == .embedding
                bytes += Double(item.bytes(layouts[item])) * (item.expert == nil ? 1 : 1 - unused)
                guard item.columns != nil else { continue }
                let parameters = Double(item.parameters) * (item.expert == nil ? 1 : chosen)
                if isHead { headParameters += parameters } else { parametersPerToken += parameters }
            }
        }
    }

    /// Operations of products, a multiply-add counted as two.
    /// - Parameters:
    ///   - tokens: Tokens computed.
    ///   - sampled: Rows whose logits are computed.
    public func operations(tokens: Int, sampled: Int) -> Double {
        2 * (parametersPerToken * Double(tokens) + headParameters * Double(sampled))
    }
}
