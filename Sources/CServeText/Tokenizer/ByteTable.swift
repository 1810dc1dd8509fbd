// A hash table from byte strings to numbers: what a dictionary of Strings would be, without canonical equivalence,
// without an allocation per key, and searchable by a range of a larger buffer.

/// Byte strings to numbers; open addressing, at most half full.
struct ByteTable: Sendable {
    private struct Slot {
        var hash: UInt32 = 0
        var length: UInt32 = 0
        var start: Int = -1
        var value: Int32 = 0
    }

    private var slots: ContiguousArray<Slot>
    private var blob: ContiguousArray<UInt8> = []
    private(set) var count = 0

    /// A table with room for a number of keys.
    init(capacity: Int = 8) {
        var size = 16
        while size < capacity * 2 { size *= 2 }
        slots = ContiguousArray(repeating: Slot(), count: size)
    }

    /// The hash of a range (FNV-1a, finished so that the low bits are good).
    @inline(__always)
    static func hash(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        var index = start
        while index < end {
            hash = (hash ^ UInt64(truncatingIfNeeded: bytes[index])) &* 0x0000_0100_0000_01B3
            index &+= 1
        }
        hash ^= hash &>> 29
        hash = hash &* 0xBF58_476D_1CE4_E5B9
        return hash ^ (hash &>> 32)
    }

    /// The number of a range of bytes.
    @inline(__always)
    func find(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int32? {
        let index = position(bytes, start, end, UInt32(truncatingIfNeeded: ByteTable.hash(bytes, start, end)))
        let slot = slots[index]
        return slot.start < 0 ? nil : slot.value
    }

    /// The number of a byte string.
    func find(_ bytes: [UInt8]) -> Int32? { find(bytes.span, 0, bytes.count) }

    /// Sets the number of a byte string; the last one wins.
    mutating func insert(_ bytes: [UInt8], _ value: Int32) {
        if (count + 1) * 2 > slots.count { grow() }
        let hash = UInt32(truncatingIfNeeded: ByteTable.hash(bytes.span, 0, bytes.count))
        let index = position(bytes.span, 0, bytes.count, hash)
        if slots[index].start < 0 {
            slots[index] = Slot(hash: hash, length: UInt32(bytes.count), start: blob.count, value: value)
            blob.append(contentsOf: bytes)
            count += 1
        } else {
            slots[index].value = value
        }
    }

    private func position(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, _ hash: UInt32) -> Int {
        let mask = slots.count &- 1
        var index = Int(truncatingIfNeeded: hash) & mask
        while true {
            let slot = slots[index]
            if slot.start < 0 { return index }
            if slot.hash == hash, Int(slot.length) == end &- start, isEqual(bytes, start, slot) { return index }
            index = (index &+ 1) & mask
        }
    }

    private func isEqual(_ bytes: Span<UInt8>, _ start: Int, _ slot: Slot) -> Bool {
        for offset in 0..<Int(slot.length) where blob[slot.start &+ offset] != bytes[start &+ offset] { return false }
        return true
    }

    private mutating func grow() {
        let old = slots
        slots = ContiguousArray(repeating: Slot(), count: old.count * 2)
        let mask = slots.count - 1
        for slot in old where slot.start >= 0 {
            var index = Int(slot.hash) & mask
            while slots[index].start >= 0 { index = (index + 1) & mask }
            slots[index] = slot
        }
    }
}
