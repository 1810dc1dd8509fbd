// Byte-pair merges: which neighbours join, in which order, into what; and the two ways to apply them.
import CServeCore

/// Pairs of ids to the merge's rank and the new id; open addressing, at most half full.
struct MergeTable: Sendable {
    private struct Slot {
        var pair: UInt64 = UInt64.max
        var merge: UInt64 = 0
    }

    /// What ``find(_:_:)`` answers where a pair does not merge; greater than every merge.
    static let none = UInt64.max
    private var slots: ContiguousArray<Slot>
    private var count = 0

    init(capacity: Int) {
        var size = 16
        while size < capacity * 2 { size *= 2 }
        slots = ContiguousArray(repeating: Slot(), count: size)
    }

    /// The rank (high half) and the new id (low half) of a pair.
    @inline(__always)
    func find(_ left: TokenID, _ right: TokenID) -> UInt64 {
        let pair = MergeTable.key(left, right)
        let mask = slots.count &- 1
        var index = MergeTable.hash(pair) & mask
        while true {
            let slot = slots[index]
            if slot.pair == pair { return slot.merge }
            if slot.pair == UInt64.max { return MergeTable.none }
            index = (index &+ 1) & mask
        }
    }

    /// Sets the merge of a pair; the last one wins. The capacity given at the start must suffice.
    mutating func insert(_ left: TokenID, _ right: TokenID, rank: Int, newID: TokenID) {
        let pair = MergeTable.key(left, right)
        let mask = slots.count - 1
        var index = MergeTable.hash(pair) & mask
        while slots[index].pair != UInt64.max, slots[index].pair != pair { index = (index + 1) & mask }
        slots[index] = Slot(pair: pair, merge: UInt64(rank) << 32 | UInt64(UInt32(bitPattern: newID)))
    }

    @inline(__always)
    private static func key(_ left: TokenID, _ right: TokenID) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) &<< 32 | UInt64(UInt32(bitPattern: right))
    }

    @inline(__always)
    private static func hash(_ pair: UInt64) -> Int {
        let product = pair &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: (product ^ (product &>> 32)) & 0x7FFF_FFFF)
    }
}

/// Memory for merging one word.
struct MergeWorkspace: Sendable {
    /// The word's symbols before and after merging.
    var symbols: ContiguousArray<TokenID> = []
    private var merges: ContiguousArray<UInt64> = []
    private var next: ContiguousArray<Int32> = []
    private var previous: ContiguousArray<Int32> = []
    private var heap = MinHeap()
    /// Up to this many symbols a scan for the lowest rank beats a heap.
    private static let scanLimit = 40

    /// Applies the merges to ``symbols``: always the lowest rank, and of those the leftmost.
    mutating func mergeAll(_ table: borrowing MergeTable) {
        if symbols.count < 2 { return }
        if symbols.count <= MergeWorkspace.scanLimit { mergeByScan(table) } else { mergeByHeap(table) }
    }

    private mutating func mergeByScan(_ table: borrowing MergeTable) {
        merges.removeAll(keepingCapacity: true)
        var count = symbols.count
        for index in 0..<(count &- 1) { merges.append(table.find(symbols[index], symbols[index &+ 1])) }
        while count > 1 {
            var best = MergeTable.none
            var position = 0
            for index in 0..<(count &- 1) where merges[index] &>> 32 < best &>> 32 {
                best = merges[index]
                position = index
            }
            if best == MergeTable.none { break }
            symbols[position] = TokenID(truncatingIfNeeded: best & 0xFFFF_FFFF)
            count &-= 1
            remove(at: position &+ 1, count: count)
            if position > 0 { merges[position &- 1] = table.find(symbols[position &- 1], symbols[position]) }
            if position < count &- 1 { merges[position] = table.find(symbols[position], symbols[position &+ 1]) }
        }
        symbols.removeLast(symbols.count &- count)
    }

    /// Closes the gap of a symbol that went into its left neighbour; `count` is the number of those that stay.
    @inline(__always)
    private mutating func remove(at position: Int, count: Int) {
        var index = position
        while index < count {
            symbols[index] = symbols[index &+ 1]
            if index < count &- 1 { merges[index] = merges[index &+ 1] }
            index &+= 1
        }
    }

