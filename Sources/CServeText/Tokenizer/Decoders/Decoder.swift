// The stages that turn tokens back into text, and their table.

/// A stage that rewrites a list of tokens on its way to text.
protocol DecoderStage: Sendable {
    /// The rewritten tokens; joined, they are the text.
    func decode(_ tokens: [String]) -> [String]
}

/// Reads the `decoder` object into a flat list of stages. A new stage is a type and a row here.
enum TokenDecoder {
    private static let builders: [(type: String, build: @Sendable (JSONValue) throws(TokenizerError) -> any DecoderStage)] =
        [
            ("ByteLevel", { _ throws(TokenizerError) in ByteLevelDecoder() }),
            ("Metaspace", { json throws(TokenizerError) in try MetaspaceDecoder(json: json) }),
            ("ByteFallback", { _ throws(TokenizerError) in ByteFallbackDecoder() }),
            ("Fuse", { _ throws(TokenizerError) in FuseDecoder() }),
            ("Strip", { json throws(TokenizerError) in try StripDecoder(json: json) }),
            ("Replace", { json throws(TokenizerError) in try ReplaceDecoder(json: json) }),
            ("WordPiece", { json throws(TokenizerError) in WordPieceDecoder(json: json) }),
            ("BPEDecoder", { json throws(TokenizerError) in SuffixDecoder(json: json) }),
        ]

    /// The stages of a decoder; nil for null (then tokens are joined with spaces).
    static func stages(_ json: JSONValue?) throws(TokenizerError) -> [any DecoderStage]? {
        guard let json, !json.isNull else { return nil }
        let type = json["type"]?.text ?? ""
        if type == "Sequence" {
            guard let parts = json["decoders"]?.elements else {
                throw .malformed(key: "decoder.decoders", expected: "a list")
            }
            var all: [any DecoderStage] = []
            for part in parts { all += try stages(part) ?? [] }
            return all
        }
        guard let row = builders.first(where: { $0.type == type }) else {
            throw .unsupportedStage(stage: "decoder", type: type, supported: builders.map(\.type) + ["Sequence"])
        }
        return [try row.build(json)]
    }
}
