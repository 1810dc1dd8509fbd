// The loaded pipeline: added tokens, normalizers, pre-tokenizers, model, post-processor, decoders.
import CServeCore

/// Everything that a tokenizer is made of; immutable after loading.
final class TokenizerStorage: Sendable {
    let normalizers: [any NormalizerStage]
    let preTokenizers: [any PreTokenizerStage]
    let model: any TokenModel
    /// The model for text that may not yield special tokens, where the plain one knows some of them as pieces.
    private let guardedModel: (any TokenModel)?
    let postProcessor: PostProcessor
    let added: AddedVocabulary
    let decoder: TextDecoder
    let roles: TokenRoles
    let infill: InfillTokens?
    private let workspaces = WorkspacePool()
    private let guardedWorkspaces = WorkspacePool()

    /// Reads the bytes of tokenizer.json, tokenizer_config.json and special_tokens_map.json.
    convenience init(
        json bytes: [UInt8], configuration: [UInt8]? = nil, specialTokensMap: [UInt8]? = nil
    ) throws(TokenizerError) {
        try self.init(
            json: TokenizerJSON.parse(bytes, file: "tokenizer.json"), configuration: configuration,
            specialTokensMap: specialTokensMap)
    }

    /// The same with tokenizer.json already read.
    init(
        json: TokenizerJSON, configuration: [UInt8]? = nil, specialTokensMap: [UInt8]? = nil
    ) throws(TokenizerError) {
        guard let modelJSON = json["model"], modelJSON.members != nil else {
            throw .malformed(key: "model", expected: "an object")
        }
        normalizers = try Normalizer.stages(json["normalizer"])
        let special = ModelLoader.specialTexts(json["added_tokens"])
        model = try ModelLoader.model(modelJSON, withholding: special)
        guardedModel = model.withholding(special)
        preTokenizers = try ModelLoader.preTokenizers(json["pre_tokenizer"], for: model)
        postProcessor = try PostProcessor(json: json["post_processor"])
        added = try AddedVocabulary(json: json["added_tokens"], model: model.vocabulary, normalizers: normalizers)
        decoder = TextDecoder(stages: try TokenDecoder.stages(json["decoder"]), json: json["decoder"])
        roles = try TokenRoles(configuration: configuration, specialTokensMap: specialTokensMap) { [added, model] in
            added.id(Array($0.utf8)) ?? model.vocabulary.id($0)
        }
        infill = InfillTokens { [added, model] in added.id(Array($0.utf8)) ?? model.vocabulary.id($0) }
    }

    /// The ids of the segments' joined text.
    func encode(_ segments: [TextSegment], addSpecialTokens: Bool) -> [TokenID] {
        var bytes: [UInt8] = []
        for segment in segments { bytes.append(contentsOf: segment.text.utf8) }
        var ids: [TokenID] = []
        ids.reserveCapacity(bytes.count / 3 + 8)
        let permission = permission(of: segments)
        if let guardedModel, !permission.isEverywhere {
            var workspace = guardedWorkspaces.take()
            encode(bytes, permission, guardedModel, &workspace, into: &ids)
            guardedWorkspaces.give(workspace)
        } else {
            var workspace = workspaces.take()
            encode(bytes, permission, model, &workspace, into: &ids)
            workspaces.give(workspace)
        }
        return addSpecialTokens ? postProcessor.apply(to: ids) : ids
    }

    private func permission(of segments: [TextSegment]) -> SpecialPermission {
        let filled = segments.filter { !$0.text.isEmpty }
        if filled.allSatisfy(\.mayYieldSpecialTokens) { return .everywhere }
        if !filled.contains(where: \.mayYieldSpecialTokens) { return .nowhere }
        var flags: [Bool] = []
        for segment in filled {
            flags.append(contentsOf: repeatElement(segment.mayYieldSpecialTokens, count: segment.text.utf8.count))
        }
        return .mixed(flags)
    }

