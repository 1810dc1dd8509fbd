// Two results beside each other: by how much the second differs, and whether that is more than chance.
import CServeCore

/// What is said of a difference.
public enum BenchVerdict: String, Hashable, Codable, Sendable {
    /// The second is better.
    case better
    /// The second is worse.
    case worse
    /// The interval holds 1: chance alone may have done it.
    case noDifference = "no_difference"
    /// No interval can be given.
    case unknown
}

/// One figure of both.
public struct ComparedLine: Hashable, Codable, Sendable {
    /// With its unit: `ttft_p99_ms`.
    public var name: String
    /// Of the first side; the mean of its runs.
    public var first: Double
    /// Of the second side.
    public var second: Double
    /// Second over first.
    public var ratio: Double
    /// The ratio's 95% interval begins here; nil: none can be given.
    public var low: Double?
    /// It ends here.
    public var high: Double?
    /// What that means.
    public var verdict: BenchVerdict

    /// As a table names it.
    var title: String = ""

    /// JSON names.
    public enum CodingKeys: String, CodingKey {
        case name
        case first
        case second
        case ratio
        case low
        case high
        case verdict
    }
}

/// Compares results, each side one run or several repeats.
///
/// Several repeats on both sides: Welch's interval over the logarithms of their figures, which holds all that varies from run
/// to run. Else the requests are drawn again (see ``Bootstrap``), which holds only what varies within a run.
public struct BenchComparison: Hashable, Sendable {
    /// The figures.
    public private(set) var lines: [ComparedLine] = []
    /// What keeps the two from being compared like with like, and what intervals do not hold.
    public private(set) var notes: [String] = []
    /// The names of both sides.
    public let names: [String]

    /// Compares.
    /// - Parameters:
    ///   - sides: both sides' runs, at least one each.
    ///   - names: what the sides are called.
    ///   - force: whether different workloads are compared all the same.
    ///   - seed: of the draws.
    /// - Throws: ``BenchComparisonError``.
    public init(
        _ sides: (first: [BenchResult], second: [BenchResult]), names: (first: String, second: String),
        force: Bool = false, seed: UInt64 = 0
    ) throws(BenchComparisonError) {
        precondition(!sides.first.isEmpty && !sides.second.isEmpty, "Each side needs a run.")
        self.names = [names.first, names.second]
        let all: [BenchResult] = sides.first + sides.second
        let digests: [String] = Set(all.map(\.workloadDigest)).sorted()
        guard digests.count == 1 || force else { throw .differentWorkloads(digests) }
        let repeats: Bool = sides.first.count > 1 && sides.second.count > 1
        lines = repeats ? Self.repeated(sides) : Self.resampled(sides, seed)
        notes = Self.differences(all, digests) + Self.limits(sides, repeats)
    }

    /// The line of a figure: `ttft_p99_ms`.
    public func line(_ name: String) -> ComparedLine? { lines.first { $0.name == name } }

    // MARK: Intervals

    private typealias Sides = (first: [BenchResult], second: [BenchResult])

    /// A figure of every run.
    private struct Pair {
        var figure: ComparedFigure
        var first: [Double]
        var second: [Double]
    }

    /// Figures that every run has, and that are above 0 on the first side: only then there is a ratio.
    private static func pairs(_ sides: Sides) -> [Pair] {
        let all: [Pair] = ComparedFigure.all.map { (figure: ComparedFigure) -> Pair in
            Pair(
                figure: figure, first: sides.first.compactMap { figure.value($0) },
                second: sides.second.compactMap { figure.value($0) })
        }
        return all.filter { (pair: Pair) -> Bool in
            pair.first.count == sides.first.count && pair.second.count == sides.second.count
                && pair.first.allSatisfy { $0 > 0 }
        }
    }

    private static func repeated(_ sides: Sides) -> [ComparedLine] {
        pairs(sides).map { line($0, RatioInterval.welch($0.first, $0.second)) }
    }

    private static func resampled(_ sides: Sides, _ seed: UInt64) -> [ComparedLine] {
        let wanted: [Pair] = pairs(sides)
        var draws: [ComparedFigure: (first: [Double], second: [Double])] = [:]
        for source in Set(wanted.map(\.figure.source)) {
            let own: [ComparedFigure] = wanted.map(\.figure).filter { $0.source == source }
            let first: [[Double]] = draw(sides.first, own, source, seed &* 2)
            let second: [[Double]] = draw(sides.second, own, source, seed &* 2 &+ 1)
            for (place, figure) in own.enumerated() { draws[figure] = (first[place], second[place]) }
        }
        return wanted.map { (pair: Pair) -> ComparedLine in
            line(pair, draws[pair.figure].flatMap { RatioInterval.drawn($0.first, $0.second) })
        }
    }

