// Conversions between stored number types and f32, exact upwards and rounded to nearest even downwards.

import CServeCore

/// Converts runs of numbers between types.
public enum ElementConversion {
    /// Reads `count` numbers of `element` type at any alignment into f32: exact.
    public static func toFloat(
        _ source: UnsafeRawPointer, _ element: ElementType, count: Int, into out: UnsafeMutablePointer<Float>
    ) {
        switch element {
        case .float32:
            UnsafeMutableRawPointer(out).copyMemory(from: source, byteCount: count * 4)
        case .float16:
            for i in 0..<count {
                out[i] = halfToFloat(source.loadUnaligned(fromByteOffset: i * 2, as: UInt16.self))
            }
        case .bfloat16:
            for i in 0..<count {
                let bits = source.loadUnaligned(fromByteOffset: i * 2, as: UInt16.self)
                out[i] = Float(bitPattern: UInt32(bits) << 16)
            }
        }
    }

    /// Writes `count` f32 numbers as `element`, rounded to nearest, ties to even.
    public static func fromFloat(
        _ source: UnsafePointer<Float>, count: Int, _ element: ElementType, into out: UnsafeMutableRawPointer
    ) {
        switch element {
        case .float32:
            out.copyMemory(from: source, byteCount: count * 4)
        case .float16:
            for i in 0..<count {
                out.storeBytes(of: floatToHalf(source[i]), toByteOffset: i * 2, as: UInt16.self)
            }
        case .bfloat16:
            for i in 0..<count {
                out.storeBytes(of: floatToBrain(source[i]), toByteOffset: i * 2, as: UInt16.self)
            }
        }
    }

    /// An IEEE half's value.
    public static func halfToFloat(_ bits: UInt16) -> Float {
        let sign = UInt32(bits & 0x8000) << 16
        let exponent = UInt32(bits >> 10) & 0x1F
        let mantissa = UInt32(bits & 0x3FF)
        if exponent == 0 {
            let magnitude = Float(mantissa) * 0x1p-24
            return sign == 0 ? magnitude : -magnitude
        }
        let wide = exponent == 31 ? 0xFF : exponent + 112
        return Float(bitPattern: sign | wide << 23 | mantissa << 13)
    }

    /// The nearest IEEE half, ties to even.
    public static func floatToHalf(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        let sign = UInt16(truncatingIfNeeded: bits >> 16) & 0x8000
        let magnitude = bits & 0x7FFF_FFFF
        if magnitude > 0x7F80_0000 { return sign | 0x7E00 }
        if magnitude >= 0x477F_F000 { return sign | 0x7C00 }
        if magnitude < 0x3880_0000 {
            let scaled = (Float(bitPattern: magnitude) * 0x1p24).rounded(.toNearestOrEven)
            return sign | UInt16(scaled)
        }
        let rebased = magnitude - 0x3800_0000
        let rounded = rebased + 0xFFF + ((rebased >> 13) & 1)
        return sign | UInt16(truncatingIfNeeded: rounded >> 13)
    }

    /// The nearest bfloat16, ties to even.
    public static func floatToBrain(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        if value.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
        return UInt16(truncatingIfNeeded: (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16)
    }
}
