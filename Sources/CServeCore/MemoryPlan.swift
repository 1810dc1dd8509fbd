// The bytes that one rank of one stage takes: the engine obeys this plan and the planner calls it.

/// How the paged cache of one stage and rank is laid out.
public struct KVCachePlan: Hashable, Codable, Sendable {
    /// Layers of this stage.
    public var layers: Int
    /// Blocks in the pool.
    public var blocks: Int
    /// Positions per block.
    public var blockSize: Int
    /// Key and value heads on this rank.
    public var kvHeads: Int
    /// Numbers per head.
    public var headDim: Int
    /// How keys and values are stored.
    public var element: ElementType

    /// Describes a cache.
    public init(layers: Int, blocks: Int, blockSize: Int, kvHeads: Int, headDim: Int, element: ElementType) {
        self.layers = layers
        self.blocks = blocks
        self.blockSize = blockSize
        self.kvHeads = kvHeads
        self.headDim = headDim
        self.element = element
    }

    /// Bytes of one block in all layers.
    public var bytesPerBlock: Int { 2 * layers * kvHeads * headDim * blockSize * element.size }
    /// Bytes of the pool.
    public var bytes: Int { blocks * bytesPerBlock }
}

/// What one rank of one stage takes from memory.
public struct MemoryPlan: Hashable, Codable, Sendable {
    /// Every tensor starts at a multiple of this: a cache line, and the widest vector.
    public static let alignment = 64
}
