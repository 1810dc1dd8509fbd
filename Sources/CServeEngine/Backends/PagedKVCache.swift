// Keys and values in blocks of fixed size, in host memory: the layout that host backends share.

import CKernels
import CServeCore

/// The paged cache of one stage's layers in host memory.
///
/// Layout: `[layer][block][kvHead]` of keys, values and, for codes, scales `[keys, values][slot]`. What attention reads of a
/// head in a block is one run of memory. How keys and values are laid out within it is the backend's.
/// Written by the thread that runs the model only.
public struct PagedKVCache: @unchecked Sendable {
    /// The region.
    public let memory: HostMemory
    /// Sizes.
    public let plan: KVCachePlan
    /// Bytes of one head's part of one block.
    public let headBytes: Int
    /// Bytes of one block of one layer.
    public let blockBytes: Int
    /// From the start of a head's part to its scales.
    private let scaleOffset: Int

    /// Lays a cache over a region.
    public init(_ memory: HostMemory, plan: KVCachePlan) {
        precondition(memory.bytes >= plan.bytes, "the region is smaller than the cache's plan")
        self.memory = memory
        self.plan = plan
        headBytes = plan.format.headBytes(positions: plan.blockSize, headDim: plan.headDim)
        scaleOffset = plan.format.scaleOffset(positions: plan.blockSize, headDim: plan.headDim)
        blockBytes = plan.kvHeads * headBytes
    }

    /// The `blockSize * headDim` keys of one head in one block.
    @inline(__always)
    public func keys(layer: Int, block: Int, head: Int) -> UnsafeMutableRawPointer {
        memory.base + (layer * plan.blocks + block) * blockBytes + head * headBytes
    }

    /// The values that go with ``keys(layer:block:head:)``.
    @inline(__always)
    public func values(layer: Int, block: Int, head: Int) -> UnsafeMutableRawPointer {
        keys(layer: layer, block: block, head: head) + plan.blockSize * plan.headDim * plan.format.numberBytes
    }

    /// The scales of ``keys(layer:block:head:)`` by slot, then those of the values; formats without scales have none.
    @inline(__always)
    public func scales(layer: Int, block: Int, head: Int) -> UnsafeMutablePointer<Float> {
        (keys(layer: layer, block: block, head: head) + scaleOffset).assumingMemoryBound(to: Float.self)
    }

    /// Touches the first blocks of every layer, block by block, up to `bytes` of them all.
    func populate(bytes: Int) {
        let wanted = min(plan.blocks, bytes / max(1, plan.layers * blockBytes))
        let run = max(1, (2 << 20) / max(1, blockBytes))
        for first in stride(from: 0, to: wanted, by: run) {
            for layer in 0..<plan.layers {
                cs_touch(keys(layer: layer, block: first, head: 0), min(run, wanted - first) * blockBytes)
            }
        }
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
