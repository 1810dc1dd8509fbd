// Loading: the text side from the checkpoint's files, the engine from the recipe.

import CServeCore
import CServeEngine
import CServeServer
import CServeText
import Foundation

extension ModelLoader {
    /// Loads the model; `say` gets lines for people.
    func load(_ say: @Sendable (String) -> Void) async throws -> ServedModel {
        let engine: Engine = try Engine.null(recipe: recipe, vocabularySize: 512, tokens: Array(97...122))
        say("Model: \(recipe.model) without arithmetic (device null)")
        return ServedModel(
            names: names, root: recipe.model, created: Int(Date().timeIntervalSince1970), codec: TemporaryCodec(),
            template: TemporaryTemplate(), engine: engine)
    }
}

struct TemporaryTemplate: ChatRendering {
    func render(_ input: ChatTemplateInput) throws -> [TextSegment] {
        input.messages.map { TextSegment(text: ($0["content"]?.stringValue ?? "") + "\n", mayYieldSpecialTokens: false) }
    }
}
struct TemporaryCodec: TextCodec {
    var vocabularySize: Int { 512 }
    func encode(_ text: String, addSpecialTokens: Bool) -> [TokenID] { text.utf8.map { TokenID($0) } }
    func encode(_ segments: [TextSegment], addSpecialTokens: Bool) -> [TokenID] {
        segments.flatMap { encode($0.text, addSpecialTokens: false) }
    }
    func decode(_ ids: [TokenID], skipSpecialTokens: Bool) -> String { String(decoding: ids.filter { $0 < 256 }.map { UInt8($0) }, as: UTF8.self) }
    func token(_ id: TokenID) -> String? { decode([id], skipSpecialTokens: false) }
    func tokenBytes(_ id: TokenID) -> [UInt8] { [UInt8(truncatingIfNeeded: id)] }
    func infill(prefix: String, suffix: String) -> [TokenID]? { nil }
    func detokenizer(promptTail: [TokenID], skipSpecialTokens: Bool) -> any AnswerDetokenizer { TemporaryDetokenizer() }
}
struct TemporaryDetokenizer: AnswerDetokenizer {
    mutating func append(_ token: TokenID) -> String { String(decoding: [UInt8(truncatingIfNeeded: token)], as: UTF8.self) }
    mutating func finish() -> String { "" }
}
