// Chooses which beginning a request shares with others.
import CServeCore

/// Chooses shared prefixes.
struct PrefixSampler: Sendable {
    private let prefixes: SharedPrefixes
    private let lengths: LengthSampler
    private let lengthSeed: UInt64
    /// Cumulative weights under Zipf's law.
    private let cumulative: [Double]
    private var generator: SeededGenerator

    init(_ prefixes: SharedPrefixes, seed: UInt64) {
        self.prefixes = prefixes
        lengths = LengthSampler(prefixes.tokens)
        lengthSeed = SeededGenerator.mix(seed, RandomStream.prefixLengths.rawValue)
        generator = SeededGenerator(seed, for: .prefixes)
        var sums: [Double] = []
        if prefixes.zipfExponent > 0 {
            var total: Double = 0
            for rank in 1...prefixes.groups {
                total += PortableMath.pow(Double(rank), -prefixes.zipfExponent)
                sums.append(total)
            }
        }
        cumulative = sums
    }

    /// The next request's prefix; nil for one without.
    mutating func next() -> PromptSegment? {
        let coin: Double = generator.openUnit()
        let choice: Double = generator.openUnit()
        guard coin < prefixes.share else { return nil }
        let group: Int = chosen(choice)
        var own = SeededGenerator(seed: lengthSeed, stream: UInt64(group))
        let tokens: Int = lengths.length(at: own.openUnit())
        return tokens > 0 ? PromptSegment(.text(TextNumber.prefix(group)), tokens: tokens) : nil
    }

    private func chosen(_ share: Double) -> Int {
        guard let total = cumulative.last else {
            return min(Int(share * Double(prefixes.groups)), prefixes.groups - 1)
        }
        var low: Int = 0
        var high: Int = cumulative.count - 1
        while low < high {
            let middle: Int = (low + high) / 2
            if cumulative[middle] > share * total { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
