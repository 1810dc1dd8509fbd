// Measured sums across ranks, by message size: one curve per accelerator, way of starting it and number of ranks.
import CServeCore

/// A measured collective.
public struct CollectiveCurve: Sendable {
    /// What tells one curve from another.
    public struct Key: Hashable, Sendable {
        /// The accelerator's name in the library.
        public var accelerator: String
        /// `graph` and `eager` (an engine's own kernels), `nccl`, `send`.
        public var way: String
        /// Ranks.
        public var ranks: Int

        /// Names a curve.
        public init(accelerator: String, way: String, ranks: Int) {
            self.accelerator = accelerator
            self.way = way
            self.ranks = ranks
        }
    }

    /// A measured message.
    public struct Point: Hashable, Sendable {
        /// Its bytes on every rank.
        public var bytes: Double
        /// Seconds.
        public var seconds: Double

        /// Describes a message.
        public init(bytes: Double, seconds: Double) {
            self.bytes = bytes
            self.seconds = seconds
        }
    }

    /// What it is of.
    public let key: Key
    /// The points by size; repeated sizes merged.
    public let points: [Point]

    /// Takes measured messages in any order.
    public init(_ key: Key, _ points: [Point]) {
        self.key = key
        var merged: [Double: [Double]] = [:]
        for point in points where point.bytes > 0 && point.seconds > 0 {
            merged[point.bytes, default: []].append(point.seconds)
        }
        self.points = merged.map { Point(bytes: $0.key, seconds: CollectiveCurve.mean($0.value)) }
            .sorted { $0.bytes < $1.bytes }
    }

    /// The geometric mean; a single time as it is.
    private static func mean(_ times: [Double]) -> Double {
        guard times.count > 1 else { return times.first ?? 0 }
        return CostMath.exp(times.reduce(0) { $0 + CostMath.log($1) } / Double(times.count))
    }

    /// The same with points at least a sixth of an octave apart: what ships.
    var thinned: CollectiveCurve {
        var kept: [Point] = []
        for point in points where kept.last.map({ point.bytes >= $0.bytes * 1.12 }) ?? true { kept.append(point) }
        if let last = points.last, kept.last != last { kept.append(last) }
        return CollectiveCurve(key, kept)
    }

    /// Whether it is a sum of 16-bit numbers within one machine.
    var isSum: Bool { ["graph", "eager", "nccl"].contains(key.way) }

    /// The time of a message: linear in logarithms between points; below them held, above them at the last point's rate.
    public func time(bytes: Double) -> TimeEstimate {
        guard let first = points.first, let last = points.last else {
            return TimeEstimate(seconds: 0, evidence: .theoretical)
        }
        if bytes <= first.bytes {
            return TimeEstimate(seconds: first.seconds, evidence: bytes == first.bytes ? .measured : .extrapolated)
        }
        if bytes >= last.bytes {
            let evidence: EvidenceKind = bytes == last.bytes ? .measured : .extrapolated
            return TimeEstimate(seconds: last.seconds * bytes / last.bytes, evidence: evidence)
        }
        let high: Int = points.firstIndex { $0.bytes >= bytes } ?? points.count - 1
        let (left, right) = (points[high - 1], points[high])
        if right.bytes == bytes { return TimeEstimate(seconds: right.seconds, evidence: .measured) }
        let share: Double = CostMath.log(bytes / left.bytes) / CostMath.log(right.bytes / left.bytes)
        let seconds: Double = left.seconds * CostMath.exp(share * CostMath.log(right.seconds / left.seconds))
        return TimeEstimate(seconds: seconds, evidence: .interpolated)
    }
}

/// What a sum costs over links that nobody measured: a start per way and rank, and a ring over the slowest link.
///
/// Starts: vLLM's own kernels on A100 and H100 with NVLink (4.2 to 5.6 microseconds from a graph, 20 to 45 launched one by
/// one), NCCL about 9; the ring's share of the link on those machines 0.6 to 0.8.
struct CollectiveTheory: Hashable, Sendable {
    /// Share of a link's bandwidth that a ring reaches.
    var share: Double = 0.7
    /// Seconds of a captured kernel beside the links, of one that is launched, and of NCCL's.
    var graph: Double = 4.5e-6
    var eager: Double = 28e-6
    var nccl: Double = 10e-6

    /// The time of a sum of `bytes` on every rank.
    func seconds(bytes: Double, ranks: Int, link: Link, way: String) -> Double {
        let others = Double(ranks - 1)
        let moved: Double = 2 * others / Double(ranks) * bytes
        let start: Double = way == "graph" ? graph : way == "eager" ? eager : nccl
        return start + 2 * others * min(link.latency, 5e-6) * 0.2 + moved / (link.bandwidth * share)
    }
}
