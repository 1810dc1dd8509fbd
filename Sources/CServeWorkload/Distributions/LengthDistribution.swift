// How long prompts and answers are, as data: what a workload file says, and what is drawn from it.
import CServeCore

/// Bounds on lengths, in tokens.
public struct LengthRange: Hashable, Sendable {
    /// The shortest.
    public var min: Int
    /// The longest; nil: no bound.
    public var max: Int?

    /// Bounds lengths.
    public init(min: Int = 1, max: Int? = nil) {
        self.min = min
        self.max = max
    }

    /// The nearest length within the bounds.
    func clamp(_ length: Int) -> Int { Swift.max(min, Swift.min(length, max ?? length)) }
}

/// A distribution of lengths in tokens.
///
/// Draws are by inverse distribution function and rounded to the nearest whole length. Normal and lognormal distributions are
/// truncated, not clamped: what lies outside the range has probability 0 and the rest is scaled up.
public enum LengthDistribution: Hashable, Sendable {
    /// Always the same.
    case fixed(Int)
    /// Every whole length from the first to the second, equally likely.
    case uniform(Int, Int)
    /// Normal, truncated to the range.
    case normal(mean: Double, standardDeviation: Double, within: LengthRange)
    /// Lognormal, truncated to the range: `exp` of a normal distribution with mean `ln median` and deviation `sigma`.
    case lognormal(median: Double, sigma: Double, within: LengthRange)
    /// A measured distribution by its quantiles, linear between them.
    case quantiles([LengthQuantile])
    /// A measured distribution by its histogram; within a bin every whole length is equally likely.
    case histogram([LengthBin])

    /// The lengths that can occur.
    public var range: LengthRange {
        switch self {
        case .fixed(let length): LengthRange(min: length, max: length)
        case .uniform(let low, let high): LengthRange(min: low, max: high)
        case .normal(_, _, let range), .lognormal(_, _, let range): range
        case .quantiles(let points):
            LengthRange(min: Int((points.first?.tokens ?? 0).rounded()), max: Int((points.last?.tokens ?? 0).rounded()))
        case .histogram(let bins): LengthRange(min: bins.first?.from ?? 0, max: bins.last?.to ?? 0)
        }
    }

    /// The length below which a share of the draws lies; `share` is above 0 and below 1.
    public func length(at share: Double) -> Int { LengthSampler(self).length(at: share) }
}

/// A point of a distribution function.
public struct LengthQuantile: Hashable, Sendable {
    /// The share at or below, 0 to 1.
    public var share: Double
    /// The length.
    public var tokens: Double

    /// Creates a point.
    public init(share: Double, tokens: Double) {
        self.share = share
        self.tokens = tokens
    }
}

/// A bin of a histogram.
public struct LengthBin: Hashable, Sendable {
    /// The shortest length in it.
    public var from: Int
    /// The longest length in it.
    public var to: Int
    /// How often lengths fall into it, relative to the other bins.
    public var weight: Double

    /// Creates a bin.
    public init(from: Int, to: Int, weight: Double) {
        self.from = from
        self.to = to
        self.weight = weight
    }
}

/// Draws from a distribution, with what can be computed beforehand.
struct LengthSampler: Sendable {
    private let distribution: LengthDistribution
    /// Shares of an untruncated distribution at the range's ends.
    private var lowShare: Double = 0
    private var highShare: Double = 1
    /// Cumulative weights of a histogram.
    private var cumulative: [Double] = []

    init(_ distribution: LengthDistribution) {
        self.distribution = distribution
        switch distribution {
        case .normal(let mean, let deviation, let range) where deviation > 0:
            lowShare = PortableMath.normalShare(below: (Double(range.min) - 0.5 - mean) / deviation)
            if let max = range.max {
                highShare = PortableMath.normalShare(below: (Double(max) + 0.5 - mean) / deviation)
            }
        case .lognormal(let median, let sigma, let range) where sigma > 0:
            let score: (Double) -> Double = { PortableMath.log($0 / median) / sigma }
            if range.min > 0 { lowShare = PortableMath.normalShare(below: score(Double(range.min) - 0.5)) }
            if let max = range.max { highShare = PortableMath.normalShare(below: score(Double(max) + 0.5)) }
        case .histogram(let bins):
            var total: Double = 0
            for bin in bins {
                total += bin.weight
                cumulative.append(total)
            }
        default: break
        }
    }

    /// The length below which a share of the draws lies.
    func length(at share: Double) -> Int {
        switch distribution {
        case .fixed(let length): return length
        case .uniform(let low, let high): return Swift.min(high, low + Int(share * Double(high - low + 1)))
        case .normal(let mean, let deviation, let range):
            return whole(mean + deviation * score(share, deviation), range)
        case .lognormal(let median, let sigma, let range):
            return whole(median * PortableMath.exp(sigma * score(share, sigma)), range)
        case .quantiles(let points): return LengthSampler.interpolated(points, at: share)
        case .histogram(let bins): return binned(bins, at: share)
        }
    }

    /// The normal score of a share of the truncated distribution.
    private func score(_ share: Double, _ deviation: Double) -> Double {
        guard deviation > 0 else { return 0 }
        let place: Double = lowShare + share * (highShare - lowShare)
        return PortableMath.normalQuantile(Swift.min(Swift.max(place, 0x1p-54), 1 - 0x1p-53))
    }

    private func whole(_ value: Double, _ range: LengthRange) -> Int {
        range.clamp(Int(Swift.min(value, 0x1p52).rounded()))
    }

    private static func interpolated(_ points: [LengthQuantile], at share: Double) -> Int {
        var high: Int = points.count - 1
        var low: Int = 0
        while high - low > 1 {
            let middle: Int = (low + high) / 2
            if points[middle].share <= share { low = middle } else { high = middle }
        }
        let span: Double = points[high].share - points[low].share
        let part: Double = span > 0 ? Swift.min(Swift.max((share - points[low].share) / span, 0), 1) : 1
        return Int((points[low].tokens + (points[high].tokens - points[low].tokens) * part).rounded())
    }

    private func binned(_ bins: [LengthBin], at share: Double) -> Int {
        let target: Double = share * (cumulative.last ?? 0)
        var low: Int = 0
        var high: Int = bins.count - 1
        while low < high {
            let middle: Int = (low + high) / 2
            if cumulative[middle] > target { high = middle } else { low = middle + 1 }
        }
        let bin: LengthBin = bins[low]
        let start: Double = cumulative[low] - bin.weight
        let part: Double = bin.weight > 0 ? Swift.max(0, (target - start) / bin.weight) : 0
        return Swift.min(bin.to, bin.from + Int(part * Double(bin.to - bin.from + 1)))
    }
}
