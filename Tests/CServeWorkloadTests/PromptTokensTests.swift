import CServeCore
import CServeWorkload
import Testing

@Suite("Prompt tokens")
struct PromptTokensTests {
    @Test("shared segments give shared tokens, own text differs")
    func sharing() {
        let shared = PromptSegment(.text(7), tokens: 20)
        let first = WorkloadRequest(index: 0, arrival: 0, promptLength: 50, outputLength: 1, segments: [shared])
        let second = WorkloadRequest(index: 1, arrival: 0, promptLength: 60, outputLength: 1, segments: [shared])
        let one = first.promptTokens(vocabularySize: 32_000, seed: 1)
        let two = second.promptTokens(vocabularySize: 32_000, seed: 1)
        #expect(one.count == 50 && two.count == 60)
        #expect(one[..<20] == two[..<20])
        #expect(one[20] != two[20])
        #expect(one == first.promptTokens(vocabularySize: 32_000, seed: 1))
        #expect(one != first.promptTokens(vocabularySize: 32_000, seed: 2))
        #expect(one.allSatisfy { (1..<32_000).contains($0) })
    }

    @Test("an earlier answer is quoted as the token that simulations generate")
    func answers() {
        let turn = WorkloadRequest(
            index: 3, arrival: nil, promptLength: 8, outputLength: 1,
            segments: [PromptSegment(.answer(2), tokens: 5)], after: 2)
        let tokens = turn.promptTokens(vocabularySize: 10, seed: 0)
        #expect(tokens.prefix(5).allSatisfy { $0 == WorkloadRequest.answerToken })
        #expect(!tokens.dropFirst(5).contains(WorkloadRequest.answerToken))
    }

    @Test("the generator gives SplitMix64's published stream")
    func splitMix() {
        // Origin: first outputs of Vigna's splitmix64.c for seed 1234567.
        var generator = SeededGenerator(seed: 1_234_567)
        let first: [UInt64] = (0..<3).map { _ in generator.next() }
        #expect(first == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
    }
}
