// Text with its provenance, so that only a chat template's own words can become special tokens.

/// A run of text and whether it may yield special tokens: a template's own text may, a user's text may not.
public struct TextSegment: Hashable, Sendable {
    /// The text of the run.
    public var text: String
    /// Whether special tokens written out in ``text`` are recognised.
    public var mayYieldSpecialTokens: Bool

    /// Creates a run of text.
    public init(text: String, mayYieldSpecialTokens: Bool) {
        self.text = text
        self.mayYieldSpecialTokens = mayYieldSpecialTokens
    }
}
