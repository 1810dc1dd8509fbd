// Stop strings end a text, and nothing of one is ever let out.
import Testing

@testable import CServeText

@Suite struct StopMatcherTests {
    static func run(_ chunks: [String], _ stops: [String], includeStop: Bool = false) -> (String, String?) {
        var matcher = StopMatcher(stops: stops, includeStop: includeStop)
        var shown = ""
        for chunk in chunks {
            let (emit, matched) = matcher.feed(chunk)
            shown += emit
            if let matched { return (shown, matched) }
        }
        return (shown + matcher.finish(), nil)
    }

    @Test("the text before the stop string is shown, however it comes")
    func cutsDoNotMatter() {
        let text = "Hello world, ababc is ünïcode\nUser: more"
        let stops = ["\nUser:", "ababd", "ünïx"]
        let bytes = Array(text.unicodeScalars)
        for size in 1...bytes.count {
            let chunks = stride(from: 0, to: bytes.count, by: size).map { start in
                bytes[start..<min(start + size, bytes.count)].reduce(into: "") { $0.unicodeScalars.append($1) }
            }
            let (shown, matched) = Self.run(chunks, stops)
            #expect(shown == "Hello world, ababc is ünïcode")
            #expect(matched == "\nUser:")
        }
    }

    @Test("what may begin a stop string is held back until it is decided")
    func holdsBack() {
        var matcher = StopMatcher(stops: ["</end>", "STOP"])
        #expect(matcher.feed("text </en").emit == "text ")
        #expect(matcher.feed("x ").emit == "</enx ")
        #expect(matcher.feed("ST").emit == "")
        #expect(matcher.feed("ST").emit == "ST")
        #expect(matcher.finish() == "ST")
        #expect(matcher.finish() == "")
    }

    @Test("the first complete match wins, and of those that end together the longest")
    func earliest() {
        #expect(Self.run(["abcde"], ["bcd", "abcde"]) == ("a", "bcd"))
        #expect(Self.run(["xabc"], ["bc", "abc", "c"]) == ("x", "abc"))
        #expect(Self.run(["aab"], ["ab"]) == ("a", "ab"))
    }

    @Test("the stop string is shown if asked for, empty ones are ignored, and nothing comes after a match")
    func options() {
        #expect(Self.run(["a.b"], ["."], includeStop: true) == ("a.", "."))
        #expect(Self.run(["ab"], [""]) == ("ab", nil))
        var matcher = StopMatcher(stops: ["x"])
        _ = matcher.feed("ax")
        #expect(matcher.feed("more") == ("", "x"))
        #expect(matcher.finish() == "")
    }

    @Test("random texts give the same as a plain search", arguments: UInt64(1)...300)
    func property(seed: UInt64) {
        var random = Random(state: seed)
        let text = (0..<Int.random(in: 0...30, using: &random)).map { _ in "abé".randomElement(using: &random) ?? "a" }
        let stops = (0..<2).map { _ in
            String((0..<Int.random(in: 1...4, using: &random)).map { _ in "abé".randomElement(using: &random) ?? "a" })
        }
        var expected = (String(text), String?.none)
        search: for end in 0...text.count {
            let match = stops.filter { $0.count <= end && String(text[..<end]).hasSuffix($0) }.max {
                $0.count < $1.count
            }
            if let match {
                expected = (String(text[..<(end - match.count)]), match)
                break search
            }
        }
        let (shown, matched) = Self.run(text.map(String.init), stops)
        #expect(shown == expected.0 && matched == expected.1, "seed \(seed)")
    }
}
