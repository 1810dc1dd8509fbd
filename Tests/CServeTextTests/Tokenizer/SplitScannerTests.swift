// The hand-written scanners against the regular-expression engine, and the engine against known answers.
import Testing

@testable import CServeText

/// A small generator of its own, so that a failure can be repeated from its seed.
struct Random: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state ^ (state >> 33)) &* 0xFF51_AFD7_ED55_8CCD
    }
}

@Suite struct SplitScannerTests {
    static let atoms: [String] = [
        "a", "B", "é", "É", "ǅ", "ʰ", "中", "я", "1", "٣", "½", "'", "'s", "'S", "'ſ", "'re", "'LL", "'v", " ", "  ",
        "\t",
        "\n", "\r", "\r\n", "\u{A0}", "\u{3000}", "\u{85}", ".", ",", "/", "!", "_", "\u{301}", "\u{903}", "\u{200D}",
        "😀", "\0", "\u{378}", "don't",
    ]

    static func pieces(_ text: String, _ cut: (Span<UInt8>, Piece, inout ContiguousArray<Piece>) -> Void) -> [String] {
        var list = PieceList(bytes: Array(text.utf8), beginsText: true)
        list.refine(cut)
        return list.pieces.map { String(decoding: list.bytes[$0.start..<$0.end], as: UTF8.self) }
    }

    static func matches(_ program: RegexProgram, _ text: String) -> [String] {
        pieces(text) { span, piece, result in
            var spans = DelimiterSpans(piece)
            var matcher = RegexMatcher(program, textLength: piece.end - piece.start)
            matcher.forEachMatch(span, piece) { spans.addMatch($0) }
            spans.finish(.isolated, into: &result)
        }
    }

    @Test("every scanner cuts random text as its pattern does", arguments: SplitScanner.patterns.indices)
    func scannersEqualPatterns(index: Int) throws {
        let (pattern, scanner) = SplitScanner.patterns[index]
        let program = try RegexProgram(pattern)
        for seed in UInt64(1)...1500 {
            var random = Random(state: seed)
            let count = Int.random(in: 1...12, using: &random)
            let text = (0..<count).map { _ in SplitScannerTests.atoms.randomElement(using: &random) ?? "" }.joined()
            let scanned = SplitScannerTests.pieces(text) { scanner.split($0, $1, into: &$2) }
            let matched = SplitScannerTests.matches(program, text)
            #expect(
                scanned.map { Array($0.utf8) } == matched.map { Array($0.utf8) },
                "seed \(seed): \(text.debugDescription)")
        }
    }

    // Expected values: Oniguruma's, through PyPI tokenizers' Split with behavior isolated.
    @Test(
        "the engine matches what Oniguruma matches",
        arguments: [
            (#"a|ab"#, "ab", ["a", "b"]), (#"(?:ab|a)+?b"#, "aabb", ["aabb"]),
            (#"\p{L}++1"#, "ab1 ab", ["ab1", " ab"]),
            (#"(?<=a)b"#, "abb", ["a", "b", "b"]), (#"(?<!a)b"#, "abb", ["ab", "b"]),
            (#"(?i:Straße)"#, "STRAßE", ["STRAßE"]),
            (#"[^\p{Lu}&&\p{L}]"#, "aB", ["a", "B"]), (#"\d{2,3}"#, "12345", ["123", "45"]),
            (#"x{2}"#, "xxxxx", ["xx", "xx", "x"]),
            (#"^b$"#, "a\nb\nc", ["a\n", "b", "\nc"]), (#"\bfoo\b"#, "a foo foob", ["a ", "foo", " foob"]),
            (#"(?>a+)b|a"#, "aab", ["aab"]), (#"[\p{Han}]+"#, "ab漢字c", ["ab", "漢字", "c"]),
            (#"\x{61}|\u0062"#, "cab", ["c", "a", "b"]),
            (#"(a*)*b"#, "aaab", ["aaab"]), (#"[[:alpha:]]+"#, "é1", ["é", "1"]), (#"(?i)k"#, "\u{212A}", ["\u{212A}"]),
            (#"[a-c-]+"#, "a-cd", ["a-c", "d"]), (#"."#, "\na", ["\n", "a"]),
            (#"\s+(?!\S)|\s+"#, "   a", ["  ", " ", "a"]),
        ])
    func engine(pattern: String, text: String, expected: [String]) throws {
        #expect(SplitScannerTests.matches(try RegexProgram(pattern), text) == expected)
    }

    @Test("patterns that cannot be run are refused with the place and the reason")
    func refusedPatterns() {
        for pattern in [
            "(", ")", "[a", "a**+(", #"\p{Nonsense}"#, #"\1"#, "(?<=a*)b", "*", "a{5,2}", "[b-a]", #"\q"#, "(?s:.)",
            "((a{1000}){1000}){1000}", #"\p{L"#, "(?<name", #"\x{110000}"#,
        ] {
            #expect(throws: TokenizerError.self, "\(pattern)") { try RegexProgram(pattern) }
        }
    }

    @Test("a pattern that backtracks without end stops at its budget")
    func budget() throws {
        let program = try RegexProgram("(a|a)*(a|a)*(a|a)*(a|a)*c")
        let text = String(repeating: "a", count: 2000)
        #expect(SplitScannerTests.matches(program, text).joined() == text)
    }
}
