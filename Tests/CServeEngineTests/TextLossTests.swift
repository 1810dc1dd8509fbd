// A text's perplexity and divergence against the same sums over log-probabilities taken one by one.

import CServeCore
import Foundation
import Testing

@testable import CServeEngine

@Suite struct TextLossTests {
    private let text: [TokenID] = (0..<150).map { TokenID(($0 * 37 + $0 / 7) % 61) }

    private func runner(_ quantization: String?) throws -> ModelRunner {
        var recipe = TinyCheckpoint.recipe()
        recipe.maxNumSeqs = 1
        recipe.quantization = quantization
        return try ModelRunner(
            checkpoint: try TinyCheckpoint.make("llama"), recipe: recipe, backend: Reference())
    }

    @Test("Windows are scored by themselves, all tokens but their first")
    func sums() throws {
        let (model, other) = (try runner("int4"), try runner(nil))
        let loss = try TextLoss.measure(text, model: model, reference: other, window: 40)
        var (surprise, divergence, tokens) = (0.0, 0.0, 0)
        for first in stride(from: 0, to: 150, by: 40) {
            let window = text[first..<min(first + 40, 150)].map { Int32($0) }
            let found = try TestRun.logProbabilities(window, model)
            let expected = try TestRun.logProbabilities(window, other)
            for i in 0..<(window.count - 1) {
                tokens += 1
                surprise -= found[i][Int(window[i + 1])]
                divergence += zip(expected[i], found[i]).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
            }
        }
        #expect(loss.tokens == tokens && tokens == 146)
        #expect(abs(loss.perplexity - exp(surprise / 146)) < 1e-9 * loss.perplexity)
        #expect(abs(loss.meanDivergence - divergence / 146) < 1e-9 && divergence > 0.01)
        #expect(loss.agreement > 0 && loss.agreement < 1)
    }

    @Test("A model does not diverge from itself; without a reference only perplexity is known")
    func same() throws {
        let model = try runner(nil)
        let loss = try TextLoss.measure(text, model: model, reference: try runner(nil), window: 64)
        #expect(loss.meanDivergence == 0 && loss.agreement == 1 && loss.perplexity == loss.referencePerplexity)
        let alone = try TextLoss.measure(text, model: model, reference: ModelRunner?.none, window: 64)
        #expect(alone.perplexity == loss.perplexity)
    }
}
