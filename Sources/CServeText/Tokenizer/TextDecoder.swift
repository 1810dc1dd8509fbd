// Tokens to text, and one token to the bytes that it stands for.

/// The decoder stages of a tokenizer.
struct TextDecoder: Sendable {
    private let stages: [any DecoderStage]?
    private let isByteLevel: Bool
    private let fallsBackToBytes: Bool
    private let hasMetaspace: Bool

    init(stages: [any DecoderStage]?, json: JSONValue?) {
        self.stages = stages
        isByteLevel = stages?.contains { $0 is ByteLevelDecoder } ?? false
        fallsBackToBytes = stages?.contains { $0 is ByteFallbackDecoder } ?? false
        let parts = json?["decoders"]?.elements ?? json.map { [$0] } ?? []
        hasMetaspace = parts.contains { part in
            part["type"]?.text == "Metaspace"
                || (part["type"]?.text == "Replace" && part["pattern"]?["String"]?.text == "\u{2581}")
        }
    }

    /// The text of tokens.
    func decode(_ tokens: [String]) -> String {
        guard let stages else { return tokens.joined(separator: " ") }
        if tokens.isEmpty { return "" }
        return stages.reduce(tokens) { $1.decode($0) }.joined()
    }

    /// The bytes of one token of the model, as it stands inside a text.
    func bytes(of token: String) -> [UInt8] {
        if isByteLevel { return ByteLevelAlphabet.bytes(of: token) ?? Array(token.utf8) }
        if fallsBackToBytes, let byte = ByteFallback.byte(token) { return [byte] }
        if hasMetaspace { return Array(ByteReplacement.replacing("\u{2581}", with: " ", in: token).utf8) }
        return Array(token.utf8)
    }
}
