// Keys and values in blocks of fixed size, in host memory: the layout that host backends share.

import CServeCore

/// The paged cache of one stage's layers in host memory.
///
/// Layout: `[layer][block][K, V][kvHead][slot][headDim]`, so that a tile of one head's keys is one run of memory.
/// Written by the thread that runs the model only.
public struct PagedKVCache: @unchecked Sendable {
    /// The region.
    public let memory: HostMemory
    /// Sizes.
    public let plan: KVCachePlan
    /// Bytes of one head's keys (or values) in one block.
    public let headBytes: Int
    /// Bytes of one block of one layer.
    public let blockBytes: Int

    /// Lays a cache over a region.
    public init(_ memory: HostMemory, plan: KVCachePlan) {
        precondition(memory.bytes >= plan.bytes, "the region is smaller than the cache's plan")
        self.memory = memory
        self.plan = plan
        headBytes = plan.blockSize * plan.headDim * plan.element.size
        blockBytes = 2 * plan.kvHeads * headBytes
    }

    /// The `blockSize * headDim` keys of one head in one block.
    @inline(__always)
    public func keys(layer: Int, block: Int, head: Int) -> UnsafeMutableRawPointer {
        memory.base + (layer * plan.blocks + block) * blockBytes + head * headBytes
    }

    /// The values that go with ``keys(layer:block:head:)``.
    @inline(__always)
    public func values(layer: Int, block: Int, head: Int) -> UnsafeMutableRawPointer {
        memory.base + (layer * plan.blocks + block) * blockBytes + (plan.kvHeads + head) * headBytes
    }

    /// Copies whole blocks in every layer.
    public func copy(_ pairs: [BlockCopy]) {
        for pair in pairs {
            for layer in 0..<plan.layers {
                let target = keys(layer: layer, block: Int(pair.destination), head: 0)
                target.copyMemory(from: keys(layer: layer, block: Int(pair.source), head: 0), byteCount: blockBytes)
            }
        }
    }
}
