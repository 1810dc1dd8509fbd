// Lognormal distributions from the two figures that a source happens to give.

/// What is known of a lognormal distribution: any two of its figures determine it.
public struct LognormalFigures: Hashable, Sendable {
    /// Arithmetic mean.
    public var mean: Double?
    /// Median.
    public var p50: Double?
    /// 90th percentile.
    public var p90: Double?
    /// 99th percentile.
    public var p99: Double?
    /// Standard deviation.
    public var standardDeviation: Double?

    /// Collects figures.
    public init(
        mean: Double? = nil, p50: Double? = nil, p90: Double? = nil, p99: Double? = nil,
        standardDeviation: Double? = nil
    ) {
        self.mean = mean
        self.p50 = p50
        self.p90 = p90
        self.p99 = p99
        self.standardDeviation = standardDeviation
    }

    /// The distribution with these figures before it is truncated; nil if they are not two positive ones that fit one.
    public func fitted() -> (median: Double, sigma: Double)? {
        let known: [Double] = [mean, p50, p90, p99, standardDeviation].compactMap { $0 }
        guard known.count == 2, known.allSatisfy({ $0 > 0 && $0.isFinite }) else { return nil }
        let upper: (value: Double, score: Double)? =
            p90.map { ($0, PortableMath.normalQuantile(0.9)) } ?? p99.map { ($0, PortableMath.normalQuantile(0.99)) }
        if let p50 { return LognormalFigures.fit(median: p50, upper: upper, mean: mean) }
        if let p90, let p99 { return LognormalFigures.fit(p90: p90, p99: p99) }
        guard let mean else { return nil }
        if let upper { return LognormalFigures.fit(mean: mean, upper: upper) }
        guard let standardDeviation else { return nil }
        let variation: Double = standardDeviation / mean
        let variance: Double = PortableMath.log(1 + variation * variation)
        return (mean * PortableMath.exp(-variance / 2), variance.squareRoot())
    }

    private static func fit(median: Double, upper: (value: Double, score: Double)?, mean: Double?) -> (Double, Double)?
    {
        if let upper, upper.value >= median {
            return (median, PortableMath.log(upper.value / median) / upper.score)
        }
        guard let mean, mean >= median else { return nil }
        return (median, (2 * PortableMath.log(mean / median)).squareRoot())
    }

    private static func fit(p90: Double, p99: Double) -> (Double, Double)? {
        let (low, high): (Double, Double) = (PortableMath.normalQuantile(0.9), PortableMath.normalQuantile(0.99))
        guard p99 >= p90 else { return nil }
        let sigma: Double = PortableMath.log(p99 / p90) / (high - low)
        return (p90 * PortableMath.exp(-low * sigma), sigma)
    }

    /// `ln upper = ln mean - sigma^2 / 2 + score sigma`; of the two solutions the narrower distribution.
    private static func fit(mean: Double, upper: (value: Double, score: Double)) -> (Double, Double)? {
        let root: Double = upper.score * upper.score - 2 * PortableMath.log(upper.value / mean)
        guard upper.value >= mean, root >= 0 else { return nil }
        let sigma: Double = upper.score - root.squareRoot()
        return (mean * PortableMath.exp(-sigma * sigma / 2), sigma)
    }
}
