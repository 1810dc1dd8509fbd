// Powers and logarithms as the cost model takes them: fast, and defined where the C library's are not.

import CServeCore

/// Mathematics of the cost model, over ``CMath``.
enum CostMath {
    /// `x` to the `y`; 0 for `x` of 0 and below.
    @inline(__always)
    static func pow(_ x: Double, _ y: Double) -> Double { x <= 0 ? 0 : CMath.exp(y * CMath.log(x)) }

    @inline(__always)
    static func log2(_ x: Double) -> Double { CMath.log(x) * 1.4426950408889634 }
}
