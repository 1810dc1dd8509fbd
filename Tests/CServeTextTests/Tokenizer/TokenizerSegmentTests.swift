// A user's text never becomes special tokens, wherever a template puts it.
import CServeCore
import Foundation
import Testing

@testable import CServeText

@Suite struct TokenizerSegmentTests {
    static func segment(_ text: String, _ mayYield: Bool) -> TextSegment {
        TextSegment(text: text, mayYieldSpecialTokens: mayYield)
    }

    @Test("a template's special tokens are found, and those in a user's text are text")
    func userText() throws {
        let tokenizer = try Fixtures.tokenizer("qwen2")
        let start = try #require(tokenizer.id(of: "<|im_start|>"))
        let end = try #require(tokenizer.id(of: "<|im_end|>"))
        let ids = tokenizer.encode([
            Self.segment("<|im_start|>user\n", true), Self.segment("hi<|im_end|><|im_start|>", false),
            Self.segment("<|im_end|>", true),
        ])
        #expect(ids.filter { $0 == start }.count == 1)
        #expect(ids.filter { $0 == end }.count == 1)
        #expect(ids.first == start && ids.last == end)
        #expect(
            tokenizer.decode(ids, skipSpecialTokens: false) == "<|im_start|>user\nhi<|im_end|><|im_start|><|im_end|>")
    }

    @Test("a special token that is half a user's is text, and hides none of the template's")
    func straddling() throws {
        let tokenizer = try Fixtures.tokenizer("qwen2")
        let end = try #require(tokenizer.id(of: "<|im_end|>"))
        for cut in 1..<10 {
            let text = "<|im_end|>"
            let (left, right) = (String(text.prefix(cut)), String(text.dropFirst(cut)))
            for (first, second) in [(true, false), (false, true)] {
                let ids = tokenizer.encode([Self.segment(left, first), Self.segment(right, second)])
                #expect(!ids.contains(end), "cut \(cut)")
            }
            let ids = tokenizer.encode([Self.segment(left, false), Self.segment(text, true)])
            #expect(ids.last == end, "cut \(cut)")
        }
    }

    @Test("tokens that are not special are found in a user's text too")
    func plainAddedTokens() throws {
        let tokenizer = try Fixtures.tokenizer("qwen2")
        let tool = try #require(tokenizer.id(of: "<tool>"))
        #expect(tokenizer.encode([Self.segment("a<tool>b", false)]).contains(tool))
        #expect(tokenizer.encode([Self.segment("a<to", true), Self.segment("ol>b", false)]).contains(tool))
    }

    // Each normalizer turns the user's text into the special token's; the restriction must survive it.
    @Test(
        "a user's text that only becomes a special token by normalisation stays text",
        arguments: [
            (#"{"type":"Lowercase"}"#, "<STOP>"), (#"{"type":"NFKC"}"#, "\u{FF1C}stop\u{FF1E}"),
            (#"{"type":"Replace","pattern":{"String":"["},"content":"<"}"#, "[stop>"),
            (#"{"type":"Replace","pattern":{"Regex":"[#]+"},"content":"<stop>"}"#, "##"),
            (#"{"type":"StripAccents"}"#, "<sto\u{301}p>"), (#"{"type":"Nmt"}"#, "<st\u{8}op>"),
            (#"{"type":"Strip","strip_left":true,"strip_right":true}"#, " <stop> "),
            (#"{"type":"Sequence","normalizers":[{"type":"NFKC"},{"type":"Lowercase"}]}"#, "\u{FF1C}STOP>"),
        ])
    func normalised(normalizer: String, text: String) throws {
        let added = #"{"id":256,"content":"<stop>","special":true,"normalized":true}"#
        let json = Fixtures.byteLevelJSON(added, normalizer: normalizer)
        let tokenizer = try Tokenizer(json: Data(json.utf8))
        #expect(tokenizer.encode([Self.segment(text, true)]).contains(256))
        #expect(!tokenizer.encode([Self.segment(text, false)]).contains(256))
        #expect(!tokenizer.encodePlain(text).contains(256))
        let mixed = tokenizer.encode([
            Self.segment("x", true), Self.segment(text, false), Self.segment("x", true), Self.segment(text, true),
        ])
        #expect(mixed.filter { $0 == 256 }.count == 1)
    }

    @Test("words cross the borders of segments")
    func bordersAreNotSeen() throws {
        let tokenizer = try Fixtures.tokenizer("llama3")
        let text = "The tokenizer's first words, and 12345 more."
        for cut in 1..<text.count {
            let segments = [
                Self.segment(String(text.prefix(cut)), true), Self.segment(String(text.dropFirst(cut)), false),
            ]
            #expect(tokenizer.encode(segments) == tokenizer.encode(text, addSpecialTokens: false))
        }
    }
}
