// The stages that cut normalised text into words, and their table.

/// A stage that cuts text into words.
protocol PreTokenizerStage: Sendable {
    /// Cuts every piece.
    func apply(to list: inout PieceList)
}

/// Reads the `pre_tokenizer` object into a flat list of stages. A new stage is a type and a row here.
enum PreTokenizer {
    private static let builders: [(type: String, build: @Sendable (JSONValue) throws(TokenizerError) -> any PreTokenizerStage)] =
        [
            ("ByteLevel", { json throws(TokenizerError) in ByteLevelPreTokenizer(json: json) }),
            ("Metaspace", { json throws(TokenizerError) in try MetaspacePreTokenizer(json: json) }),
            ("Split", { json throws(TokenizerError) in try SplitPreTokenizer(json: json) }),
            ("Digits", { json throws(TokenizerError) in DigitsPreTokenizer(json: json) }),
            ("Punctuation", { json throws(TokenizerError) in try PunctuationPreTokenizer(json: json) }),
            ("Whitespace", { _ throws(TokenizerError) in WhitespacePreTokenizer() }),
            ("WhitespaceSplit", { _ throws(TokenizerError) in WhitespaceSplitPreTokenizer() }),
            ("BertPreTokenizer", { _ throws(TokenizerError) in BertPreTokenizer() }),
            ("CharDelimiterSplit", { json throws(TokenizerError) in try DelimiterPreTokenizer(json: json) }),
        ]

    /// The stages of a pre-tokenizer; none for null.
    static func stages(_ json: JSONValue?) throws(TokenizerError) -> [any PreTokenizerStage] {
        guard let json, !json.isNull else { return [] }
        let type = json["type"]?.text ?? ""
        if type == "Sequence" {
            guard let parts = json["pretokenizers"]?.elements else {
                throw .malformed(key: "pre_tokenizer.pretokenizers", expected: "a list")
            }
            var all: [any PreTokenizerStage] = []
            for part in parts { all += try stages(part) }
            return all
        }
        guard let row = builders.first(where: { $0.type == type }) else {
            throw .unsupportedStage(stage: "pre_tokenizer", type: type, supported: builders.map(\.type) + ["Sequence"])
        }
        return [try row.build(json)]
    }
}
