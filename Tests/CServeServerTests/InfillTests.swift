// The prompt that asks Code Llama for the text between two others.

import CServeCore
import CServeText
import Foundation
import Testing

@testable import CServeServer

struct InfillTests {
    /// The pieces of a tokenizer with Code Llama's pipeline, in the order of their ids.
    private static let pieces: [String] = [
        "<unk>", "<s>", "</s>", "▁", "d", "e", "f", "x", "▁d", "☺", "▁☺", "▁<PRE>", "▁<SUF>", "▁<MID>", "▁<EOT>",
    ]

    private static func codec() throws -> TokenizerCodec {
        let vocabulary: String = pieces.prefix(11).enumerated().map { #""\#($1)":\#($0)"# }.joined(separator: ",")
        let added: String = [0, 1, 2, 11, 12, 13, 14].map { id in
            #"{"id":\#(id),"content":"\#(pieces[id])","special":true,"normalized":false}"#
        }.joined(separator: ",")
        let json: String = """
            {"added_tokens":[\(added)],
             "normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},
               {"type":"Replace","pattern":{"String":" "},"content":"▁"}]},
             "model":{"type":"BPE","unk_token":"<unk>","fuse_unk":true,"byte_fallback":false,
               "vocab":{\(vocabulary)},"merges":["▁ d","▁ ☺"]}}
            """
        let configuration: String = #"{"bos_token":"<s>"}"#
        return TokenizerCodec(try Tokenizer(json: Data(json.utf8), configuration: Data(configuration.utf8)))
    }

    // Origin: `infilling_prompt_tokens` of Meta's codellama: `[bos, PRE] + encode(pre) + [SUF] + encode_infilling(suf) +
    // [MID]`, where only `encode` puts a space before the text.
    @Test(
        "The prefix gets the tokenizer's leading space, the suffix does not",
        arguments: [
            ("def", "x", ["<s>", "▁<PRE>", "▁d", "e", "f", "▁<SUF>", "x", "▁<MID>"]),
            ("def", " def", ["<s>", "▁<PRE>", "▁d", "e", "f", "▁<SUF>", "▁d", "e", "f", "▁<MID>"]),
            (" def", "def", ["<s>", "▁<PRE>", "▁", "▁d", "e", "f", "▁<SUF>", "d", "e", "f", "▁<MID>"]),
        ])
    func order(prefix: String, suffix: String, expected: [String]) throws {
        let codec: TokenizerCodec = try Self.codec()
        let tokens: [TokenID] = try #require(codec.infill(prefix: prefix, suffix: suffix))
        #expect(tokens.map { Self.pieces[Int($0)] } == expected)
    }
}
