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
            #expect(tokenizer.encodePlain(text) == golden.plain[index], "plain ids of \(text.debugDescription)")
            let decoded = tokenizer.decode(golden.ids[index], skipSpecialTokens: false)
            #expect(decoded.utf8.elementsEqual(golden.decoded[index].utf8), "text of \(text.debugDescription)")
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
}
