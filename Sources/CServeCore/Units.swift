// The units that every module shares, so that no number travels without one.

/// A point in time, or a span, in integer nanoseconds; the origin is the owner's choice (a monotonic clock, or 0).
///
/// Integers keep the live scheduler and the simulated one bit-equal.
public typealias Nanoseconds = Int64

extension Nanoseconds {
    /// One second in nanoseconds.
    public static let second: Nanoseconds = 1_000_000_000
    /// One millisecond in nanoseconds.
    public static let millisecond: Nanoseconds = 1_000_000
    /// This span in seconds.
    public var seconds: Double { Double(self) / 1e9 }
}

/// An amount of memory in bytes, printed in the decimal units of data sheets.
public struct ByteCount: Hashable, Comparable, Codable, Sendable, CustomStringConvertible {
    /// The number of bytes.
    public var bytes: Int

    /// Creates an amount from a number of bytes.
    public init(_ bytes: Int) {
        self.bytes = bytes
    }

    /// An amount in gigabytes (10^9 bytes).
    public static func gigabytes(_ value: Double) -> ByteCount { ByteCount(Int((value * 1e9).rounded())) }

    /// An amount in binary gigabytes (2^30 bytes).
    public static func gibibytes(_ value: Double) -> ByteCount { ByteCount(Int((value * 1_073_741_824).rounded())) }

    /// Orders by size.
    public static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }
    /// The sum.
    public static func + (left: ByteCount, right: ByteCount) -> ByteCount { ByteCount(left.bytes + right.bytes) }
    /// The difference.
    public static func - (left: ByteCount, right: ByteCount) -> ByteCount { ByteCount(left.bytes - right.bytes) }
    /// A multiple.
    public static func * (left: ByteCount, right: Int) -> ByteCount { ByteCount(left.bytes * right) }

    /// The amount with three significant digits: `26 GB`, `1.31 MB`, `512 B`.
    public var description: String {
        let magnitude = Swift.abs(Double(bytes))
        for (unit, size) in [("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)] where magnitude >= size {
            return ByteCount.threeDigits(Double(bytes) / size) + " " + unit
        }
        return "\(bytes) B"
    }

    private static func threeDigits(_ value: Double) -> String {
        let decimals = Swift.abs(value) >= 100 ? 0 : Swift.abs(value) >= 10 ? 1 : 2
        let scale = [1.0, 10.0, 100.0][decimals]
        let rounded = (value * scale).rounded() / scale
        return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
    }

    /// Decodes a plain number of bytes.
    public init(from decoder: any Decoder) throws {
        bytes = try decoder.singleValueContainer().decode(Int.self)
    }

    /// Encodes a plain number of bytes.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(bytes)
    }
}
