// Fits the constants of a physical model: a seeded random search, since tiles and waves leave no useful gradient.

import CServeCore

/// A small, fast generator for searches and hold-outs (SplitMix64: Steele et al. 2014).
struct SearchGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z: UInt64 = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A number from 0 to below 1.
    mutating func unit() -> Double { Double(next() >> 11) / 9007199254740992 }

    /// A number around 0 with about unit spread: the sum of twelve uniform ones, less six.
    mutating func normal() -> Double { (0..<12).reduce(-6.0) { sum, _ in sum + unit() } }

    /// `count` places below `limit` in random order.
    mutating func sample(_ count: Int, below limit: Int) -> [Int] {
        var places: [Int] = Array(0..<limit)
        guard count < limit else { return places }
        for place in 0..<count {
            places.swapAt(place, place + Int(next() % UInt64(limit - place)))
        }
        return Array(places.prefix(count))
    }
}

/// Fits constants to measured times.
struct SeededSearch<Work> {
    /// What was measured, a set per accelerator: each counts the same.
    var sets: [[(work: Work, seconds: Double)]]
    /// The modelled time.
    var time: (Work, [Double]) -> Double
    /// How strongly constants are held near where they start; per squared logarithm.
    var hold: Double = 0.002
    var steps: Int = 400
    /// Places of constants that stay as they are.
    var fixed: Set<Int> = []

    /// Constants near `start` with the least error: the median, and a little of the 80th percentile.
    func fit(_ start: [Double], seed: UInt64 = 7) -> [Double] {
        var generator = SearchGenerator(seed: seed)
        var best: [Double] = start
        var least: Double = loss(best, start: start)
        let free: [Int] = start.indices.filter { !fixed.contains($0) }
        for step in 0..<steps {
            let spread: Double = 0.4 * (1 - Double(step) / Double(steps)) + 0.03
            var trial: [Double] = best
            for _ in 0..<(1 + Int(generator.next() % 3)) {
                let place: Int = free[Int(generator.next() % UInt64(free.count))]
                trial[place] *= CMath.exp(spread * generator.normal())
            }
            let value: Double = loss(trial, start: start)
            if value < least {
                least = value
                best = trial
            }
        }
        return best
    }

    private func loss(_ constants: [Double], start: [Double]) -> Double {
        var sum: Double = 0
        for set in sets where !set.isEmpty {
            var errors: [Double] = set.map { abs(CMath.log(time($0.work, constants) / $0.seconds)) }
            errors.sort()
            sum += errors[errors.count / 2] + 0.15 * errors[errors.count * 4 / 5]
        }
        let drift: Double = zip(constants, start).reduce(0) { sum, pair in
            let change: Double = CMath.log(pair.0 / pair.1)
            return sum + change * change
        }
        return sum / Double(max(1, sets.count)) + hold * drift
    }
}
