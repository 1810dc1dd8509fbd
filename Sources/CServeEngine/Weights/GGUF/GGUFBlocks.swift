// How each quantised GGUF type packs a block: codes, scales and minimums are taken apart, exactly.
//
// Source: ggml-common.h (the blocks) and ggml-quants.c (`dequantize_row_*`). Codes follow docs/design/0007: int8 has
// its zero at
// 128, int4 at 8, and none where there are minimums. A product of a half and a small whole number is exact in f32.

import CServeCore

/// Unpacks blocks.
enum GGUFBlocks {
    /// Where one block goes.
    struct Output {
        /// A byte per number.
        var codes: UnsafeMutablePointer<UInt8>
        /// A scale per group.
        var scales: UnsafeMutablePointer<Float>
        /// A minimum per group, where the type has them.
        var minimums: UnsafeMutablePointer<Float>?
    }

    /// Unpacks one block.
    typealias Unpack = @Sendable (UnsafeRawPointer, Output) -> Void

    /// The types that are read.
    static let table: [String: Unpack] = [
        "Q4_0": q4(hasMinimum: false), "Q4_1": q4(hasMinimum: true), "Q5_0": q5(hasMinimum: false),
        "Q5_1": q5(hasMinimum: true), "Q8_0": q8, "IQ4_NL": iq4nl, "Q2_K": q2k, "Q3_K": q3k, "Q4_K": q4k, "Q5_K": q5k,
        "Q6_K": q6k, "IQ4_XS": iq4xs,
    ]

