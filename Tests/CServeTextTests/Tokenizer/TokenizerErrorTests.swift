// One instance of every way in which a tokenizer's files can be wrong, and what is said about it.
import Foundation
import Testing

@testable import CServeText

@Suite struct TokenizerErrorTests {
    static func load(_ json: String) -> TokenizerError? {
        do {
            _ = try TokenizerStorage(json: Array(json.utf8))
            return nil
        } catch { return error }
    }

    static func model(_ model: String, _ rest: String = "") -> String { #"{"model":\#(model)\#(rest)}"# }

    static let bpe = #"{"type":"BPE","vocab":{"a":0},"merges":[]}"#

    // The first text of each row must be in the message.
    @Test(
        "every error says what is wrong",
        arguments: [
            (#"{"a":}"#, "not valid JSON at byte 5"), (#"{"a":1"#, "not valid JSON"),
            (#"{"a":"\ud800"}"#, "lone surrogate"),
            ("{}", "model must be an object"), (model("{}"), "the model type \"\" is not supported"),
            (model(#"{"type":"WordLevel"}"#), "Supported: BPE, Unigram, WordPiece"),
            (model(#"{"type":"BPE","vocab":{"a":-1},"merges":[]}"#), "an id from 0"),
            (model(#"{"type":"BPE","vocab":{"a":0}}"#), "model.merges must be a list"),
            (model(#"{"type":"BPE","vocab":{"a":0},"merges":["a b c"]}"#), "model.merges[0]"),
            (model(#"{"type":"BPE","vocab":{"a":0},"merges":["a b"]}"#), "merge 0 needs the token \"b\""),
            (model(#"{"type":"BPE","vocab":{"a":0},"merges":[],"dropout":0.1}"#), "dropout 0.1"),
            (model(#"{"type":"BPE","vocab":{"a":0},"merges":[],"unk_token":"?"}"#), "needs the token \"?\""),
            (model(#"{"type":"Unigram","vocab":[["a"]],"unk_id":0}"#), "model.vocab[0]"),
            (model(#"{"type":"Unigram","vocab":[["a",0]],"unk_id":7}"#), "model.unk_id"),
            (model(bpe, #","normalizer":{"type":"Foo"}"#), "the normalizer type \"Foo\""),
            (model(bpe, #","pre_tokenizer":{"type":"UnicodeScripts"}"#), "the pre_tokenizer type \"UnicodeScripts\""),
            (model(bpe, #","post_processor":{"type":"Foo"}"#), "the post_processor type \"Foo\""),
            (model(bpe, #","decoder":{"type":"CTC"}"#), "the decoder type \"CTC\""),
            (
                model(bpe, #","normalizer":{"type":"Precompiled","precompiled_charsmap":"AAAA"}"#),
                "SentencePiece character map"
            ),
            (
                model(bpe, #","normalizer":{"type":"Replace","pattern":{"Regex":"("},"content":""}"#),
                "cannot be compiled"
            ),
            (
                model(bpe, #","pre_tokenizer":{"type":"Split","pattern":{"String":"x"},"behavior":"Foo"}"#),
                "behavior must be"
            ),
            (model(bpe, #","added_tokens":[{"id":1}]"#), "added_tokens[0].content"),
        ])
    func messages(json: String, text: String) throws {
        let error = try #require(TokenizerErrorTests.load(json))
        #expect(error.description.contains(text), "\(error)")
    }

    @Test("a folder without tokenizer.json, or with tokenizer.model only, says what to do")
    func folders() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "cserve-tokenizer-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(throws: TokenizerError.missingFile(path: folder.appendingPathComponent("tokenizer.json").path)) {
            try Tokenizer(directory: folder)
        }
        try Data("x".utf8).write(to: folder.appendingPathComponent("tokenizer.model"))
        #expect(throws: TokenizerError.sentencePieceOnly(path: folder.path)) { try Tokenizer(directory: folder) }
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent("tokenizer.json"), withIntermediateDirectories: true)
        let error = #expect(throws: TokenizerError.self) { try Tokenizer(directory: folder) }
        #expect(error?.description.contains("cannot be read") == true)
    }
}
