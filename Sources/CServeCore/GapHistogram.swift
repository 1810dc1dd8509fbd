// Counts spans in bounded memory: the gaps between tokens are too many to be kept.

/// A log-linear histogram of spans: exact below 1024 ns, and within 0.1% above (512 buckets for every doubling).
///
/// Count, mean and maximum are exact. Memory: 8 bytes a bucket, at most 221 kB, whatever is added.
public struct GapHistogram: Hashable, Sendable {
    /// Half a bucket, as a share of the spans in it, is at most 1/1024.
    @usableFromInline static let perOctave: Int = 512

    @usableFromInline var buckets: [Int] = []
    /// Spans counted.
    public var count: Int { counted }
    @usableFromInline var counted: Int = 0
    @usableFromInline var sum: Int128 = 0
    @usableFromInline var longest: Nanoseconds = 0

    /// Counts nothing yet.
    public init() {}

    /// Counts a span so many times.
    @inlinable
    public mutating func add(_ span: Nanoseconds, times: Int = 1) {
        let index: Int = GapHistogram.bucket(span)
        if index >= buckets.count { grow(to: index) }
        buckets[index] += times
        counted += times
        sum += Int128(span) * Int128(times)
        if span > longest { longest = span }
    }

    /// Adds another histogram's spans.
    public mutating func add(_ other: GapHistogram) {
        if other.buckets.count > buckets.count { grow(to: other.buckets.count - 1) }
        for (index, times) in other.buckets.enumerated() { buckets[index] += times }
        counted += other.count
        sum += other.sum
        longest = max(longest, other.longest)
    }

    /// The figures of all spans.
    public var summary: LatencySummary {
        var summary = LatencySummary()
        guard count > 0 else { return summary }
        summary.count = count
        summary.mean = Double(sum) / Double(count) / 1e6
        summary.p50 = percentile(50)
        summary.p90 = percentile(90)
        summary.p95 = percentile(95)
        summary.p99 = percentile(99)
        summary.max = Double(longest) / 1e6
        return summary
    }

    /// A percentile in milliseconds; like ``LatencySummary`` it interpolates between the two nearest ranks.
    public func percentile(_ percent: Double) -> Double {
        let rank: Double = Double(count - 1) * percent / 100
        let below: Int = Int(rank)
        let low: Double = span(at: below)
        let high: Double = span(at: min(below + 1, count - 1))
        return min(low + (high - low) * (rank - Double(below)), Double(longest)) / 1e6
    }

    @usableFromInline
    mutating func grow(to index: Int) {
        buckets.append(contentsOf: repeatElement(0, count: index + 1 - buckets.count))
    }

    /// The middle of the bucket that holds a rank.
    private func span(at rank: Int) -> Double {
        var seen: Int = 0
        for (index, times) in buckets.enumerated() {
            seen += times
            if seen > rank { return GapHistogram.middle(index) }
        }
        return Double(longest)
    }

    @inlinable
    static func bucket(_ span: Nanoseconds) -> Int {
        let value: UInt64 = UInt64(max(0, span))
        let shift: Int = max(0, 54 - value.leadingZeroBitCount)
        return shift * perOctave + Int(value >> UInt64(shift))
    }

    private static func middle(_ index: Int) -> Double {
        guard index >= 2 * perOctave else { return Double(index) }
        let shift: Int = index / perOctave - 1
        let low: Int = (index - shift * perOctave) << shift
        return Double(low) + Double((1 << shift) - 1) / 2
    }
}
