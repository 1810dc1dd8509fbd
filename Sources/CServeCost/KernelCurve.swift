// One operator on one accelerator, as measured: the physical model with constants of its own, times what it misses.
import CServeCore

/// A measured operator of one accelerator.
public struct KernelCurve: Sendable {
    /// Which operator.
    public let kind: CurveKind
    /// On which accelerator.
    public let accelerator: String
    let rates: DeviceRates
    let constants: [Double]
    let surface: MeasuredSurface
    /// The measured rows, repeated ones merged.
    let samples: [KernelSample]

    /// Rows that one fit looks at: more do not change the constants.
    private static let fitted = 700

    /// Fits a curve to measured rows of one kind.
    /// - Parameter constants: The physical constants, where they are known already.
    public init(
        _ kind: CurveKind, accelerator: String, rates: DeviceRates, samples: [KernelSample], constants: [Double]? = nil,
        seed: UInt64 = 7
    ) {
        let merged: [KernelSample] = KernelCurve.merged(samples)
        self.kind = kind
        self.accelerator = accelerator
        self.rates = rates
        self.samples = merged
        let fitted: [Double] =
            constants ?? KernelCurve.fit(kind, [(rates: rates, samples: merged)], hold: 0.002, seed: seed)
        self.constants = fitted
        let values: [Double] = merged.map { CMath.log($0.seconds / $0.work.modelled(rates, fitted)) }
        let metric = kind.metric
        surface = MeasuredSurface(
            merged.map(\.work.coordinates), values, weights: metric.weights, neighbours: metric.neighbours,
            power: metric.power)
    }

    /// Physical constants from several accelerators; each counts the same.
    static func fit(
        _ kind: CurveKind, _ sets: [(rates: DeviceRates, samples: [KernelSample])], hold: Double, steps: Int = 400,
        seed: UInt64
    ) -> [Double] {
        var generator = SearchGenerator(seed: seed)
        var chosen: [[(work: (KernelWork, DeviceRates), seconds: Double)]] = []
        for set in sets where !set.samples.isEmpty {
            let places: [Int] = generator.sample(fitted, below: set.samples.count)
            chosen.append(places.map { ((set.samples[$0].work, set.rates), set.samples[$0].seconds) })
        }
        let search = SeededSearch<(KernelWork, DeviceRates)>(
            sets: chosen, time: { $0.0.modelled($0.1, $1) }, hold: hold, steps: steps,
            fixed: kind.fixedConstants)
        return search.fit(kind.constants, seed: seed)
    }

    /// One row for repeated ones, with the geometric mean of their times, in the order of their first lines.
    static func merged(_ samples: [KernelSample]) -> [KernelSample] {
        var places: [KernelWork: Int] = [:]
        var merged: [(sample: KernelSample, logs: Double, count: Double)] = []
        for sample in samples {
            let value: Double = CMath.log(sample.seconds)
            if let place = places[sample.work] {
                merged[place].logs += value
                merged[place].count += 1
            } else {
                places[sample.work] = merged.count
                merged.append((sample, value, 1))
            }
        }
        return merged.map {
            KernelSample($0.sample.work, seconds: CMath.exp($0.logs / $0.count), line: $0.sample.line)
        }
    }

    /// The time of some work on this curve's accelerator, or on another one with its utilisation.
    public func time(of work: KernelWork, on other: DeviceRates? = nil, isCold: Bool = false) -> TimeEstimate {
        let answer: MeasuredSurface.Answer = surface(work.coordinates)
        let modelled: Double = work.modelled(other ?? rates, constants, isCold: isCold)
        return TimeEstimate(seconds: modelled * CMath.exp(answer.value), evidence: answer.evidence)
    }
}
