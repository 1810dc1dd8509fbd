// Timed passes: every operator of a model is seen, and the numbers are those of the model without a clock.

import CServeCore
import Testing

@testable import CServeEngine

@Suite("Model probe")
struct ModelProbeTests {
    @Test("a pass tells the time of every operator of a Llama layer, and the head's where rows are sampled")
    func operators() throws {
        let checkpoint = try TinyCheckpoint.make("llama")
        var recipe = Recipe()
        (recipe.maxNumSeqs, recipe.maxNumBatchedTokens, recipe.maxModelLen, recipe.threads) = (4, 32, 64, 1)
        let probe = try ModelProbe(checkpoint: checkpoint, recipe: recipe, availableBytes: nil)
        let shape = probe.runner.shape
        let entries = [ProbeEntry(tokens: 5, context: 8), ProbeEntry(tokens: 1, context: 20)]
        let times = try probe.pass(entries, sampled: 1)
        let queries = shape.heads * shape.headDim
        for operation in [
            TimedOperator.norm, .place, .activation, .attention, .embedding,
            .linear(rows: queries + 2 * shape.kvHeads * shape.headDim, columns: shape.hiddenSize),
            .linear(rows: shape.hiddenSize, columns: shape.intermediateSize),
        ] {
            #expect(times.operators[operation, default: 0] > 0, "\(operation)")
        }
        #expect(times.layers >= times.operators.values.reduce(0, +) * 0.999 && times.logits > 0)
        #expect(try probe.attention(entries) > 0)
    }

    @Test("what does not fit is refused as it is when serving")
    func refusal() throws {
        var recipe = Recipe()
        (recipe.maxNumSeqs, recipe.maxNumBatchedTokens, recipe.maxModelLen, recipe.threads) = (4, 32, 64, 1)
        let probe = try ModelProbe(
            checkpoint: try TinyCheckpoint.make("llama"), recipe: recipe, availableBytes: nil)
        #expect(throws: EngineError.self) { try probe.pass([ProbeEntry(tokens: 33, context: 0)], sampled: 0) }
    }
}