    private func encode(
        _ bytes: [UInt8], _ permission: SpecialPermission, _ model: any TokenModel,
        _ workspace: inout ModelWorkspace, into ids: inout [TokenID]
    ) {
        for part in added.raw.parts(of: bytes, permission) {
            switch part {
            case .token(let id): ids.append(id)
            case .text(let range):
                let isWhole = range.count == bytes.count
                var text = SourcedText(isWhole ? bytes : Array(bytes[range]))
                // Past this point only normalised special tokens ask for the permission.
                if added.normalized.hasSpecialTokens {
                    text.permission = isWhole ? permission : permission.slice(range)
                }
                for stage in normalizers { text = stage.normalize(text) }
                encodeNormalized(text, beginsText: range.lowerBound == 0, model, &workspace, into: &ids)
            }
        }
    }

    private func encodeNormalized(
        _ text: SourcedText, beginsText: Bool, _ model: any TokenModel, _ workspace: inout ModelWorkspace,
        into ids: inout [TokenID]
    ) {
        for part in added.normalized.parts(of: text.bytes, text.permission) {
            switch part {
            case .token(let id): ids.append(id)
            case .text(let range):
                let isWhole = range.count == text.bytes.count
                var list = PieceList(
                    bytes: isWhole ? text.bytes : Array(text.bytes[range]),
                    beginsText: beginsText && range.lowerBound == 0)
                for stage in preTokenizers { stage.apply(to: &list) }
                model.tokenize(list, workspace: &workspace, into: &ids)
            }
        }
    }

    /// The text of the ids.
    func decode(_ ids: [TokenID], skipSpecialTokens: Bool) -> String {
        decoder.decode(ids.compactMap { visibleToken($0, skipSpecialTokens: skipSpecialTokens) })
    }

    /// A token as decoding sees it; nil for unknown ids and for special tokens that are skipped.
    private func visibleToken(_ id: TokenID, skipSpecialTokens: Bool) -> String? {
        if let token = added.decodedToken(id) { return skipSpecialTokens && added.isSpecial(token) ? nil : token }
        guard let token = model.vocabulary.token(id) else { return nil }
        return skipSpecialTokens && added.isSpecial(token) ? nil : token
    }

    func token(_ id: TokenID) -> String? { added.token(id) ?? model.vocabulary.token(id) }
    func id(of token: [UInt8]) -> TokenID? { added.id(token) ?? model.vocabulary.id(token) }

    func tokenBytes(_ id: TokenID) -> [UInt8] {
        if let token = added.token(id) { return Array(token.utf8) }
        return model.vocabulary.token(id).map(decoder.bytes) ?? []
    }

    var vocabularySize: Int { max(model.vocabulary.size, added.size) }
    var specialTokenIDs: Set<TokenID> { added.specialIDs }
}

/// Chooses the model's type and fits the pre-tokenizers to it.
enum ModelLoader {
    /// The texts of the added tokens that are flagged special.
    static func specialTexts(_ json: TokenizerJSON?) -> Set<[UInt8]> {
        let tokens = (json?.elements ?? []).filter { $0["special"]?.boolean == true }
        return Set(tokens.compactMap { $0["content"]?.text }.map { Array($0.utf8) })
    }

    /// The model; merges that would make a special token are left out.
    static func model(
        _ json: TokenizerJSON, withholding special: Set<[UInt8]>
    ) throws(TokenizerError) -> any TokenModel {
        // Old files do not name the type of a BPE model.
        let type = json["type"]?.text ?? (json["merges"] != nil ? "BPE" : "")
        switch type {
        case "BPE": return try BPEModel(json: json, withholding: special)
        case "Unigram": return try UnigramModel(json: json)
        case "WordPiece": return try WordPieceModel(json: json)
        default: throw .unsupportedStage(stage: "model", type: type, supported: ["BPE", "Unigram", "WordPiece"])
        }
    }

    /// The stages; where the last is ByteLevel and the model knows all bytes, its characters are never written out.
    static func preTokenizers(
        _ json: TokenizerJSON?, for model: any TokenModel
    ) throws(TokenizerError) -> [any PreTokenizerStage] {
        var stages = try PreTokenizer.stages(json)
        if var last = stages.last as? ByteLevelPreTokenizer, let bpe = model as? BPEModel, bpe.takesByteLevel {
            last.writesCharacters = false
            stages[stages.count - 1] = last
        }
        return stages
    }
}
