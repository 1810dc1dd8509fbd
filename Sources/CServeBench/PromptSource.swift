// What requests say: token ids where a server takes them, else words that are one token each, else recorded texts.
import CServeCore
import CServeWorkload

/// Where prompts come from.
public enum PromptSource: Hashable, Sendable {
    /// Token ids from `1..<vocabularySize`: lengths are exact by nature.
    case tokens(vocabularySize: Int)
    /// Text of words of one token each.
    case words(WordList)
    /// Texts that were recorded; request i says the i-th, from the start again behind the last.
    case recorded([RecordedPrompt])
}

/// Words that the server's tokenizer makes one token each, so that texts have the lengths that a workload asks for.
public struct WordList: Hashable, Sendable {
    /// Words without their leading space.
    public var words: [String]
    /// Tokens that the server adds to one message: the template's and the beginning's.
    public var overhead: Int
    /// Tokens that each further pair of messages adds.
    public var pairOverhead: Int

    /// A list.
    public init(words: [String], overhead: Int = 0, pairOverhead: Int = 0) {
        self.words = words
        self.overhead = overhead
        self.pairOverhead = pairOverhead
    }

    /// The text of drawn tokens, each standing for the word of its number. The first word is always the same: without a
    /// space before it, a word may be another number of tokens, and ``overhead`` was measured with this one.
    func text(_ tokens: some Sequence<TokenID>) -> String {
        let drawn: [String] = tokens.map { words[(Int($0) - 1) % words.count] }
        return (words.prefix(1) + drawn.dropFirst()).joined(separator: " ")
    }
}

/// A prompt as it was recorded.
public struct RecordedPrompt: Hashable, Sendable {
    /// What it is.
    public enum Content: Hashable, Sendable {
        /// Text.
        case text(String)
        /// A chat's messages, as JSON.
        case messages(JSONValue)
        /// Token ids.
        case tokens([TokenID])
    }

    /// What it is.
    public var content: Content
    /// The line or entry of its file, from 1.
    public var line: Int
    /// Tokens of the prompt, as far as known.
    public var promptTokens: Int
    /// Tokens of the answer; nil: as many as the run asks for by default.
    public var outputTokens: Int?
    /// The answer that was recorded, whose length a run asks for.
    public var answer: String?

    /// Describes a prompt.
    public init(
        _ content: Content, line: Int, promptTokens: Int, outputTokens: Int? = nil, answer: String? = nil
    ) {
        self.answer = answer
        self.content = content
        self.line = line
        self.promptTokens = promptTokens
        self.outputTokens = outputTokens
    }
}
