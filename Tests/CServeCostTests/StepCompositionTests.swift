import CServeCost
import Testing

@Suite("Step compositions")
struct StepCompositionTests {
    @Test("prompts and decodes add up")
    func sums() {
        var step = StepComposition()
        step.addDecode(context: 10)
        step.addDecode(context: 30)
        step.addPrefill(tokens: 100, context: 0, samples: false)
        step.addPrefill(tokens: 7, context: 100, samples: true)
        #expect(step.tokens == 109)
        #expect(step.decodeContext == 40)
        #expect(step.longestDecodeContext == 30)
        #expect(step.sampledRows == 3)
    }
}
