// Turns a growing list of token ids into text as it comes, although a character may span tokens and a token's text may
// depend on what stands before it.
import CServeCore

/// Decodes a request's tokens one step at a time; the pieces joined are the text of all of them.
///
/// Decoding looks at a short window: the tokens of the step before (so that spaces come out right) and the new ones.
/// Text that may be an incomplete character is held back until its bytes are there. What came out stays: a whole decode
/// with byte fallback would take back a byte's character where an invalid byte follows it, which no stream can.
public struct IncrementalDetokenizer: Sendable {
    private let tokenizer: Tokenizer
    private let skipSpecialTokens: Bool
    /// The tokens of the window.
    private var window: [TokenID]
    /// How many tokens of the window were there before the last text came out.
    private var readCount: Int
    /// How many bytes of the window's text have come out.
    private var emitted: Int
    /// A window that only ever held text back is cut at this many tokens.
    private static let maximumWindow = 64
    /// An incomplete character has at most three bytes, each of which may show as one replacement character.
    private static let maximumHeld = 3

    /// Begins after a prompt, of which the last few tokens (five are plenty) give the first new token its context.
    public init(tokenizer: Tokenizer, promptTail: [TokenID] = [], skipSpecialTokens: Bool = true) {
        self.tokenizer = tokenizer
        self.skipSpecialTokens = skipSpecialTokens
        window = promptTail
        readCount = promptTail.count
        emitted = tokenizer.decode(promptTail, skipSpecialTokens: skipSpecialTokens).utf8.count
    }

    /// Takes new tokens and returns the text that is complete now, and was not returned before.
    public mutating func append(_ ids: [TokenID]) -> String {
        if ids.isEmpty { return "" }
        window += ids
        let text = Array(tokenizer.decode(window, skipSpecialTokens: skipSpecialTokens).utf8)
        let held = IncrementalDetokenizer.heldLength(text)
        let isFull = window.count > IncrementalDetokenizer.maximumWindow
        // With byte fallback an incomplete character spoils the whole run of byte tokens that it ends.
        if held > 0, !isFull, tokenizer.storage.decoder.fallsBackToBytes { return "" }
        let new = take(from: text, upTo: text.count - held)
        if held == 0, !new.isEmpty {
            window.removeFirst(readCount)
            slideWindow(held: 0)
        } else if isFull {
            // The context before the held tokens stays: without it a leading space would count as the text's first.
            window.removeSubrange(min(readCount, 8)..<(window.count - 8))
            slideWindow(held: held)
        }
        return new
    }

    /// Returns what was held back; there is nothing left to complete it.
    public mutating func finish() -> String {
        let text = Array(tokenizer.decode(window, skipSpecialTokens: skipSpecialTokens).utf8)
        return take(from: text, upTo: text.count)
    }

    private mutating func slideWindow(held: Int) {
        readCount = window.count
        let length = tokenizer.decode(window, skipSpecialTokens: skipSpecialTokens).utf8.count
        emitted = max(0, length - held)
    }

    private mutating func take(from text: [UInt8], upTo end: Int) -> String {
        var start = min(emitted, end)
        while start < end, UTF8Bytes.isContinuation(text[start]) { start += 1 }
        emitted = max(emitted, end)
        return String(decoding: text[start..<end], as: UTF8.self)
    }

    /// The bytes of up to three replacement characters at the end: they may become a character yet.
    private static func heldLength(_ text: [UInt8]) -> Int {
        var held = 0
        while held < maximumHeld * 3, text.dropLast(held).suffix(3).elementsEqual([0xEF, 0xBF, 0xBD]) { held += 3 }
        return held
    }
}
