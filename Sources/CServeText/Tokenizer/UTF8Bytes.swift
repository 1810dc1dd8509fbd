// UTF-8 by hand: tokenizers work on bytes, and String's own views cost too much in the inner loops.

/// Reads and writes scalars in UTF-8 that is known to be valid (it came from a String).
enum UTF8Bytes {
    /// The scalar that begins at an index, and its length in bytes.
    @inline(__always)
    static func decode(_ bytes: Span<UInt8>, at index: Int) -> (scalar: UInt32, length: Int) {
        let first = UInt32(truncatingIfNeeded: bytes[index])
        if first < 0x80 { return (first, 1) }
        let second = UInt32(truncatingIfNeeded: bytes[index &+ 1]) & 0x3F
        if first < 0xE0 { return ((first & 0x1F) << 6 | second, 2) }
        let third = UInt32(truncatingIfNeeded: bytes[index &+ 2]) & 0x3F
        if first < 0xF0 { return ((first & 0x0F) << 12 | second << 6 | third, 3) }
        let fourth = UInt32(truncatingIfNeeded: bytes[index &+ 3]) & 0x3F
        return ((first & 0x07) << 18 | second << 12 | third << 6 | fourth, 4)
    }

    /// The scalar that ends before an index, and its length in bytes.
    static func decodeBackward(_ bytes: Span<UInt8>, before index: Int) -> (scalar: UInt32, length: Int) {
        var start = index - 1
        while start > 0, isContinuation(bytes[start]) { start -= 1 }
        return decode(bytes, at: start)
    }

    /// Whether a byte is inside a character.
    @inline(__always)
    static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }

    /// The length in bytes of the character that a byte begins.
    @inline(__always)
    static func length(first byte: UInt8) -> Int {
        byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
    }

    /// The bytes of a scalar.
    static func encode(_ scalar: UInt32) -> [UInt8] {
        var bytes: [UInt8] = []
        append(scalar, to: &bytes)
        return bytes
    }

    /// Appends the bytes of a scalar.
    @inline(__always)
    static func append(_ scalar: UInt32, to bytes: inout [UInt8]) {
        if scalar < 0x80 {
            bytes.append(UInt8(scalar))
        } else if scalar < 0x800 {
            bytes.append(UInt8(0xC0 | scalar >> 6))
            bytes.append(UInt8(0x80 | scalar & 0x3F))
        } else if scalar < 0x10000 {
            bytes.append(UInt8(0xE0 | scalar >> 12))
            bytes.append(UInt8(0x80 | (scalar >> 6) & 0x3F))
            bytes.append(UInt8(0x80 | scalar & 0x3F))
        } else {
            bytes.append(UInt8(0xF0 | scalar >> 18))
            bytes.append(UInt8(0x80 | (scalar >> 12) & 0x3F))
            bytes.append(UInt8(0x80 | (scalar >> 6) & 0x3F))
            bytes.append(UInt8(0x80 | scalar & 0x3F))
        }
    }
}
