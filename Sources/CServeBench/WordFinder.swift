// Finds words that a server's tokenizer makes one token each: texts of them have exact lengths by construction.
import CServeCore
import CServeWorkload

/// Looks for such words.
struct WordFinder: Sendable {
    let tokenizer: ServerTokenizer?
    let trial: TrialRequest

    /// Enough for texts that do not repeat themselves at once.
    private static let enough: Int = 32

    /// Common English words: one token, with the space before them, in nearly every vocabulary.
    private static let common: [String] = """
        the of and to in is that it was for on are as with they at be this from have or by one had not but what all were when \
        we there can an your which their said if do will each about how up out them then she many some so these would other \
        into has more her two like him see time could no make than first been its who now people my made over did down only \
        way find use may water long little very after words called just where most know get through back much go good new \
        write our me man too any day same right look think also around another came come work three must because does part \
        even place well such here take why help put different away again off went old number great tell men say small every
        """.split(separator: " ").map { String($0) }

    /// The words, what messages add to them, and what a reader should know if lengths are not exact.
    /// - Throws: ``BenchSetupError`` if the server takes no text either.
    func find() async throws(BenchSetupError) -> (WordList, String?) {
        var words: [String] = Self.common
        if let tokenizer {
            words = await singles(Self.common, tokenizer)
            if words.count < Self.enough { words += await singles(await decoded(tokenizer), tokenizer) }
        }
        if words.isEmpty { words = Self.common }
        return try await measured(words)
    }

    /// Measures what the server adds, and whether lengths come out as they should.
    private func measured(_ words: [String]) async throws(BenchSetupError) -> (WordList, String?) {
        var list = WordList(words: words)
        let text: String = words.joined(separator: " ")
        guard let one = try await trial.promptTokens([words[0]]), let all = try await trial.promptTokens([text]) else {
            return (list, "The server does not count tokens: lengths are in words.")
        }
        list.overhead = max(0, all - words.count)
        if trial.endpoint == .chat, let three = try? await trial.promptTokens([words[0], words[0], words[0]]) {
            list.pairOverhead = max(0, three - one - 2)
        }
        let isExact: Bool = all - one == words.count - 1
        return (
            list,
            isExact ? nil : "Not every word of the prompts is one token here: lengths are as the server counted them."
        )
    }

    /// The words that add exactly one token, found by halving.
    private func singles(_ words: [String], _ tokenizer: ServerTokenizer) async -> [String] {
        guard let anchor = words.first, let base = await tokenizer.count(anchor) else { return [] }
        return await singles(words[...], anchor, base, tokenizer)
    }

    private func singles(
        _ words: ArraySlice<String>, _ anchor: String, _ base: Int, _ tokenizer: ServerTokenizer
    ) async -> [String] {
        guard !words.isEmpty else { return [] }
        let text: String = ([anchor] + words).joined(separator: " ")
        if let count = await tokenizer.count(text), count == base + words.count { return Array(words) }
        guard words.count > 1 else { return [] }
        let middle: Int = words.startIndex + words.count / 2
        return await singles(words[..<middle], anchor, base, tokenizer)
            + singles(words[middle...], anchor, base, tokenizer)
    }

    /// Words of the model's own vocabulary, for tokenizers that know little English.
    private func decoded(_ tokenizer: ServerTokenizer) async -> [String] {
        var generator = SeededGenerator(seed: 1)
        let tokens: [TokenID] = (0..<1024).map { _ in
            TokenID.random(in: 1..<TokenID(max(2, tokenizer.vocabularySize)), using: &generator)
        }
        guard let text = await tokenizer.text(tokens) else { return [] }
        let letters: [String] = text.split(whereSeparator: { !$0.isLetter || !$0.isASCII }).map { String($0) }
        return Array(Set(letters.filter { $0.count > 1 })).sorted().prefix(256).map { $0 }
    }
}
