// Reads a BPE model out of tokenizer.json and checks that merges and vocabulary fit.
import CServeCore

/// The switches of a BPE model.
struct BPESettings: Sendable {
    var unknownToken: String?
    var fusesUnknown = false
    var fallsBackToBytes = false
    var ignoreMerges = false
    var continuingSubwordPrefix: [UInt8] = []
    var endOfWordSuffix: [UInt8] = []
    var hasAffixes: Bool { !continuingSubwordPrefix.isEmpty || !endOfWordSuffix.isEmpty }

    init(json: TokenizerJSON) throws(TokenizerError) {
        if let dropout = json["dropout"]?.double, dropout > 0 {
            throw .unsupportedSetting(
                stage: "model BPE", setting: "dropout \(dropout)",
                reason: "it makes ids random; set it to null for serving")
        }
        unknownToken = json["unk_token"]?.text
        fusesUnknown = json["fuse_unk"]?.boolean ?? false
        fallsBackToBytes = json["byte_fallback"]?.boolean ?? false
        ignoreMerges = json["ignore_merges"]?.boolean ?? false
        continuingSubwordPrefix = Array((json["continuing_subword_prefix"]?.text ?? "").utf8)
        endOfWordSuffix = Array((json["end_of_word_suffix"]?.text ?? "").utf8)
    }
}

extension BPEModel {
    /// Reads the `model` object.
    init(json: TokenizerJSON, withholding special: Set<[UInt8]> = []) throws(TokenizerError) {
        let settings = try BPESettings(json: json)
        let vocabulary = try Vocabulary(json: json["vocab"], key: "model.vocab")
        self.settings = settings
        self.vocabulary = vocabulary
        let (merges, allAtMetaspace) = try BPEModel.merges(json["merges"], vocabulary, settings, special)
        self.merges = merges
        if let unknown = settings.unknownToken, vocabulary.id(unknown) == nil, !settings.fallsBackToBytes {
            throw .tokenOutOfVocabulary(token: unknown, neededBy: "model.unk_token")
        }
        unknownID = settings.unknownToken.flatMap { vocabulary.id($0) }
        fallbackIDs = (0..<256).map { vocabulary.id(ByteFallback.token(UInt8($0))) ?? -1 }
        byteSymbols = BPEModel.byteSymbols(vocabulary, settings)
        byteLevelWords =
            byteSymbols != nil && settings.ignoreMerges ? BPEModel.byteLevelWords(vocabulary, special) : nil
        let metaspaceIsKnown = vocabulary.id(Array("\u{2581}".utf8)) != nil
        mayCutBeforeMetaspace =
            allAtMetaspace && metaspaceIsKnown && !settings.ignoreMerges && !settings.hasAffixes
    }

    /// Whether text may come as raw bytes: the vocabulary has a token for each of the 256.
    var takesByteLevel: Bool { byteSymbols != nil }

    private static func merges(
        _ json: TokenizerJSON?, _ vocabulary: Vocabulary, _ settings: BPESettings, _ special: Set<[UInt8]>
    ) throws(TokenizerError) -> (table: MergeTable, allAtMetaspace: Bool) {
        guard let elements = json?.elements else {
            throw .malformed(key: "model.merges", expected: "a list of pairs")
        }
        var table = MergeTable(capacity: elements.count)
        var allAtMetaspace = true
        var rank = 0
        for element in elements {
            if case .string(let line) = element, line.hasPrefix("#version") { continue }
            let (left, right) = try pair(element, rank)
            let merged = left + right.dropFirst(settings.continuingSubwordPrefix.count)
            guard let leftID = vocabulary.id(left) else { throw missing(left, rank) }
            guard let rightID = vocabulary.id(right) else { throw missing(right, rank) }
            guard let newID = vocabulary.id(merged) else { throw missing(merged, rank) }
            // A special token is found in the text itself or not at all.
            if !special.contains(merged) { table.insert(leftID, rightID, rank: rank, newID: newID) }
            if hasMetaspaceAfterOther(merged) { allAtMetaspace = false }
            rank += 1
        }
        return (table, allAtMetaspace)
    }

    private static func missing(_ token: [UInt8], _ rank: Int) -> TokenizerError {
        .mergeOutOfVocabulary(rank: rank, token: String(decoding: token, as: UTF8.self))
    }

    /// A merge, written `"a b"` or `["a", "b"]`.
    private static func pair(_ json: TokenizerJSON, _ rank: Int) throws(TokenizerError) -> ([UInt8], [UInt8]) {
        if let parts = json.elements, parts.count == 2, let left = parts[0].text, let right = parts[1].text {
            return (Array(left.utf8), Array(right.utf8))
        }
        if let line = json.text {
            let parts = line.utf8.split(separator: 0x20, omittingEmptySubsequences: false)
            if parts.count == 2 { return (Array(parts[0]), Array(parts[1])) }
        }
        throw .malformed(key: "model.merges[\(rank)]", expected: "\"a b\" or [\"a\", \"b\"]")
    }

    private static func hasMetaspaceAfterOther(_ token: [UInt8]) -> Bool {
        let metaspace: [UInt8] = [0xE2, 0x96, 0x81]
        var index = 0
        while index < token.count, token[index...].starts(with: metaspace) { index += 3 }
        while index < token.count {
            if token[index] == 0xE2, token[index...].starts(with: metaspace) { return true }
            index += 1
        }
        return false
    }

    private static func byteSymbols(_ vocabulary: Vocabulary, _ settings: BPESettings) -> [TokenID]? {
        if settings.hasAffixes { return nil }
        let symbols = (0..<256).map { vocabulary.id(ByteLevelAlphabet.character(of: UInt8($0))) ?? -1 }
        return symbols.contains(-1) ? nil : symbols
    }

    private static func byteLevelWords(_ vocabulary: Vocabulary, _ special: Set<[UInt8]>) -> ByteTable {
        var words = ByteTable(capacity: vocabulary.count)
        for id in 0..<vocabulary.size {
            guard let token = vocabulary.token(TokenID(id)), let bytes = ByteLevelAlphabet.bytes(of: token),
                !bytes.isEmpty, vocabulary.id(token) == TokenID(id), !special.contains(Array(token.utf8))
            else { continue }
            words.insert(bytes, TokenID(id))
        }
        return words
    }
}
