// What an attention kernel has to compute and to move: the terms of its speed of light.
import CServeCore

/// The heads of one rank.
public struct AttentionShape: Hashable, Sendable {
    /// Query heads.
    public var heads: Int
    /// Key and value heads.
    public var kvHeads: Int
    /// Numbers per head (queries and keys).
    public var headDim: Int
    /// Numbers per head of the values; differs from ``headDim`` in latent attention.
    public var valueDim: Int
    /// The window, or nil.
    public var window: Int?
    /// Bytes of a cached number.
    public var cacheBytes: Double
    /// Bytes of the cache that one position takes, where heads share a latent; nil: keys and values per head.
    public var latentBytes: Double?

    /// Describes heads.
    public init(
        heads: Int, kvHeads: Int, headDim: Int, valueDim: Int? = nil, window: Int? = nil, cacheBytes: Double = 2,
        latentBytes: Double? = nil
    ) {
        self.heads = heads
        self.kvHeads = kvHeads
        self.headDim = headDim
        self.valueDim = valueDim ?? headDim
        self.window = window
        self.cacheBytes = cacheBytes
        self.latentBytes = latentBytes
    }

    /// Pairs of a query and a key that a piece of a prompt attends, causal and within the window.
    public func pairs(tokens: Double, context: Double) -> Double {
        let all: Double = tokens * (context + (tokens + 1) / 2)
        guard let window = window.map(Double.init), context + tokens > window else { return all }
        // Positions before the window is full see all before them, the others exactly the window.
        let growing: Double = max(0, min(tokens, window - context))
        return growing * (context + (growing + 1) / 2) + (tokens - growing) * window
    }

    /// Operations of that many pairs: a multiply-add counts as two.
    func operations(pairs: Double) -> Double { 2 * pairs * Double(heads) * Double(headDim + valueDim) }

    /// Bytes of the cache that one position takes.
    var bytesPerPosition: Double { latentBytes ?? Double(kvHeads) * Double(headDim + valueDim) * cacheBytes }

    /// Bytes of queries and results of one token.
    var bytesPerToken: Double { 2 * Double(heads) * Double(headDim + valueDim) }
}

/// Attention of a batch of like pieces of prompts.
struct PrefillWork: Hashable {
    var requests: Double
    var tokens: Double
    var context: Double
}

/// Attention of a batch of decodes of one mean context, their own positions included.
struct DecodeWork: Hashable {
    var requests: Double
    var context: Double
}