    private static func draw(
        _ runs: [BenchResult], _ figures: [ComparedFigure], _ source: ComparedFigure.Source, _ seed: UInt64
    ) -> [[Double]] {
        let values: [[[Double]]] = runs.compactMap { $0.values(source) }
        guard values.count == runs.count else { return figures.map { _ in [] } }
        return Bootstrap(values.flatMap { $0 }).resampled(figures.map(\.asked), seed: seed)
    }

    private static func line(_ pair: Pair, _ interval: ClosedRange<Double>?) -> ComparedLine {
        let figure: ComparedFigure = pair.figure
        let before: Double = pair.first.reduce(0, +) / Double(pair.first.count)
        let after: Double = pair.second.reduce(0, +) / Double(pair.second.count)
        var verdict: BenchVerdict = .unknown
        if let interval {
            let isMore: Bool = interval.lowerBound > 1
            verdict = interval.contains(1) ? .noDifference : isMore == figure.isRate ? .better : .worse
        }
        return ComparedLine(
            name: figure.name, first: before, second: after, ratio: after / before, low: interval?.lowerBound,
            high: interval?.upperBound, verdict: verdict, title: figure.title)
    }

    // MARK: Notes

    private static func differences(_ all: [BenchResult], _ digests: [String]) -> [String] {
        var notes: [String] = []
        if digests.count > 1 { notes.append("the workloads differ: what is compared here is not like with like.") }
        if Set(all.map(\.model)).count > 1 {
            let models: String = Set(all.map(\.model)).sorted().joined(separator: ", ")
            notes.append("the models differ: \(BenchFailureCount.plain(models)).")
        }
        if Set(all.map { $0.objective?.description ?? "" }).count > 1 { notes.append("the targets differ.") }
        if Set(all.map(\.windows)).count > 1 { notes.append("warm-up or cool-down differ.") }
        let failed: [String] = all.filter { $0.report.failed > 0 }.map { (one: BenchResult) -> String in
            "\(one.report.failed) of \(one.report.offered)"
        }
        if !failed.isEmpty {
            let counts: String = failed.joined(separator: ", ")
            notes.append("requests failed (\(counts)); latencies are of those that were answered.")
        }
        return notes
    }

    private static func limits(_ sides: Sides, _ repeats: Bool) -> [String] {
        if repeats { return [] }
        if (sides.first + sides.second).contains(where: { $0.requests == nil }) {
            return ["no interval can be given without every request's record; write results with --out FILE."]
        }
        return [
            "intervals are of requests within a run; what drifts from run to run shows only in repeats: A1,A2 B1,B2."
        ]
    }
}

/// Intervals of ratios.
enum RatioInterval {
    /// Between the 2.5th and the 97.5th percentile of resamples' ratios; nil of none.
    static func drawn(_ first: [Double], _ second: [Double]) -> ClosedRange<Double>? {
        let ratios: [Double] = zip(first, second).filter { $0.0 > 0 }.map { $0.1 / $0.0 }.sorted()
        guard ratios.count >= 100 else { return nil }
        let end: Double = Double(ratios.count - 1)
        return ratios[Int(end * 0.025)]...ratios[Int((end * 0.975).rounded(.up))]
    }

    /// Of means of logarithms with unequal variances; degrees of freedom by Welch and Satterthwaite, rounded down.
    static func welch(_ first: [Double], _ second: [Double]) -> ClosedRange<Double>? {
        guard (first + second).allSatisfy({ $0 > 0 }) else { return nil }
        let (one, two) = (Moments(first.map(CMath.log)), Moments(second.map(CMath.log)))
        let spread: Double = one.ofMean + two.ofMean
        let middle: Double = two.mean - one.mean
        guard spread > 0 else { return CMath.exp(middle)...CMath.exp(middle) }
        let parts: Double =
            one.ofMean * one.ofMean / Double(first.count - 1) + two.ofMean * two.ofMean / Double(second.count - 1)
        let reach: Double = StudentT.quantile(degrees: Int(spread * spread / parts)) * spread.squareRoot()
        return CMath.exp(middle - reach)...CMath.exp(middle + reach)
    }

    private struct Moments {
        var mean: Double
        /// The variance of the mean.
        var ofMean: Double

        init(_ values: [Double]) {
            let count: Double = Double(values.count)
            let mean: Double = values.reduce(0, +) / count
            self.mean = mean
            ofMean = values.reduce(0.0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1) / count
        }
    }
}

/// Why two results are not compared.
public enum BenchComparisonError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The requests were not the same.
    case differentWorkloads([String])

    /// What happened, and what to do.
    public var description: String {
        switch self {
        case .differentWorkloads(let digests):
            "The results are of different workloads (\(digests.map { $0.prefix(12) }.joined(separator: ", "))). Measure with "
                + "the same workload, rate and seed, or compare all the same with --force."
        }
    }
}
