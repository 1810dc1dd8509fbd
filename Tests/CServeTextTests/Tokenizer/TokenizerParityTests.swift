// The tokenizers of every family against the ids that PyPI tokenizers gives.
import CServeCore
import Foundation
import Testing

@testable import CServeText

@Suite struct TokenizerParityTests {
    @Test("ids and decoded text of the tricky lines equal those of PyPI tokenizers", arguments: Fixtures.names)
    func tricky(name: String) throws {
        let tokenizer = try Fixtures.tokenizer(name)
        let golden = try Fixtures.golden(name)
        for (index, text) in try Fixtures.texts("tricky.jsonl").enumerated() {
            let ids = tokenizer.encode(text)
            #expect(ids == golden.ids[index], "ids of \(text.debugDescription)")
            let plain = tokenizer.encodePlain(text)
            // PyPI's Unigram finds special tokens in plain text as pieces of its vocabulary; ours must not.
            let special = tokenizer.specialTokenIDs
            if plain.count(where: special.contains) < golden.plain[index].count(where: special.contains) { continue }
            #expect(plain == golden.plain[index], "plain ids of \(text.debugDescription)")
            let decoded = tokenizer.decode(golden.ids[index], skipSpecialTokens: false)
            #expect(decoded.utf8.elementsEqual(golden.decoded[index].utf8), "text of \(text.debugDescription)")
        }
    }

    private func isAllowed(_ ids: [TokenID], _ tokenizer: Tokenizer) -> Bool {
        let unknown = Set(["<unk>", "[UNK]"].compactMap { tokenizer.id(of: $0) })
        return tokenizer.specialTokenIDs.subtracting(unknown).isDisjoint(with: ids)
    }

    @Test(
        "no special token's text becomes its id where it may not, even by way of the vocabulary",
        arguments: Fixtures.names)
    func guarded(name: String) throws {
        let tokenizer = try Fixtures.tokenizer(name)
        for id in tokenizer.specialTokenIDs {
            let text = try #require(tokenizer.token(id))
            for user in [text, " \(text) ", "x\(text)y", text + text, "\n" + text] {
                let ids = tokenizer.encode([
                    TextSegment(text: "a", mayYieldSpecialTokens: true),
                    TextSegment(text: user, mayYieldSpecialTokens: false),
                    TextSegment(text: "b", mayYieldSpecialTokens: true),
                ])
                #expect(isAllowed(ids, tokenizer), "\(user.debugDescription)")
                #expect(isAllowed(tokenizer.encodePlain(user), tokenizer), "\(user.debugDescription)")
            }
        }
    }

    @Test("ids of the corpus equal those of PyPI tokenizers", arguments: Fixtures.names)
    func corpus(name: String) throws {
        let tokenizer = try Fixtures.tokenizer(name)
        let hashes = Array(try Fixtures.golden(name).hashes)
        for (index, text) in try Fixtures.texts("corpus.jsonl").enumerated() {
            let expected = String(hashes[(index * 8)..<(index * 8 + 8)])
            #expect(Fixtures.hash(tokenizer.encode(text)) == expected, "entry \(index)")
        }
    }

    @Test("segments that all may yield special tokens are encoded as the whole text", arguments: Fixtures.names)
    func segments(name: String) throws {
        let tokenizer = try Fixtures.tokenizer(name)
        for text in try Fixtures.texts("tricky.jsonl") {
            let scalars = Array(text.unicodeScalars)
            for cut in [0, scalars.count / 3, scalars.count / 2, scalars.count] {
                let (left, right) = (text.unicodeScalars.prefix(cut), text.unicodeScalars.dropFirst(cut))
                for mayYield in [true, false] {
                    let segments = [left, right].map { TextSegment(text: String($0), mayYieldSpecialTokens: mayYield) }
                    let whole =
                        mayYield ? tokenizer.encode(text, addSpecialTokens: false) : tokenizer.encodePlain(text)
                    #expect(tokenizer.encode(segments) == whole, "cut \(cut) of \(text.debugDescription)")
                }
            }
        }
    }

    @Test("incremental decoding gives the text of the whole, however the tokens come", arguments: Fixtures.names)
    func incremental(name: String) throws {
        let tokenizer = try Fixtures.tokenizer(name)
        for text in try Fixtures.texts("tricky.jsonl") where !text.isEmpty {
            let ids = tokenizer.encode(text, addSpecialTokens: false)
            let whole = tokenizer.decode(ids)
            for step in [1, 2, 5] {
                var detokenizer = IncrementalDetokenizer(tokenizer: tokenizer)
                var joined = ""
                for start in stride(from: 0, to: ids.count, by: step) {
                    joined += detokenizer.append(Array(ids[start..<min(start + step, ids.count)]))
                }
                joined += detokenizer.finish()
                #expect(joined.utf8.elementsEqual(whole.utf8), "\(text.debugDescription) by \(step)")
            }
        }
    }

    @Test("incremental decoding gives the text of random ids, and no half of a character", arguments: Fixtures.names)
    func randomIDs(name: String) throws {
        let tokenizer = try Fixtures.tokenizer(name)
        var state: UInt64 = 7
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        let special = tokenizer.specialTokenIDs.sorted()
        // Byte tokens come as whole characters: a whole decode takes back text before a byte that turns out invalid.
        let bytes = (0..<256).compactMap { tokenizer.storage.id(of: ByteFallback.token(UInt8($0))) }
        func character() -> [TokenID] {
            Array(["\n", "\u{E9}", "\u{301}", "\u{4E2D}", "\u{1F600}"][next(5)].utf8).map { bytes[Int($0)] }
        }
        for round in 0..<60 {
            let ids = (0..<(1 + next(40))).flatMap { _ -> [TokenID] in
                switch next(8) {
                case 0 where !special.isEmpty: return [special[next(special.count)]]
                case 1...3 where bytes.count == 256: return character()
                default: return [TokenID(next(tokenizer.vocabularySize + 2))].filter { !bytes.contains($0) }
                }
            }
            for skips in [true, false] {
                let whole = tokenizer.decode(ids, skipSpecialTokens: skips)
                var detokenizer = IncrementalDetokenizer(tokenizer: tokenizer, skipSpecialTokens: skips)
                let joined = ids.map { detokenizer.append([$0]) }.joined() + detokenizer.finish()
                #expect(joined.utf8.elementsEqual(whole.utf8), "seed 7, round \(round), skips \(skips): \(ids)")
            }
        }
    }
}
