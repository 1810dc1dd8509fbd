// The few functions of libm that the cost model needs, under one name on every platform.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The C library's mathematics.
enum CostMath {
    @inline(__always)
    static func log(_ x: Double) -> Double {
        #if canImport(Glibc)
            Glibc.log(x)
        #elseif canImport(Musl)
            Musl.log(x)
        #else
            Darwin.log(x)
        #endif
    }

    @inline(__always)
    static func exp(_ x: Double) -> Double {
        #if canImport(Glibc)
            Glibc.exp(x)
        #elseif canImport(Musl)
            Musl.exp(x)
        #else
            Darwin.exp(x)
        #endif
    }

    @inline(__always)
    static func pow(_ x: Double, _ y: Double) -> Double { x <= 0 ? 0 : exp(y * log(x)) }

    @inline(__always)
    static func log2(_ x: Double) -> Double { log(x) * 1.4426950408889634 }
}
