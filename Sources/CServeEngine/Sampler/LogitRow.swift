// One row of logits in a few passes: its greatest, its log-sum-exp, its exponentials; every sum in a fixed order.

import CServeCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Passes over one row of logits. All are pure functions of the row, so a request's numbers do not depend on its company.
enum LogitRow {
    /// A logit's place and value.
    struct Greatest {
        /// Its column; the lowest of equals.
        var token: Int
        /// Its value.
        var value: Float
    }

    private typealias Lanes = SIMD8<Float>
    private static let lanes = 8

    /// The greatest logit.
    /// - Throws: ``SamplingError`` if a logit is not a number or infinite, or if all are masked.
    static func greatest(_ row: UnsafeBufferPointer<Float>) throws(SamplingError) -> Greatest {
        guard let base = row.baseAddress else { throw .allMasked }
        var best = Lanes(repeating: -.infinity)
        var broken = SIMDMask<SIMD8<Int32>>(repeating: false)
        let whole = row.count - row.count % lanes
        for start in stride(from: 0, to: whole, by: lanes) {
            let values = load(base + start)
            broken .|= values .!= values
            best.replace(with: values, where: values .> best)
        }
        var value = best.max()
        var isBroken = any(broken)
        for index in whole..<row.count {
            isBroken = isBroken || base[index].isNaN
            value = base[index] > value ? base[index] : value
        }
        if isBroken { throw .notANumber }
        if value == .infinity { throw .infinite }
        guard value > -.infinity, let token = first(value, in: row) else { throw .allMasked }
        return Greatest(token: token, value: value)
    }

    private static func first(_ value: Float, in row: UnsafeBufferPointer<Float>) -> Int? {
        guard let base = row.baseAddress else { return nil }
        let whole = row.count - row.count % lanes
        for start in stride(from: 0, to: whole, by: lanes) where any(load(base + start) .== value) {
            for index in start..<(start + lanes) where base[index] == value { return index }
        }
        for index in whole..<row.count where base[index] == value { return index }
        return nil
    }

    /// `log(sum(exp(row)))`, given the row's greatest.
    static func logSumExp(_ row: UnsafeBufferPointer<Float>, greatest: Float) -> Double {
        Double(greatest) + log(sumOfExponentials(row, greatest: greatest, scale: 1, floor: 0, into: nil))
    }

    /// Sums `exp((x - greatest) * scale)` over the row, leaving out terms below `floor`; writes the terms into `terms`
    /// if given (terms left out are 0).
    static func sumOfExponentials(
        _ row: UnsafeBufferPointer<Float>, greatest: Float, scale: Float, floor: Float,
        into terms: UnsafeMutablePointer<Float>?
    ) -> Double {
        guard let base = row.baseAddress else { return 0 }
        var total = 0.0
        var start = 0
        while start < row.count {
            let count = min(block, row.count - start)
            total += blockSum(
                base + start, count: count, greatest: greatest, scale: scale, floor: floor,
                into: terms.map { $0 + start })
            start += count
        }
        return total
    }

    /// Terms per partial sum: short enough for f32, and the stride of the search for a sampled token.
    static let block = 512

    private static func blockSum(
        _ base: UnsafePointer<Float>, count: Int, greatest: Float, scale: Float, floor: Float,
        into terms: UnsafeMutablePointer<Float>?
    ) -> Double {
        var sum = Lanes(repeating: 0)
        var start = 0
        while start < count {
            var values = Lanes(repeating: -.infinity)
            if start + lanes <= count {
                values = load(base + start)
            } else {
                for lane in 0..<(count - start) { values[lane] = base[start + lane] }
            }
            var powers = exponential((values - greatest) * scale)
            powers.replace(with: 0, where: powers .< floor)
            sum += powers
            if let terms { store(powers, at: terms + start, count: min(lanes, count - start)) }
            start += lanes
        }
        return Double(sum.sum())
    }

    /// Sums the terms that are at least `bound`.
    static func sum(_ terms: UnsafeBufferPointer<Float>, from bound: Float) -> Double {
        guard let base = terms.baseAddress else { return 0 }
        let whole = terms.count - terms.count % lanes
        var total = 0.0
        for start in stride(from: 0, to: whole, by: block) {
            var sum = Lanes(repeating: 0)
            for index in stride(from: start, to: min(start + block, whole), by: lanes) {
                var values = load(base + index)
                values.replace(with: 0, where: values .< bound)
                sum += values
            }
            total += Double(sum.sum())
        }
        for index in whole..<terms.count where base[index] >= bound { total += Double(base[index]) }
        return total
    }

    /// `exp(x)` for `x <= 0` to about 2 ulp; 0 below -87. Cephes' `expf` polynomial.
    static func exponential(_ x: SIMD8<Float>) -> SIMD8<Float> {
        var clamped = x
        clamped.replace(with: -87, where: x .< -87)
        // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits: no call per lane.
        let shifted = clamped * 1.442_695_04 + 12_582_912
        let power = shifted - 12_582_912
        let rest = (clamped - power * 0.693_359_375) - power * -2.121_944_4e-4
        var series = Lanes(repeating: 1.987_569_15e-4)
        for coefficient: Float in [1.398_199_95e-3, 8.333_451_9e-3, 4.166_579_6e-2, 1.666_666_55e-1, 5.000_000_1e-1] {
            series = series * rest + coefficient
        }
        let mantissa = series * (rest * rest) + rest + 1
        let exponent = unsafeBitCast(shifted, to: SIMD8<Int32>.self) &- (0x4B40_0000 - 127)
        var result = mantissa * unsafeBitCast(exponent &<< 23, to: Lanes.self)
        result.replace(with: 0, where: x .< -87)
        return result
    }

    private static func load(_ pointer: UnsafePointer<Float>) -> Lanes {
        UnsafeRawPointer(pointer).loadUnaligned(as: Lanes.self)
    }

    private static func store(_ values: Lanes, at pointer: UnsafeMutablePointer<Float>, count: Int) {
        if count == lanes {
            UnsafeMutableRawPointer(pointer).storeBytes(of: values, as: Lanes.self)
        } else {
            for lane in 0..<count { pointer[lane] = values[lane] }
        }
    }
}