    @inline(__always)
    private static func half(_ block: UnsafeRawPointer, _ offset: Int) -> Float {
        ElementConversion.halfToFloat(block.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    @inline(__always)
    private static func bytes(_ block: UnsafeRawPointer, _ offset: Int) -> UnsafePointer<UInt8> {
        (block + offset).assumingMemoryBound(to: UInt8.self)
    }

    // MARK: Blocks of 32

    /// d, perhaps m, then 16 bytes: the low halves are the first 16 numbers.
    private static func q4(hasMinimum: Bool) -> Unpack {
        { block, out in
            out.scales[0] = half(block, 0)
            if hasMinimum { out.minimums?[0] = -half(block, 2) }
            let packed = bytes(block, hasMinimum ? 4 : 2)
            for i in 0..<16 {
                out.codes[i] = packed[i] & 15
                out.codes[i + 16] = packed[i] >> 4
            }
        }
    }

    /// As ``q4(hasMinimum:)``, with a fifth bit for each number in a word before them.
    private static func q5(hasMinimum: Bool) -> Unpack {
        { block, out in
            out.scales[0] = half(block, 0)
            if hasMinimum { out.minimums?[0] = -half(block, 2) }
            let offset = hasMinimum ? 4 : 2
            let high = block.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
            let packed = bytes(block, offset + 4)
            // 16 is the zero of five bits.
            let zero: UInt8 = hasMinimum ? 0 : 128 - 16
            for i in 0..<16 {
                out.codes[i] = (packed[i] & 15 | UInt8(truncatingIfNeeded: high >> i & 1) << 4) + zero
                out.codes[i + 16] = (packed[i] >> 4 | UInt8(truncatingIfNeeded: high >> (i + 16) & 1) << 4) + zero
            }
        }
    }

    /// d, then 32 signed bytes.
    private static let q8: Unpack = { block, out in
        out.scales[0] = half(block, 0)
        let packed = bytes(block, 2)
        for i in 0..<32 { out.codes[i] = packed[i] ^ 0x80 }
    }

    /// The sixteen values of the non-linear types, plus 128 (`kvalues_iq4nl`).
    private static let nonlinear: [UInt8] = [1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241]

    private static let iq4nl: Unpack = { block, out in
        out.scales[0] = half(block, 0)
        let packed = bytes(block, 2)
        for i in 0..<16 {
            out.codes[i] = nonlinear[Int(packed[i] & 15)]
            out.codes[i + 16] = nonlinear[Int(packed[i] >> 4)]
        }
    }

    // MARK: Blocks of 256

    /// Scale and minimum of a group of 32, six bits each, in 12 bytes (`get_scale_min_k4`).
    @inline(__always)
    private static func pair(_ packed: UnsafePointer<UInt8>, _ group: Int) -> (scale: UInt8, minimum: UInt8) {
        if group < 4 { return (packed[group] & 63, packed[group + 4] & 63) }
        let low = packed[group + 4]
        return (low & 15 | (packed[group - 4] >> 6) << 4, low >> 4 | (packed[group] >> 6) << 4)
    }

    @inline(__always)
    private static func scaleGroups(_ block: UnsafeRawPointer, _ out: Output) {
        let (scale, minimum) = (half(block, 0), half(block, 2))
        for group in 0..<8 {
            let packed = pair(bytes(block, 4), group)
            out.scales[group] = scale * Float(packed.scale)
            out.minimums?[group] = minimum * Float(packed.minimum)
        }
    }

    /// d, dmin, scales, then 128 bytes: 32 of them are the low halves of one group and the high halves of the next.
    private static let q4k: Unpack = { block, out in
        scaleGroups(block, out)
        let packed = bytes(block, 16)
        for quarter in 0..<4 {
            for i in 0..<32 {
                out.codes[quarter * 64 + i] = packed[quarter * 32 + i] & 15
                out.codes[quarter * 64 + 32 + i] = packed[quarter * 32 + i] >> 4
            }
        }
    }

    /// As Q4_K, with 32 bytes of fifth bits before the rest: bit g of byte i belongs to number i of group g.
    private static let q5k: Unpack = { block, out in
        scaleGroups(block, out)
        let (high, packed) = (bytes(block, 16), bytes(block, 48))
        for quarter in 0..<4 {
            for i in 0..<32 {
                let (low, fifth) = (packed[quarter * 32 + i], high[i] >> (2 * quarter))
                out.codes[quarter * 64 + i] = low & 15 | (fifth & 1) << 4
                out.codes[quarter * 64 + 32 + i] = low >> 4 | (fifth >> 1 & 1) << 4
            }
        }
    }

    /// 128 bytes of low halves, 64 of two high bits, 16 signed scales, d; 32 is the zero of six bits.
    private static let q6k: Unpack = { block, out in
        let scale = half(block, 208)
        let factors = bytes(block, 192)
        for group in 0..<16 { out.scales[group] = scale * Float(Int8(bitPattern: factors[group])) }
        for side in 0..<2 {
            let (low, high, codes) = (bytes(block, side * 64), bytes(block, 128 + side * 32), out.codes + side * 128)
            for i in 0..<32 {
                codes[i] = (low[i] & 15 | (high[i] & 3) << 4) + 96
                codes[i + 32] = (low[i + 32] & 15 | (high[i] >> 2 & 3) << 4) + 96
                codes[i + 64] = (low[i] >> 4 | (high[i] >> 4 & 3) << 4) + 96
                codes[i + 96] = (low[i + 32] >> 4 | (high[i] >> 6) << 4) + 96
            }
        }
    }

    /// 16 bytes of scale and minimum, 64 bytes of four numbers each, d, dmin; groups of 16.
    private static let q2k: Unpack = { block, out in
        let (scale, minimum) = (half(block, 80), half(block, 82))
        let (factors, packed) = (bytes(block, 0), bytes(block, 16))
        for group in 0..<16 {
            out.scales[group] = scale * Float(factors[group] & 15)
            out.minimums?[group] = minimum * Float(factors[group] >> 4)
        }
        for i in 0..<256 {
            out.codes[i] = packed[i / 128 * 32 + i % 32] >> (2 * UInt8(truncatingIfNeeded: i / 32 % 4)) & 3
        }
    }

    /// 32 bytes of third bits, 64 bytes of four numbers each, 12 bytes of scales, d; 4 is the zero of three bits.
    private static let q3k: Unpack = { block, out in
        let scale = half(block, 108)
        let (third, packed, factors) = (bytes(block, 0), bytes(block, 32), bytes(block, 96))
        for group in 0..<16 {
            let low = group < 8 ? factors[group] & 15 : factors[group - 8] >> 4
            let high = factors[8 + group % 4] >> (2 * UInt8(truncatingIfNeeded: group / 4)) & 3
            out.scales[group] = scale * Float(Int(low | high << 4) - 32)
        }
        for i in 0..<256 {
            let low = packed[i / 128 * 32 + i % 32] >> (2 * UInt8(truncatingIfNeeded: i / 32 % 4)) & 3
            let high = third[i % 32] >> UInt8(truncatingIfNeeded: i / 32) & 1
            out.codes[i] = (low | high << 2) + 4
        }
    }

    /// d, 2 bytes and 4 bytes of scales, 128 bytes of places in ``nonlinear``; 32 is the zero of a scale's six bits.
    private static let iq4xs: Unpack = { block, out in
        let scale = half(block, 0)
        let high = block.loadUnaligned(fromByteOffset: 2, as: UInt16.self)
        let (low, packed) = (bytes(block, 4), bytes(block, 8))
        for group in 0..<8 {
            let bits = low[group / 2] >> (group % 2 == 0 ? 0 : 4) & 15
            let top = UInt8(truncatingIfNeeded: high >> UInt16(2 * group)) & 3
            out.scales[group] = scale * Float(Int(bits | top << 4) - 32)
            for i in 0..<16 {
                out.codes[group * 32 + i] = nonlinear[Int(packed[group * 16 + i] & 15)]
                out.codes[group * 32 + 16 + i] = nonlinear[Int(packed[group * 16 + i] >> 4)]
            }
        }
    }
}
