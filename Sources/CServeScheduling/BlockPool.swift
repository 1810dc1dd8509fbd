// Owns the KV blocks' numbers: who holds which block, and which block is given away next.
import CServeCore

/// Reference counts, and the free blocks in an intrusive doubly linked list, least recently used first.
///
/// Every operation is O(1) and allocates nothing. A free block may still hold a reusable prefix; it can be taken out
/// of the middle of the list when that prefix is wanted again. Source: vLLM's `block_pool.py`.
struct BlockPool: Equatable, Sendable {
    private(set) var references: [Int32]
    private var next: [Int32]
    private var previous: [Int32]
    private(set) var freeCount: Int
    let count: Int

    /// The list's anchor stands behind the last block.
    private var anchor: Int { count }

    init(count: Int) {
        precondition(count >= 0 && count < Int(Int32.max), "a pool of \(count) blocks")
        self.count = count
        freeCount = count
        references = Array(repeating: 0, count: count)
        next = (0...count).map { Int32($0 == count ? 0 : $0 + 1) }
        previous = (0...count).map { Int32($0 == 0 ? count : $0 - 1) }
    }

    /// The block that would be taken next.
    var first: BlockID? { freeCount == 0 ? nil : next[anchor] }

    /// Takes the least recently used free block.
    mutating func take() -> BlockID? {
        guard freeCount > 0 else { return nil }
        let block: BlockID = next[anchor]
        unlink(block)
        references[Int(block)] = 1
        return block
    }

    /// Adds a holder; a free block leaves the free list.
    mutating func retain(_ block: BlockID) {
        if references[Int(block)] == 0 { unlink(block) }
        references[Int(block)] += 1
    }

    /// Drops a holder. The last one frees the block: to be reused last if it is worth keeping, else first.
    mutating func release(_ block: BlockID, keep: Bool) {
        precondition(references[Int(block)] > 0, "block \(block) is released but nobody holds it")
        references[Int(block)] -= 1
        guard references[Int(block)] == 0 else { return }
        freeCount += 1
        let left: Int = keep ? Int(previous[anchor]) : anchor
        let right: Int32 = next[left]
        next[left] = block
        previous[Int(block)] = Int32(left)
        next[Int(block)] = right
        previous[Int(right)] = block
    }

    private mutating func unlink(_ block: BlockID) {
        let left: Int32 = previous[Int(block)]
        let right: Int32 = next[Int(block)]
        next[Int(left)] = right
        previous[Int(right)] = left
        freeCount -= 1
    }

    /// The free blocks, next to be taken first.
    var freeList: [BlockID] {
        var list: [BlockID] = []
        var block: Int32 = next[anchor]
        while Int(block) != anchor, list.count <= count {
            list.append(block)
            block = next[Int(block)]
        }
        return list
    }
}
