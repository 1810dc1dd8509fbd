// The special tokens around a text, such as the one that begins it.
import CServeCore

/// Puts special tokens around the ids of a text.
struct PostProcessor: Sendable {
    private enum Part: Sendable {
        case text
        case tokens([TokenID])
    }

    /// Templates, applied one after another.
    private var templates: [[Part]] = []
    private static let supported = [
        "TemplateProcessing", "RobertaProcessing", "BertProcessing", "ByteLevel", "Sequence",
    ]

    init(json: JSONValue?) throws(TokenizerError) {
        guard let json, !json.isNull else { return }
        let type = json["type"]?.text ?? ""
        switch type {
        case "Sequence":
            guard let parts = json["processors"]?.elements else {
                throw .malformed(key: "post_processor.processors", expected: "a list")
            }
            for part in parts { templates += try PostProcessor(json: part).templates }
        case "TemplateProcessing": templates = [try PostProcessor.template(json)]
        case "RobertaProcessing", "BertProcessing":
            let begin = try PostProcessor.namedToken(json["cls"], "post_processor.cls")
            let end = try PostProcessor.namedToken(json["sep"], "post_processor.sep")
            templates = [[.tokens([begin]), .text, .tokens([end])]]
        case "ByteLevel": break
        default:
            throw .unsupportedStage(stage: "post_processor", type: type, supported: PostProcessor.supported)
        }
    }

    /// The ids with the special tokens around them.
    func apply(to ids: [TokenID]) -> [TokenID] {
        templates.reduce(ids) { ids, template in
            template.flatMap { part in
                switch part {
                case .text: ids
                case .tokens(let tokens): tokens
                }
            }
        }
    }

    private static func template(_ json: JSONValue) throws(TokenizerError) -> [Part] {
        guard let pieces = json["single"]?.elements else {
            throw .malformed(key: "post_processor.single", expected: "a list of pieces")
        }
        var parts: [Part] = []
        for piece in pieces {
            if piece["Sequence"] != nil {
                parts.append(.text)
            } else if let name = piece["SpecialToken"]?["id"]?.text {
                let ids = json["special_tokens"]?[name]?["ids"]?.elements?.compactMap { $0.integer }
                guard let ids else {
                    throw .malformed(key: "post_processor.special_tokens[\"\(name)\"].ids", expected: "a list of ids")
                }
                parts.append(.tokens(ids.map { TokenID(truncatingIfNeeded: $0) }))
            } else {
                throw .malformed(key: "post_processor.single", expected: "pieces with Sequence or SpecialToken")
            }
        }
        return parts
    }

    private static func namedToken(_ json: JSONValue?, _ key: String) throws(TokenizerError) -> TokenID {
        guard let pair = json?.elements, pair.count == 2, let id = pair[1].integer else {
            throw .malformed(key: key, expected: "[token, id]")
        }
        return TokenID(truncatingIfNeeded: id)
    }
}