    /// A heap of (rank, position) and a linked list: n log n for a word of n symbols.
    private mutating func mergeByHeap(_ table: borrowing MergeTable) {
        let count = symbols.count
        link(count)
        heap.removeAll()
        for index in 0..<(count &- 1) { push(table, index, index &+ 1) }
        heap.heapify()
        while let entry = heap.pop() {
            let position = Int(truncatingIfNeeded: entry & 0xFFFF_FFFF)
            let right = Int(next[position])
            guard previous[position] != -2, right < count else { continue }
            let merge = table.find(symbols[position], symbols[right])
            guard merge != MergeTable.none, merge &>> 32 == entry &>> 32 else { continue }
            join(position, right, TokenID(truncatingIfNeeded: merge & 0xFFFF_FFFF), count)
            if previous[position] >= 0 { insert(table, Int(previous[position]), position) }
            if Int(next[position]) < count { insert(table, position, Int(next[position])) }
        }
        compact(count)
    }

    private mutating func link(_ count: Int) {
        next.removeAll(keepingCapacity: true)
        previous.removeAll(keepingCapacity: true)
        for index in 0..<count {
            next.append(Int32(truncatingIfNeeded: index &+ 1))
            previous.append(Int32(truncatingIfNeeded: index &- 1))
        }
    }

    private mutating func push(_ table: borrowing MergeTable, _ left: Int, _ right: Int) {
        let merge = table.find(symbols[left], symbols[right])
        if merge != MergeTable.none { heap.append((merge &>> 32) &<< 32 | UInt64(truncatingIfNeeded: left)) }
    }

    private mutating func insert(_ table: borrowing MergeTable, _ left: Int, _ right: Int) {
        let merge = table.find(symbols[left], symbols[right])
        if merge != MergeTable.none { heap.insert((merge &>> 32) &<< 32 | UInt64(truncatingIfNeeded: left)) }
    }

    private mutating func join(_ left: Int, _ right: Int, _ newID: TokenID, _ count: Int) {
        symbols[left] = newID
        next[left] = next[right]
        if Int(next[right]) < count { previous[Int(next[right])] = Int32(truncatingIfNeeded: left) }
        previous[right] = -2
    }

    private mutating func compact(_ count: Int) {
        var kept = 0
        for index in 0..<count where previous[index] != -2 {
            symbols[kept] = symbols[index]
            kept &+= 1
        }
        symbols.removeLast(count &- kept)
    }
}

/// A four-ary heap of numbers, the smallest first.
struct MinHeap: Sendable {
    private var items: ContiguousArray<UInt64> = []

    mutating func removeAll() { items.removeAll(keepingCapacity: true) }
    /// Adds an item out of order; ``heapify()`` must follow.
    mutating func append(_ item: UInt64) { items.append(item) }

    mutating func heapify() {
        var index = items.count / 4
        while index >= 0 {
            if index < items.count { siftDown(index) }
            index &-= 1
        }
    }

    mutating func insert(_ item: UInt64) {
        items.append(item)
        var index = items.count &- 1
        while index > 0 {
            let parent = (index &- 1) / 4
            if items[parent] <= item { break }
            items[index] = items[parent]
            index = parent
        }
        items[index] = item
    }

    mutating func pop() -> UInt64? {
        guard let top = items.first, let last = items.popLast() else { return nil }
        if !items.isEmpty {
            items[0] = last
            siftDown(0)
        }
        return top
    }

    private mutating func siftDown(_ start: Int) {
        let count = items.count
        let item = items[start]
        var index = start
        while true {
            let first = index &* 4 &+ 1
            if first >= count { break }
            var best = first
            var child = first &+ 1
            while child < Swift.min(first &+ 4, count) {
                if items[child] < items[best] { best = child }
                child &+= 1
            }
            if items[best] >= item { break }
            items[index] = items[best]
            index = best
        }
        items[index] = item
    }
}
