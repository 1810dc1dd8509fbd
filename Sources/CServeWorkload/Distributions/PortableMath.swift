// Logarithm, exponential and the normal distribution from additions, products and divisions alone: the C library's differ
// in the last digit from system to system, and one seed must give the same requests on all of them.

/// Mathematics that gives the same bits everywhere.
enum PortableMath {
    /// ln 2, split so that a small multiple of the first part is exact.
    private static let ln2High: Double = 0x1.62e42feep-1
    private static let ln2Low: Double = 0x1.a39ef35793c76p-33

    /// The natural logarithm of a positive normal number, within 2 units in the last place.
    ///
    /// `x = m * 2^k` with `m` in [sqrt(1/2), sqrt(2)), and `ln m = 2 artanh((m - 1) / (m + 1))` by its series.
    static func log(_ x: Double) -> Double {
        var mantissa: Double = x.significand
        var exponent: Double = Double(x.exponent)
        if mantissa > 0x1.6a09e667f3bcdp0 {
            mantissa /= 2
            exponent += 1
        }
        let ratio: Double = (mantissa - 1) / (mantissa + 1)
        let square: Double = ratio * ratio
        var sum: Double = 0
        // |ratio| < 0.1716, so the eleventh term is below 1e-18.
        for power in stride(from: 21, through: 3, by: -2) { sum = (sum + 1 / Double(power)) * square }
        return exponent * ln2High + (2 * ratio + (2 * ratio * sum + exponent * ln2Low))
    }

    /// e to the power of x, within 2 units in the last place; 0 below -708 and infinity above 709.
    ///
    /// `x = k ln 2 + r` with `|r| < 0.35`, and Taylor's series for `r`.
    static func exp(_ x: Double) -> Double {
        guard x < 709 else { return x.isNaN ? x : .infinity }
        guard x > -708 else { return 0 }
        let power: Double = (x * 0x1.71547652b82fep0).rounded()
        let rest: Double = (x - power * ln2High) - power * ln2Low
        var sum: Double = 1
        // 0.35^15 / 15! is below 1e-18.
        for place in stride(from: 14, through: 1, by: -1) { sum = 1 + sum * rest / Double(place) }
        return sum * Double(sign: .plus, exponent: Int(power), significand: 1)
    }

    /// A positive number to a power.
    static func pow(_ base: Double, _ power: Double) -> Double { exp(power * log(base)) }

    /// The standard normal distribution's share below x, within 1e-15.
    ///
    /// Source: Marsaglia, "Evaluating the normal distribution", J. Stat. Software 11(4), 2004: 1/2 + density * (x + x^3/3 +
    /// x^5/(3*5) + ...).
    static func normalShare(below x: Double) -> Double {
        guard abs(x) < 8.3 else { return x < 0 ? 0 : 1 }
        var sum: Double = x
        var term: Double = x
        var divisor: Double = 3
        while abs(term) > abs(sum) * 1e-17, divisor < 400 {
            term *= x * x / divisor
            sum += term
            divisor += 2
        }
        let density: Double = exp(-x * x / 2) * 0x1.9884533d43651p-2
        return min(max(0.5 + density * sum, 0), 1)
    }

    /// The standard normal distribution's quantile, relative error about 1e-16; `share` is above 0 and below 1.
    ///
    /// Source: Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37(3),
    /// 1988 (PPND16); constants as published.
    static func normalQuantile(_ share: Double) -> Double {
        let offset: Double = share - 0.5
        if abs(offset) <= 0.425 {
            let r: Double = 0.180625 - offset * offset
            return offset * polynomial(centreAbove, r) / polynomial(centreBelow, r)
        }
        let tail: Double = (-log(offset < 0 ? share : 1 - share)).squareRoot()
        let size: Double =
            tail <= 5
            ? polynomial(middleAbove, tail - 1.6) / polynomial(middleBelow, tail - 1.6)
            : polynomial(tailAbove, tail - 5) / polynomial(tailBelow, tail - 5)
        return offset < 0 ? -size : size
    }

    /// Horner's rule; coefficients from the constant on.
    private static func polynomial(_ coefficients: [Double], _ x: Double) -> Double {
        var sum: Double = 0
        for coefficient in coefficients.reversed() { sum = sum * x + coefficient }
        return sum
    }

    private static let centreAbove: [Double] = [
        3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
        4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3,
    ]
    private static let centreBelow: [Double] = [
        1, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3, 2.1213794301586595867e4,
        3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3,
    ]
    private static let middleAbove: [Double] = [
        1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
        1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4,
    ]
    private static let middleBelow: [Double] = [
        1, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1, 1.48103976427480074590e-1,
        1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9,
    ]
    private static let tailAbove: [Double] = [
        6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
        2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
    ]
    private static let tailBelow: [Double] = [
        1, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2, 7.86869131145613259100e-4,
        1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15,
    ]
}

extension SeededGenerator {
    /// The next number above 0 and below 1, with 53 bits.
    mutating func openUnit() -> Double { (Double(next() >> 11) + 0.5) * 0x1p-53 }

    /// The next number of a standard normal distribution.
    mutating func normal() -> Double { PortableMath.normalQuantile(openUnit()) }

    /// The next number of an exponential distribution with mean 1.
    mutating func exponential() -> Double { -PortableMath.log(openUnit()) }

    /// The next number of a Gamma distribution with scale 1.
    ///
    /// Source: Marsaglia, Tsang, "A simple method for generating gamma variables", ACM TOMS 26(3), 2000; shapes below 1 by
    /// their note: `gamma(shape + 1) * u^(1 / shape)`.
    mutating func gamma(shape: Double) -> Double {
        guard shape >= 1 else {
            let share: Double = openUnit()
            return gamma(shape: shape + 1) * PortableMath.exp(PortableMath.log(share) / shape)
        }
        let d: Double = shape - 1.0 / 3
        let c: Double = 1 / (9 * d).squareRoot()
        while true {
            let x: Double = normal()
            let root: Double = 1 + c * x
            let u: Double = openUnit()
            guard root > 0 else { continue }
            let v: Double = root * root * root
            if PortableMath.log(u) < 0.5 * x * x + d - d * v + d * PortableMath.log(v) { return d * v }
        }
    }
}
