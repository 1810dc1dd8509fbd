// SHA-1, for one thing only: git names a small file by it, and so does the hub. It protects nothing.

/// SHA-1 over bytes that come in pieces. Source: FIPS 180-4.
struct SHA1 {
    private var state: [UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0]
    private var rest: [UInt8] = []
    private var length: UInt64 = 0

    mutating func update(_ bytes: ArraySlice<UInt8>) {
        length &+= UInt64(bytes.count)
        rest.append(contentsOf: bytes)
        let whole: Int = rest.count & ~63
        for start in stride(from: 0, to: whole, by: 64) { compress(rest[start..<(start + 64)]) }
        rest.removeFirst(whole)
    }

    /// The digest in lower-case hexadecimal.
    mutating func finish() -> String {
        let bits: UInt64 = length &* 8
        var padding: [UInt8] = [0x80] + [UInt8](repeating: 0, count: (119 - rest.count) & 63)
        for shift in stride(from: 56, through: 0, by: -8) {
            padding.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift)))
        }
        update(padding[...])
        return state.map { word in
            let digits: String = String(word, radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }

    private mutating func compress(_ block: ArraySlice<UInt8>) {
        var words: [UInt32] = []
        words.reserveCapacity(80)
        for place in stride(from: block.startIndex, to: block.endIndex, by: 4) {
            words.append(block[place..<(place + 4)].reduce(0) { $0 << 8 | UInt32($1) })
        }
        for place in 16..<80 {
            words.append(Self.turn(words[place - 3] ^ words[place - 8] ^ words[place - 14] ^ words[place - 16], 1))
        }
        var (a, b, c, d, e): (UInt32, UInt32, UInt32, UInt32, UInt32) = (
            state[0], state[1], state[2], state[3], state[4]
        )
        for round in 0..<80 {
            let (choice, constant): (UInt32, UInt32) =
                switch round {
                case 0..<20: ((b & c) | (~b & d), 0x5a82_7999)
                case 20..<40: (b ^ c ^ d, 0x6ed9_eba1)
                case 40..<60: ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc)
                default: (b ^ c ^ d, 0xca62_c1d6)
                }
            let next: UInt32 = Self.turn(a, 5) &+ choice &+ e &+ constant &+ words[round]
            (e, d, c, b, a) = (d, c, Self.turn(b, 30), a, next)
        }
        for (place, value) in [a, b, c, d, e].enumerated() { state[place] = state[place] &+ value }
    }

    private static func turn(_ word: UInt32, _ bits: UInt32) -> UInt32 { word << bits | word >> (32 - bits) }
}
