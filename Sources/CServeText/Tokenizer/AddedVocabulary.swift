// The added tokens by id and by text, with ids given out as Hugging Face gives them.
import CServeCore

/// Added tokens, special ones among them.
struct AddedVocabulary: Sendable {
    /// Finds the tokens that are looked for in the text as it comes.
    private(set) var raw = AddedTokenMatcher()
    /// Finds the tokens that are looked for in normalised text.
    private(set) var normalized = AddedTokenMatcher()
    private var ids = ByteTable()
    private var tokens: [TokenID: String] = [:]
    private var decodedTokens: [TokenID: String] = [:]
    private var specialTexts = ByteTable()
    private(set) var specialIDs: Set<TokenID> = []
    /// The highest id plus one.
    private(set) var size = 0

    init(
        json: JSONValue?, model: Vocabulary, normalizers: [any NormalizerStage]
    ) throws(TokenizerError) {
        var known: [TokenID: AddedToken] = [:]
        for (index, element) in (json?.elements ?? []).enumerated() {
            var token = try AddedToken(json: element, index: index)
            let bytes = Array(token.content.utf8)
            if bytes.isEmpty { continue }
            token.id = ids.find(bytes) ?? model.id(bytes) ?? TokenID(max(size, model.count))
            ids.insert(bytes, token.id)
            if token.isSpecial { specialTexts.insert(bytes, 1) }
            known[token.id] = token
            size = max(size, Int(token.id) + 1)
        }
        for (id, token) in known.sorted(by: { $0.key < $1.key }) {
            add(token, id, normalizers)
        }
    }

    private mutating func add(_ token: AddedToken, _ id: TokenID, _ normalizers: [any NormalizerStage]) {
        tokens[id] = token.content
        decodedTokens[id] = token.content
        if specialTexts.find(Array(token.content.utf8)) != nil { specialIDs.insert(id) }
        if token.isNormalized {
            let text = normalizers.reduce(SourcedText(Array(token.content.utf8))) { $1.normalize($0) }
            decodedTokens[id] = String(decoding: text.bytes, as: UTF8.self)
            normalized.add(token, as: text.bytes)
        } else {
            raw.add(token, as: Array(token.content.utf8))
        }
    }

    func id(_ token: [UInt8]) -> TokenID? { ids.find(token) }
    func token(_ id: TokenID) -> String? { tokens[id] }
    /// The token as decoding sees it (normalised where it is found so).
    func decodedToken(_ id: TokenID) -> String? { decodedTokens[id] }
    func isSpecial(_ token: String) -> Bool { specialTexts.find(Array(token.utf8)) != nil }
}
