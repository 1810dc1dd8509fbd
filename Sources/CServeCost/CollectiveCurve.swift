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
        return CMath.exp(times.reduce(0) { $0 + CMath.log($1) } / Double(times.count))
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
        let share: Double = CMath.log(bytes / left.bytes) / CMath.log(right.bytes / left.bytes)
        let seconds: Double = left.seconds * CMath.exp(share * CMath.log(right.seconds / left.seconds))
        return TimeEstimate(seconds: seconds, evidence: .interpolated)
    }
}

/// What a sum costs over links that nobody measured: a start by way and ranks, and a ring over the slowest link.
///
/// Read off the tables that the curves come from. Starts: vLLM's own kernels with NVLink take 4.9 to 5.6 microseconds from a
/// graph with 2 to 8 ranks of A100, and 20 to 90 more launched one by one; NCCL takes 10, 14 and 21.5 there, 6, 12 and 22
/// over PCIe, where the own kernels are no faster. Rings reach 0.85 of what a link moves (A100: 189 GB/s of 240 with two
/// ranks); over PCIe more than two ranks share ways to the host.
struct CollectiveTheory: Hashable, Sendable {
    /// Share of a link's bandwidth that a ring reaches.
    var share: Double = 0.85
    /// Seconds of a captured kernel over NVLink, and of launching one.
    var graph: Double = 4.8e-6
    var launch: Double = 28e-6
    /// Seconds of NCCL's kernel, and per rank.
    var nccl: Double = 3e-6
    var perRank: Double = 2.4e-6
    /// Links that take longer to start are PCIe or a network.
    static let slowStart: Double = 6e-6

    /// The time of a sum of `bytes` on every rank.
    func seconds(bytes: Double, ranks: Int, link: Link, way: String) -> Double {
        let isSlow: Bool = link.latency > Self.slowStart
        let others = Double(ranks - 1)
        let moved: Double = 2 * others / Double(ranks) * bytes
        let crowding: Double = isSlow ? 2 / Double(max(2, ranks)) : 1
        let library: Double = nccl + perRank * Double(ranks)
        let own: Double = isSlow ? library : graph + 0.13e-6 * Double(ranks - 2)
        let start: Double = way == "graph" ? own : way == "eager" ? own + launch : library
        return start + moved / (link.bandwidth * share * crowding)
    }
}
