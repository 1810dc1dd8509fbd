// Random numbers that depend on a seed alone: a workload is the same on every machine and in every process.

/// SplitMix64: one addition and two multiplications a number, and any place of the stream can be asked for directly.
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
public struct SeededGenerator: RandomNumberGenerator, Hashable, Sendable {
    private var state: UInt64

    /// Starts a stream.
    public init(seed: UInt64) {
        state = seed
    }

    /// A stream of its own for each purpose (arrivals, lengths, ...), so that one does not shift another.
    public init(seed: UInt64, stream: UInt64) {
        state = SeededGenerator.mix(seed, stream)
    }

    /// The next number.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return SeededGenerator.finish(state)
    }

    /// The next number in [0, 1), with 53 bits.
    public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Two numbers into one.
    public static func mix(_ first: UInt64, _ second: UInt64) -> UInt64 {
        finish(finish(first &+ 0x9E37_79B9_7F4A_7C15) ^ second &* 0xD1B5_4A32_D192_ED03)
    }

    /// SplitMix64's finaliser.
    @inlinable
    public static func finish(_ value: UInt64) -> UInt64 {
        var word: UInt64 = value
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }
}
