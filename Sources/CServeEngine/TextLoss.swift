// How well a model predicts a text, and how far it lies from another: the loss that a weight format costs.

import CServeCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Sums over the predicted tokens of a text; a text is cut into windows, and a window's first token is not predicted.
public struct TextLoss: Hashable, Sendable {
    /// Predicted tokens.
    public private(set) var tokens = 0
    private var surprise = 0.0
    private var referenceSurprise = 0.0
    private var divergence = 0.0
    private var agreements = 0

    /// e to the mean of the negative log-probabilities.
    public var perplexity: Double { exp(surprise / Double(tokens)) }
    /// The same of the reference; 1 without one.
    public var referencePerplexity: Double { exp(referenceSurprise / Double(tokens)) }
    /// The mean of KL(reference || model) in nats per token.
    public var meanDivergence: Double { divergence / Double(tokens) }
    /// The share of tokens whose likeliest successor is the same.
    public var agreement: Double { Double(agreements) / Double(tokens) }

    /// Runs a text through a model, and through a reference beside it.
    ///
    /// Cost: one prefill of the text per model, and the reference's logits of 64 tokens.
    /// - Parameters:
    ///   - text: Token ids, at least two.
    ///   - window: Tokens that see each other; at most the models' length.
    /// - Throws: ``EngineError``.
    public static func measure(
        _ text: [TokenID], model: some ModelExecutor, reference: (some ModelExecutor)?, window: Int
    ) throws -> TextLoss {
        var loss = TextLoss()
        for first in stride(from: 0, to: text.count - 1, by: window) {
            let run = text[first..<min(first + window, text.count)].map { Int32($0) }
            for start in stride(from: 0, to: run.count - 1, by: 64) {
                let piece = start..<min(start + 64, run.count)
                var expected: [Float] = []
                if let reference { try logits(run, piece, reference) { expected.append(contentsOf: $1) } }
                let width = model.vocabularySize
                try logits(run, piece, model) { row, values in
                    guard piece.lowerBound + row + 1 < run.count else { return }
                    let next = Int(run[piece.lowerBound + row + 1])
                    let known = expected.isEmpty ? nil : expected[(row * width)..<((row + 1) * width)]
                    loss.add(values, known, next)
                }
            }
        }
        return loss
    }

    /// Hands over the logits of a piece of a window, whose earlier tokens are in the first blocks of the cache.
    private static func logits(
        _ window: [Int32], _ piece: Range<Int>, _ model: some ModelExecutor,
        _ body: (Int, UnsafeMutableBufferPointer<Float>) -> Void
    ) throws {
        var inputs = BatchInputs(blockSize: model.blockSize)
        let blocks = Int32((piece.upperBound + model.blockSize - 1) / model.blockSize)
        inputs.append(tokens: window[piece], start: piece.lowerBound, blockTable: 0..<blocks, wanted: .all)
        try model.execute(inputs) { slice in
            for row in 0..<slice.rows { body(slice.firstWanted + row, slice[row]) }
        }
    }

    private mutating func add(_ logits: UnsafeMutableBufferPointer<Float>, _ known: ArraySlice<Float>?, _ next: Int) {
        let total = Self.logSumExp(logits)
        tokens += 1
        surprise += total - Double(logits[next])
        guard let known else { return }
        known.withUnsafeBufferPointer { known in
            let knownTotal = Self.logSumExp(known)
            referenceSurprise += knownTotal - Double(known[next])
            var best = 0
            var knownBest = 0
            for i in known.indices {
                let logProbability = Double(known[i]) - knownTotal
                divergence += exp(logProbability) * (logProbability - (Double(logits[i]) - total))
                if logits[i] > logits[best] { best = i }
                if known[i] > known[knownBest] { knownBest = i }
            }
            agreements += best == knownBest ? 1 : 0
        }
    }

    private static func logSumExp(_ values: some Collection<Float>) -> Double {
        let greatest = Double(values.max() ?? 0)
        return greatest + log(values.reduce(0.0) { $0 + exp(Double($1) - greatest) })
    }
}
