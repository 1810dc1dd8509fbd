// The index must find what a plain search through the text finds.
import CServeCore
import Testing

@testable import CServeScheduling

struct NGramIndexTests {
    /// The longest n-gram at the end that came before, at its latest place; what followed there, going on with itself.
    private static func search(_ text: [TokenID], _ lengths: ClosedRange<Int>, _ most: Int) -> [TokenID] {
        for length in lengths.reversed() where length < text.count {
            for end in (length..<text.count).reversed()
            where text[(end - length)..<end] == text[(text.count - length)...] {
                var whole = text
                for position in end..<(end + most) { whole.append(whole[position]) }
                return Array(whole[text.count...])
            }
        }
        return []
    }

    @Test("Guesses equal those of a plain search, token by token, however few the words are")
    func equalsSearch() {
        var found: Int = 0
        for seed in UInt64(1)...120 {
            var random = SplitMix(seed)
            let words: Int = random.int(2...30)
            let shortest: Int = random.int(1...3)
            let lengths = shortest...random.int(shortest...6)
            let prompt = (0..<random.int(0...60)).map { _ in TokenID(random.int(0...words) * 1000) }
            var answer: [TokenID] = []
            var index = NGramIndex()
            for _ in 0..<150 {
                answer.append(TokenID(random.int(0...words) * 1000))
                // Sometimes several tokens come before the next question.
                if random.chance(30) { continue }
                let most: Int = random.int(1...8)
                let guess = index.guess(
                    after: TokenSpan(prompt: prompt, answer: answer, start: 0), lengths: lengths, most: most)
                #expect(guess == Self.search(prompt + answer, lengths, most), "seed \(seed)")
                found += guess.isEmpty ? 0 : 1
            }
        }
        #expect(found > 1000)
    }

    @Test("The latest place counts, the longest n-gram before it, and a guess goes on with itself")
    func rules() {
        func guess(_ text: [TokenID], _ most: Int) -> [TokenID] {
            var index = NGramIndex()
            return index.guess(after: TokenSpan(prompt: text, answer: [], start: 0), lengths: 2...3, most: most)
        }
        #expect(guess([1, 2, 3, 1, 2, 4, 1, 2], 1) == [4])
        #expect(guess([9, 1, 2, 3, 7, 1, 2, 4, 9, 1, 2], 1) == [3])
        #expect(guess([5, 6, 5, 6, 5], 5) == [6, 5, 6, 5, 6])
        #expect(guess([8, 8, 8], 3) == [8, 8, 8])
        #expect(guess([1, 2, 3, 4], 3) == [])
        #expect(guess([1], 3) == [])
    }
}
