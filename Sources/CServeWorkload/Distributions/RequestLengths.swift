// Prompt and answer lengths of one request, drawn together where they depend on each other.
import CServeCore

/// Lengths of a prompt and its answer.
public struct LengthPair: Hashable, Sendable {
    /// Tokens of the prompt.
    public var prompt: Int
    /// Tokens of the answer.
    public var output: Int

    /// Creates a pair.
    public init(prompt: Int, output: Int) {
        self.prompt = prompt
        self.output = output
    }
}

/// How prompt and answer lengths are distributed.
public enum RequestLengths: Hashable, Sendable {
    /// A distribution each; `correlation` couples them (-1 to 1; 0: independent) as a Gaussian copula does: it is the
    /// correlation of their normal scores, and leaves both distributions as they are.
    case separate(prompt: LengthDistribution, output: LengthDistribution, correlation: Double)
    /// Pairs of a sample, drawn with replacement.
    case pairs([LengthPair])

    /// Two distributions that do not depend on each other.
    public static func independent(prompt: LengthDistribution, output: LengthDistribution) -> RequestLengths {
        .separate(prompt: prompt, output: output, correlation: 0)
    }

    /// Always the same lengths.
    public static func fixed(prompt: Int, output: Int) -> RequestLengths {
        .independent(prompt: .fixed(prompt), output: .fixed(output))
    }
}

/// Draws pairs of lengths.
struct PairSampler: Sendable {
    private let lengths: RequestLengths
    private let prompt: LengthSampler
    private let output: LengthSampler
    private var generator: SeededGenerator

    init(_ lengths: RequestLengths, generator: SeededGenerator) {
        self.lengths = lengths
        self.generator = generator
        switch lengths {
        case .separate(let prompt, let output, _):
            self.prompt = LengthSampler(prompt)
            self.output = LengthSampler(output)
        case .pairs:
            prompt = LengthSampler(.fixed(1))
            output = LengthSampler(.fixed(1))
        }
    }

    /// The next pair; neither length is below 1.
    mutating func next() -> LengthPair {
        let first: Double = generator.openUnit()
        let second: Double = generator.openUnit()
        switch lengths {
        case .pairs(let pairs):
            let pair: LengthPair = pairs[min(Int(first * Double(pairs.count)), pairs.count - 1)]
            return LengthPair(prompt: max(1, pair.prompt), output: max(1, pair.output))
        case .separate(_, _, let correlation):
            let coupled: Double = PairSampler.coupled(first, second, correlation)
            return LengthPair(prompt: max(1, prompt.length(at: first)), output: max(1, output.length(at: coupled)))
        }
    }

    /// A share that depends on the first as far as the correlation says.
    private static func coupled(_ first: Double, _ second: Double, _ correlation: Double) -> Double {
        guard correlation != 0 else { return second }
        let own: Double = PortableMath.normalQuantile(second) * (1 - correlation * correlation).squareRoot()
        let share: Double = PortableMath.normalShare(below: correlation * PortableMath.normalQuantile(first) + own)
        return min(max(share, 0x1p-54), 1 - 0x1p-53)
    }
}
