// Digests that identify data: workloads, traces, plans. Not for secrets: it takes no care of timing.

/// SHA-256 over bytes that come in pieces. Source: FIPS 180-4; held by NIST's example vectors.
public struct SHA256: Sendable {
    private var state: SIMD8<UInt32> = SIMD8(
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19)
    private var rest: [UInt8] = []
    private var length: UInt64 = 0
    private var schedule: [UInt32] = [UInt32](repeating: 0, count: 64)

    /// A digest of nothing yet.
    public init() {}

    /// The digest of some bytes in hexadecimal.
    public static func hexadecimal(of bytes: [UInt8]) -> String {
        var digest = SHA256()
        digest.update(bytes[...])
        return digest.finish()
    }

    /// Takes the next bytes.
    public mutating func update(_ bytes: ArraySlice<UInt8>) {
        length &+= UInt64(bytes.count)
        var bytes: ArraySlice<UInt8> = bytes
        if !rest.isEmpty {
            let missing: ArraySlice<UInt8> = bytes.prefix(64 - rest.count)
            rest.append(contentsOf: missing)
            bytes = bytes.dropFirst(missing.count)
            guard rest.count == 64 else { return }
            compress(rest[...], to: 64)
            rest.removeAll(keepingCapacity: true)
        }
        guard !bytes.isEmpty else { return }
        let end: Int = bytes.startIndex + bytes.count & ~63
        compress(bytes, to: end)
        rest.append(contentsOf: bytes[end...])
    }

    /// The digest of all bytes taken, in lower-case hexadecimal.
    public mutating func finish() -> String {
        let bits: UInt64 = length &* 8
        var padding: [UInt8] = [0x80]
        padding.append(contentsOf: repeatElement(0, count: (119 - rest.count) & 63))
        for shift in stride(from: 56, through: 0, by: -8) {
            padding.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift)))
        }
        update(padding[...])
        var text: String = ""
        for place in 0..<8 {
            let digits: String = String(state[place], radix: 16)
            text += String(repeating: "0", count: 8 - digits.count) + digits
        }
        return text
    }

    /// Mixes whole blocks of 64 bytes into the state.
    private mutating func compress(_ bytes: ArraySlice<UInt8>, to end: Int) {
        // Read once: a static constant is checked for its first use at every access.
        let constants: [UInt32] = SHA256.constants
        for start in stride(from: bytes.startIndex, to: end, by: 64) {
            SHA256.expand(bytes, at: start, into: &schedule)
            SHA256.mix(schedule, constants, into: &state)
        }
    }

    private static func mix(_ schedule: [UInt32], _ constants: [UInt32], into state: inout SIMD8<UInt32>) {
        var (a, b, c, d): (UInt32, UInt32, UInt32, UInt32) = (state[0], state[1], state[2], state[3])
        var (e, f, g, h): (UInt32, UInt32, UInt32, UInt32) = (state[4], state[5], state[6], state[7])
        for round in 0..<64 {
            let sum1: UInt32 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)
            let choice: UInt32 = (e & f) ^ (~e & g)
            let first: UInt32 = h &+ sum1 &+ choice &+ constants[round] &+ schedule[round]
            let sum0: UInt32 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)
            let majority: UInt32 = (a & b) ^ (a & c) ^ (b & c)
            (h, g, f, e) = (g, f, e, d &+ first)
            (d, c, b, a) = (c, b, a, first &+ sum0 &+ majority)
        }
        state = state &+ SIMD8(a, b, c, d, e, f, g, h)
    }

    private static func expand(_ bytes: ArraySlice<UInt8>, at start: Int, into schedule: inout [UInt32]) {
        for place in 0..<16 {
            let at: Int = start + 4 * place
            let high: UInt32 = UInt32(bytes[at]) << 24 | UInt32(bytes[at + 1]) << 16
            schedule[place] = high | UInt32(bytes[at + 2]) << 8 | UInt32(bytes[at + 3])
        }
        for place in 16..<64 {
            let w15: UInt32 = schedule[place - 15]
            let w2: UInt32 = schedule[place - 2]
            let s0: UInt32 = turn(w15, 7) ^ turn(w15, 18) ^ w15 >> 3
            let s1: UInt32 = turn(w2, 17) ^ turn(w2, 19) ^ w2 >> 10
            schedule[place] = schedule[place - 16] &+ s0 &+ schedule[place - 7] &+ s1
        }
    }

    private static func turn(_ word: UInt32, _ bits: UInt32) -> UInt32 { word >> bits | word << (32 - bits) }

    /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2).
    private static let constants: [UInt32] = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ]
}
