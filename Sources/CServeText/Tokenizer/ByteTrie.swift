// A trie over bytes with the edges in one hash table: compact, quick to build, one probe per byte.

/// Byte strings to numbers, found by walking byte by byte.
struct ByteTrie: Sendable {
    private var edges: ContiguousArray<UInt64>
    private var count = 0
    /// The number at each node; -1 where no string ends.
    private var values: ContiguousArray<Int32> = [-1]
    /// The node of the empty string.
    static let root: Int32 = 0
    /// What ``child(of:_:)`` answers where there is no such string.
    static let none: Int32 = -1

    init(capacity: Int = 16) {
        var size = 64
        while size < capacity * 4 { size *= 2 }
        edges = ContiguousArray(repeating: UInt64.max, count: size)
    }

    /// The node after one more byte.
    @inline(__always)
    func child(of node: Int32, _ byte: UInt8) -> Int32 {
        let key = UInt64(UInt32(bitPattern: node)) &<< 8 | UInt64(byte)
        let mask = edges.count &- 1
        var index = ByteTrie.hash(key) & mask
        while true {
            let edge = edges[index]
            if edge == UInt64.max { return ByteTrie.none }
            if edge &>> 24 == key { return Int32(truncatingIfNeeded: edge & 0xFF_FFFF) }
            index = (index &+ 1) & mask
        }
    }

    /// The number of the string that ends at a node; -1 for none.
    @inline(__always)
    func value(at node: Int32) -> Int32 { values[Int(truncatingIfNeeded: node)] }

    /// Adds a string; a string that is there already gets the new number.
    mutating func insert(_ bytes: [UInt8], _ value: Int32) {
        var node = ByteTrie.root
        for byte in bytes {
            let known = child(of: node, byte)
            node = known != ByteTrie.none ? known : addEdge(from: node, byte)
        }
        values[Int(node)] = value
    }

    private mutating func addEdge(from node: Int32, _ byte: UInt8) -> Int32 {
        if (count + 1) * 2 > edges.count { grow() }
        let child = Int32(values.count)
        precondition(values.count < 1 << 24, "a trie holds at most 16 million nodes; the vocabulary's bounds keep below")
        values.append(-1)
        place(UInt64(UInt32(bitPattern: node)) << 32 | UInt64(byte) << 24 | UInt64(child))
        count += 1
        return child
    }

    private mutating func place(_ edge: UInt64) {
        let mask = edges.count - 1
        var index = ByteTrie.hash(edge >> 24) & mask
        while edges[index] != UInt64.max { index = (index + 1) & mask }
        edges[index] = edge
    }

    private mutating func grow() {
        let old = edges
        edges = ContiguousArray(repeating: UInt64.max, count: old.count * 2)
        for edge in old where edge != UInt64.max { place(edge) }
    }

    @inline(__always)
    private static func hash(_ key: UInt64) -> Int {
        let product = key &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: product &>> 33)
    }
}
