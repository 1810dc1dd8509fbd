// The tokenizer's face: look-ups, roles, bytes, long inputs, many tasks, and text that comes token by token.
import CServeCore
import Foundation
import Testing

@testable import CServeText

@Suite struct TokenizerTests {
    @Test("roles come from tokenizer_config.json, in both spellings")
    func roles() throws {
        let added = #"{"id":256,"content":"<s>","special":true},{"id":257,"content":"</s>","special":true}"#
        let configuration = #"{"bos_token":{"content":"<s>"},"eos_token":"</s>","pad_token":null,"unk_token":"<none>"}"#
        let tokenizer = try Tokenizer(
            json: Data(Fixtures.byteLevelJSON(added).utf8), configuration: Data(configuration.utf8))
        #expect(tokenizer.bosToken == NamedToken(text: "<s>", id: 256))
        #expect(tokenizer.eosToken == NamedToken(text: "</s>", id: 257))
        #expect(tokenizer.unkToken == NamedToken(text: "<none>", id: nil))
        #expect(tokenizer.padToken == nil)
        #expect(tokenizer.specialTokenIDs == [256, 257])
        #expect(tokenizer.vocabularySize == 258)
        #expect(tokenizer.token(256) == "<s>" && tokenizer.id(of: "</s>") == 257)
        #expect(tokenizer.token(-1) == nil && tokenizer.token(9999) == nil && tokenizer.decode([-5, 9999]) == "")
    }

    @Test("infill tokens are found under each family's names")
    func infill() throws {
        #expect(try Fixtures.tokenizer("gpt2").infill == nil)
        let names = ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"]
        let added = names.enumerated().map { #"{"id":\#(256 + $0),"content":"\#($1)","special":true}"# }
        let tokenizer = try Tokenizer(json: Data(Fixtures.byteLevelJSON(added.joined(separator: ",")).utf8))
        #expect(tokenizer.infill == InfillTokens(prefix: 256, suffix: 257, middle: 258, end: nil))
    }

    @Test(
        "the bytes of a text's tokens are the text's bytes",
        arguments: ["gpt2", "llama3", "llama2", "gemma", "mistral"])
    func tokenBytes(name: String) throws {
        let tokenizer = try Fixtures.tokenizer(name)
        let text = "Hello wörld 😀 x"
        let bytes = tokenizer.encode(text, addSpecialTokens: false).flatMap(tokenizer.tokenBytes)
        let addsSpace = ["llama2", "mistral"].contains(name)
        #expect(String(decoding: bytes, as: UTF8.self) == (addsSpace ? " " : "") + text)
    }

    @Test("tokens that differ only in normal form are different tokens")
    func normalForms() throws {
        let json = #"{"model":{"type":"BPE","vocab":{"é":0,"e":1,"\u0301":2},"merges":[]}}"#
        let tokenizer = try Tokenizer(json: Data(json.utf8))
        #expect(tokenizer.encode("\u{E9}") == [0])
        #expect(tokenizer.encode("e\u{301}") == [1, 2])
        #expect(tokenizer.id(of: "e\u{301}") == nil)
    }

    @Test("one word of 100,000 characters is merged without quadratic work", arguments: ["gpt2", "llama2", "t5"])
    func longWord(name: String) throws {
        let tokenizer = try Fixtures.tokenizer(name)
        let text = String(repeating: "a", count: 100_000)
        let ids = tokenizer.encode(text, addSpecialTokens: false)
        #expect(tokenizer.decode(ids) == text)
    }

    @Test("scan and heap merge alike", arguments: UInt64(1)...60)
    func scanEqualsHeap(seed: UInt64) throws {
        var table = MergeTable(capacity: 64)
        var random = Random(state: seed)
        for rank in 0..<40 {
            let (left, right) = (TokenID.random(in: 0..<12, using: &random), TokenID.random(in: 0..<12, using: &random))
            table.insert(left, right, rank: rank, newID: TokenID.random(in: 0..<12, using: &random))
        }
        let symbols = (0..<40).map { _ in TokenID.random(in: 0..<12, using: &random) }
        var scan = MergeWorkspace()
        scan.symbols = ContiguousArray(symbols)
        scan.mergeByScan(table)
        var heap = MergeWorkspace()
        heap.symbols = ContiguousArray(symbols)
        heap.mergeByHeap(table)
        #expect(scan.symbols == heap.symbols, "seed \(seed)")
    }

    @Test("many tasks may use one tokenizer")
    func tasks() async throws {
        let tokenizer = try Fixtures.tokenizer("qwen2")
        let texts = try Fixtures.texts("tricky.jsonl")
        let expected = texts.map { tokenizer.encode($0) }
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 { group.addTask { texts.map { tokenizer.encode($0) } == expected } }
            for await isEqual in group { #expect(isEqual) }
        }
    }

    @Test("a character that spans tokens comes out whole, and what never completes comes out at the end")
    func partialCharacters() throws {
        let tokenizer = try Tokenizer(json: Data(Fixtures.byteLevelJSON().utf8))
        var detokenizer = IncrementalDetokenizer(tokenizer: tokenizer)
        let emoji = Array("😀".utf8).map { TokenID($0) }
        #expect(detokenizer.append([0x61]) == "a")
        #expect(emoji.dropLast().map { detokenizer.append([$0]) } == ["", "", ""])
        #expect(detokenizer.append([emoji[3]]) == "😀")
        #expect(detokenizer.append([0xE4, 0xBD]) == "")
        #expect(detokenizer.finish() == "\u{FFFD}")
    }

    @Test("invalid bytes without end are let out in bounded memory and their count is right")
    func invalidBytes() throws {
        let tokenizer = try Tokenizer(json: Data(Fixtures.byteLevelJSON().utf8))
        var detokenizer = IncrementalDetokenizer(tokenizer: tokenizer)
        var text = ""
        for _ in 0..<500 { text += detokenizer.append([0xFF]) }
        text += detokenizer.append([0x61]) + detokenizer.finish()
        #expect(text == String(repeating: "\u{FFFD}", count: 500) + "a")
    }

    @Test("the first token after a prompt keeps its space")
    func spaceAfterPrompt() throws {
        let tokenizer = try Fixtures.tokenizer("llama2")
        let prompt = tokenizer.encode("of", addSpecialTokens: false)
        var detokenizer = IncrementalDetokenizer(tokenizer: tokenizer, promptTail: prompt)
        let ids = tokenizer.encode("and", addSpecialTokens: false)
        #expect(detokenizer.append(ids) + detokenizer.finish() == " and")
    }
}
