// The tokenizer as the server uses it: with incremental decoding and prompts for infilling.

import CServeCore
import CServeText

/// A tokenizer behind the server's seam.
public struct TokenizerCodec: TextCodec {
    private let tokenizer: Tokenizer

    /// Wraps a tokenizer.
    public init(_ tokenizer: Tokenizer) {
        self.tokenizer = tokenizer
    }

    /// The number of ids that the vocabulary needs.
    public var vocabularySize: Int { tokenizer.vocabularySize }

    /// The ids of a text in which special tokens are recognised.
    public func encode(_ text: String, addSpecialTokens: Bool) -> [TokenID] {
        tokenizer.encode(text, addSpecialTokens: addSpecialTokens)
    }

    /// The ids of segments.
    public func encode(_ segments: [TextSegment], addSpecialTokens: Bool) -> [TokenID] {
        tokenizer.encode(segments, addSpecialTokens: addSpecialTokens)
    }

    /// The text of the ids.
    public func decode(_ ids: [TokenID], skipSpecialTokens: Bool) -> String {
        tokenizer.decode(ids, skipSpecialTokens: skipSpecialTokens)
    }

    /// The token as the vocabulary writes it.
    public func token(_ id: TokenID) -> String? { tokenizer.token(id) }

    /// The bytes of text that a token stands for.
    public func tokenBytes(_ id: TokenID) -> [UInt8] { tokenizer.tokenBytes(id) }

    /// `<PRE> {prefix} <SUF>{suffix} <MID>` as Code Llama was trained: the prefix is encoded like any text, with the
    /// leading space that such tokenizers add; the suffix, which goes on after a gap, gets none.
    /// Source: `infilling_prompt_tokens` of Meta's codellama and transformers' `CodeLlamaTokenizer`.
    public func infill(prefix: String, suffix: String) -> [TokenID]? {
        guard let infill = tokenizer.infill else { return nil }
        let begin: [TokenID] = tokenizer.bosToken?.id.map { [$0] } ?? []
        return begin + [infill.prefix] + tokenizer.encodePlain(prefix) + [infill.suffix] + unprefixed(suffix) + [
            infill.middle
        ]
    }

    /// Makes text of an answer's tokens as they come.
    public func detokenizer(promptTail: [TokenID], skipSpecialTokens: Bool) -> any AnswerDetokenizer {
        TokenizerDetokenizer(
            IncrementalDetokenizer(
                tokenizer: tokenizer, promptTail: promptTail, skipSpecialTokens: skipSpecialTokens))
    }

    /// A text's ids without the space that some tokenizers put before every text: encoded behind a mark that is cut off.
    private func unprefixed(_ text: String) -> [TokenID] {
        guard !text.isEmpty else { return [] }
        let mark: [TokenID] = tokenizer.encodePlain("☺")
        let marked: [TokenID] = tokenizer.encodePlain("☺" + text)
        return marked.starts(with: mark) ? Array(marked.dropFirst(mark.count)) : tokenizer.encodePlain(text)
    }
}

/// One token at a time.
private struct TokenizerDetokenizer: AnswerDetokenizer {
    private var inner: IncrementalDetokenizer

    init(_ inner: IncrementalDetokenizer) {
        self.inner = inner
    }

    mutating func append(_ token: TokenID) -> String { inner.append([token]) }
    mutating func finish() -> String { inner.finish() }
}
