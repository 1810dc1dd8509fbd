// The stages that rewrite text before it is cut into words, and their table.

/// A stage that rewrites text.
protocol NormalizerStage: Sendable {
    /// The rewritten text.
    func normalize(_ text: SourcedText) -> SourcedText
}

/// Reads the `normalizer` object into a flat list of stages. A new stage is a type and a row here.
enum Normalizer {
    private static let builders: [(type: String, build: @Sendable (JSONValue) throws(TokenizerError) -> any NormalizerStage)] =
        [
            ("NFC", { _ throws(TokenizerError) in UnicodeNormalizer(form: .nfc) }),
            ("NFD", { _ throws(TokenizerError) in UnicodeNormalizer(form: .nfd) }),
            ("NFKC", { _ throws(TokenizerError) in UnicodeNormalizer(form: .nfkc) }),
            ("NFKD", { _ throws(TokenizerError) in UnicodeNormalizer(form: .nfkd) }),
            ("Prepend", { json throws(TokenizerError) in try PrependNormalizer(json: json) }),
            ("Replace", { json throws(TokenizerError) in try ReplaceNormalizer(json: json) }),
            ("Lowercase", { _ throws(TokenizerError) in LowercaseNormalizer() }),
            ("Strip", { json throws(TokenizerError) in StripNormalizer(json: json) }),
            ("StripAccents", { _ throws(TokenizerError) in StripAccentsNormalizer() }),
            ("Precompiled", { json throws(TokenizerError) in try PrecompiledNormalizer(json: json) }),
            ("BertNormalizer", { json throws(TokenizerError) in BertNormalizer(json: json) }),
            ("Nmt", { _ throws(TokenizerError) in NmtNormalizer() }),
            ("ByteLevel", { _ throws(TokenizerError) in ByteLevelNormalizer() }),
        ]

    /// The stages of a normalizer; none for null.
    static func stages(_ json: JSONValue?) throws(TokenizerError) -> [any NormalizerStage] {
        guard let json, !json.isNull else { return [] }
        let type = json["type"]?.text ?? ""
        if type == "Sequence" {
            guard let parts = json["normalizers"]?.elements else {
                throw .malformed(key: "normalizer.normalizers", expected: "a list")
            }
            var all: [any NormalizerStage] = []
            for part in parts { all += try stages(part) }
            return all
        }
        guard let row = builders.first(where: { $0.type == type }) else {
            throw .unsupportedStage(stage: "normalizer", type: type, supported: builders.map(\.type) + ["Sequence"])
        }
        return [try row.build(json)]
    }
}
