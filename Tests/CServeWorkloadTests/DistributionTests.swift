// Expected numbers: scipy 1.x (norm.ppf, norm.cdf) and numpy, computed apart from this code, unless said otherwise.
import CServeCore
import Testing

@testable import CServeWorkload

@Suite("Distributions")
struct DistributionTests {
    @Test("the normal quantile agrees with scipy's from the centre to the far tails")
    func quantile() {
        let shares: [Double] = [1e-300, 1e-12, 1e-3, 0.05, 0.3, 0.5, 0.9, 0.99, 1 - 1e-9]
        let expected: [Double] = [
            -37.0470962993612, -7.034483825301131, -3.090232306167813, -1.6448536269514729, -0.5244005127080409, 0,
            1.2815515655446004, 2.3263478740408408, 5.997807019601637,
        ]
        for (share, value) in zip(shares, expected) {
            #expect(abs(PortableMath.normalQuantile(share) - value) <= 1e-14 * max(1, abs(value)))
        }
    }

    @Test("the normal distribution agrees with scipy's")
    func normalShare() {
        let places: [Double] = [-8, -5, -2.5, -1, -0.1, 0, 0.3, 1.96, 4, 7]
        let expected: [Double] = [
            6.22096057427174e-16, 2.866515718791933e-07, 0.006209665325776132, 0.15865525393145707, 0.460172162722971,
            0.5, 0.6179114221889526, 0.9750021048517795, 0.9999683287581669, 0.9999999999987201,
        ]
        for (place, value) in zip(places, expected) {
            #expect(abs(PortableMath.normalShare(below: place) - value) < 1e-15)
        }
    }

    @Test("logarithm and exponential are inverse and exact where they can be")
    func logarithm() {
        #expect(PortableMath.log(1) == 0 && PortableMath.exp(0) == 1)
        // Origin: Python's math.log(10) and math.exp(1).
        #expect(abs(PortableMath.log(10) - 2.302585092994046) < 5e-16)
        #expect(abs(PortableMath.exp(1) - 2.718281828459045) < 1e-15)
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<1000 {
            let x: Double = (generator.unit() - 0.5) * 600
            #expect(abs(PortableMath.log(PortableMath.exp(x)) - x) <= 4e-16 * max(1, abs(x)) + 4e-16)
        }
    }

    @Test("truncated distributions have the quantiles of the renormalised ones")
    func truncated() {
        let shares: [Double] = [0.01, 0.1, 0.5, 0.9, 0.99]
        let lognormal = LengthDistribution.lognormal(median: 100, sigma: 1, within: LengthRange(min: 50, max: 400))
        #expect(shares.map { lognormal.length(at: $0) } == [51, 61, 122, 282, 384])
        let normal = LengthDistribution.normal(mean: 255, standardDeviation: 100, within: LengthRange(min: 1, max: 300))
        #expect(shares.map { normal.length(at: $0) } == [30, 109, 214, 283, 299])
    }

    @Test("uniform, fixed, histogram and quantile draws stay where they should")
    func simple() {
        #expect(LengthDistribution.fixed(7).length(at: 0.3) == 7)
        let uniform = LengthDistribution.uniform(3, 6)
        #expect([0.01, 0.26, 0.51, 0.99].map { uniform.length(at: $0) } == [3, 4, 5, 6])
        let bins = LengthDistribution.histogram([
            LengthBin(from: 1, to: 1, weight: 1), LengthBin(from: 10, to: 19, weight: 3),
        ])
        #expect([0.1, 0.24, 0.26, 0.63, 0.99].map { bins.length(at: $0) } == [1, 1, 10, 15, 19])
        let points = LengthDistribution.quantiles([
            LengthQuantile(share: 0, tokens: 10), LengthQuantile(share: 0.5, tokens: 20),
            LengthQuantile(share: 1, tokens: 120),
        ])
        #expect([0.25, 0.5, 0.75].map { points.length(at: $0) } == [15, 20, 70])
    }

    @Test("a lognormal distribution is found from any two of its figures")
    func fit() throws {
        let both = try #require(LognormalFigures(p50: 139, p90: 484).fitted())
        #expect(both.median == 139 && abs(both.sigma - 0.9735160153745065) < 1e-14)
        let mean = try #require(LognormalFigures(mean: 200, p50: 129).fitted())
        #expect(abs(mean.sigma - 0.936488080208568) < 1e-14)
        let upper = try #require(LognormalFigures(mean: 200, p90: 400).fitted())
        #expect(abs(upper.sigma - 0.7755080357668495) < 1e-12 && abs(upper.median - 148.05902469699177) < 1e-10)
        let spread = try #require(LognormalFigures(mean: 200, standardDeviation: 50).fitted())
        #expect(abs(spread.sigma - 0.2462207) < 1e-6 && abs(spread.median - 194.0285) < 1e-3)
        // A mean of 197 with a 90th percentile of 484 fits none: their ratio exceeds exp(z^2 / 2) = 2.27.
        #expect(LognormalFigures(mean: 197, p90: 484).fitted() == nil)
        #expect(LognormalFigures(mean: 100, p50: 129).fitted() == nil)
        #expect(LognormalFigures(p50: 129).fitted() == nil)
    }

    @Test("Gamma draws have the mean and the variance of their shape", arguments: [0.05, 0.5, 1, 3, 40.0])
    func gamma(shape: Double) {
        var generator = SeededGenerator(seed: 11)
        let draws: [Double] = (0..<40_000).map { _ in generator.gamma(shape: shape) }
        let mean: Double = draws.reduce(0, +) / Double(draws.count)
        let variance: Double = draws.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(draws.count)
        // Five standard errors of the mean; the variance's own error is larger for small shapes.
        #expect(abs(mean - shape) < 5 * (shape / 40_000).squareRoot())
        #expect(abs(variance / shape - 1) < 5 * ((2 + 6 / shape) / 40_000).squareRoot())
    }

    @Test("coupled lengths have the correlation of their normal scores, and keep their distributions")
    func copula() {
        let lengths = RequestLengths.separate(
            prompt: .uniform(1, 1_000_000), output: .uniform(1, 1_000_000), correlation: 0.6)
        var sampler = PairSampler(lengths, generator: SeededGenerator(seed: 3))
        let pairs: [LengthPair] = (0..<20_000).map { _ in sampler.next() }
        let score: (Int) -> Double = { PortableMath.normalQuantile(Double($0) / 1_000_001) }
        let product: Double = pairs.reduce(0) { $0 + score($1.prompt) * score($1.output) } / Double(pairs.count)
        #expect(abs(product - 0.6) < 0.03)
        let mean: Double = pairs.reduce(0) { $0 + Double($1.output) } / Double(pairs.count)
        #expect(abs(mean - 500_000) < 10_000)
    }

    @Test("pairs are drawn as they are, and evenly")
    func pairs() {
        let sample: [LengthPair] = [LengthPair(prompt: 10, output: 1), LengthPair(prompt: 20, output: 2)]
        var sampler = PairSampler(.pairs(sample), generator: SeededGenerator(seed: 3))
        let drawn: [LengthPair] = (0..<2000).map { _ in sampler.next() }
        #expect(drawn.allSatisfy { sample.contains($0) })
        #expect(abs(drawn.count { $0.prompt == 10 } - 1000) < 120)
    }
}
