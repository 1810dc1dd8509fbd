// A tokenizer whose tokens are bytes, so that tests can count them.

import CServeCore
import CServeText

@testable import CServeServer

/// Tokens 0 to 255 are bytes; 256 ends an answer, 257 begins a text; 258 to 260 ask for an infill.
struct ByteCodec: TextCodec {
    static let end: TokenID = 256
    static let begin: TokenID = 257
    static let vocabulary: Int = 261
    var hasInfill: Bool = false

    var vocabularySize: Int { ByteCodec.vocabulary }

    func encode(_ text: String, addSpecialTokens: Bool) -> [TokenID] {
        (addSpecialTokens ? [ByteCodec.begin] : []) + text.utf8.map { TokenID($0) }
    }

    func encode(_ segments: [TextSegment], addSpecialTokens: Bool) -> [TokenID] {
        encode(segments.map(\.text).joined(), addSpecialTokens: addSpecialTokens)
    }

    func decode(_ ids: [TokenID], skipSpecialTokens: Bool) -> String {
        String(decoding: ids.flatMap { tokenBytes($0) }, as: UTF8.self)
    }

    func token(_ id: TokenID) -> String? {
        id < 256 ? String(decoding: [UInt8(id)], as: UTF8.self) : "<\(id)>"
    }

    func tokenBytes(_ id: TokenID) -> [UInt8] { id < 256 ? [UInt8(id)] : [] }

    func infill(prefix: String, suffix: String) -> [TokenID]? {
        guard hasInfill else { return nil }
        return [258] + prefix.utf8.map { TokenID($0) } + [259] + suffix.utf8.map { TokenID($0) } + [260]
    }

    func detokenizer(promptTail: [TokenID], skipSpecialTokens: Bool) -> any AnswerDetokenizer { ByteDetokenizer() }
}

/// Holds bytes back until they make a character.
struct ByteDetokenizer: AnswerDetokenizer {
    private var held: [UInt8] = []

    mutating func append(_ token: TokenID) -> String {
        guard token < 256 else { return "" }
        held.append(UInt8(token))
        guard let text = String(validating: held, as: UTF8.self) else { return "" }
        held = []
        return text
    }

    mutating func finish() -> String {
        defer { held = [] }
        return held.isEmpty ? "" : "\u{FFFD}"
    }
}

/// A template that writes `role: content` lines and refuses the role `bad`.
struct LineTemplate: ChatRendering {
    struct BadRole: Error, CustomStringConvertible {
        var description: String { "the role 'bad' is not known" }
    }

    func render(_ input: ChatTemplateInput) throws -> [TextSegment] {
        var segments: [TextSegment] = []
        for message in input.messages {
            let role: String = message["role"]?.stringValue ?? ""
            if role == "bad" { throw BadRole() }
            segments.append(TextSegment(text: role + ": ", mayYieldSpecialTokens: true))
            segments.append(TextSegment(text: message["content"]?.stringValue ?? "", mayYieldSpecialTokens: false))
        }
        if input.addGenerationPrompt { segments.append(TextSegment(text: "\nA: ", mayYieldSpecialTokens: true)) }
        return segments
    }
}
