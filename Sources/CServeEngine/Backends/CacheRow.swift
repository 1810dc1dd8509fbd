// One position of a cached head between f32 and the cache's format: the rounding that every backend must reproduce.

import CServeCore

/// Rounds a head's keys or values at one position to a cache's format and reads them back.
enum CacheRow {
    /// Writes `count` numbers; returns the scale of a format that has one, else 1.
    ///
    /// Codes: the largest magnitude becomes 127 or 448. Rows so small that 1 / scale is out of range become zero; where a
    /// number is not finite, the scale is not a number, so that neither is what is computed from it.
    static func store(
        _ row: UnsafePointer<Float>, count: Int, _ format: CacheFormat, into out: UnsafeMutableRawPointer
    ) -> Float {
        switch format {
        case .float32: ElementConversion.fromFloat(row, count: count, .float32, into: out)
        case .float16: ElementConversion.fromFloat(row, count: count, .float16, into: out)
        case .bfloat16: ElementConversion.fromFloat(row, count: count, .bfloat16, into: out)
        case .int8, .fp8:
            let top: Float = format == .int8 ? 127 : 448
            let numbers = UnsafeBufferPointer(start: row, count: count)
            let largest = numbers.reduce(0) { max($0, $1.magnitude) }
            let isFinite = numbers.allSatisfy(\.isFinite)
            guard isFinite, largest >= Float.leastNormalMagnitude * 512 else {
                out.initializeMemory(as: UInt8.self, repeating: 0, count: count)
                return isFinite ? 0 : .nan
            }
            let inverse = top / largest
            for i in 0..<count {
                let scaled = row[i] * inverse
                let code =
                    format == .int8
                    ? UInt8(bitPattern: Int8(scaled.rounded(.toNearestOrEven))) : floatToEight(scaled)
                out.storeBytes(of: code, toByteOffset: i, as: UInt8.self)
            }
            return largest / top
        }
        return 1
    }

    /// Reads `count` numbers.
    static func load(
        _ source: UnsafeRawPointer, scale: Float, count: Int, _ format: CacheFormat,
        into out: UnsafeMutablePointer<Float>
    ) {
        switch format {
        case .float32: ElementConversion.toFloat(source, .float32, count: count, into: out)
        case .float16: ElementConversion.toFloat(source, .float16, count: count, into: out)
        case .bfloat16: ElementConversion.toFloat(source, .bfloat16, count: count, into: out)
        case .int8:
            for i in 0..<count { out[i] = scale * Float(source.load(fromByteOffset: i, as: Int8.self)) }
        case .fp8:
            for i in 0..<count { out[i] = scale * eightToFloat(source.load(fromByteOffset: i, as: UInt8.self)) }
        }
    }

    /// The nearest e4m3 number to one of at most 448, ties to even. Source: OCP 8-bit floating point (OFP8), 2023.
    static func floatToEight(_ value: Float) -> UInt8 {
        let sign: UInt8 = value.sign == .minus ? 0x80 : 0
        // One unit of the last place: 2^(exponent - 3), from 2^-9 on.
        let exponent = max(value.magnitude == 0 ? -6 : Int(value.exponent), -6)
        let units = (value.magnitude * Float(sign: .plus, exponent: 3 - exponent, significand: 1))
            .rounded(.toNearestOrEven)
        // The exponent counts eights of units; a carry raises it by itself.
        let code = (exponent + 6) * 8 + Int(units)
        return sign | UInt8(min(code, 0x7E))
    }

    /// An e4m3 number's value: `fraction / 8 * 2^-6`, or `(1 + fraction / 8) * 2^(exponent - 7)`.
    static func eightToFloat(_ code: UInt8) -> Float {
        let fraction = Float(code & 7)
        let exponent = Int(code >> 3 & 15)
        let units = exponent == 0 ? fraction : fraction + 8
        let magnitude = units * Float(sign: .plus, exponent: max(exponent, 1) - 10, significand: 1)
        return code & 0x80 == 0 ? magnitude : -magnitude
    }
}
