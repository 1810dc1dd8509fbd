// Guesses what comes next from what came before: the text's own n-grams, found without looking through the text.
import CServeCore

/// Where each n-gram of one text ended last, for a few lengths of n-grams.
///
/// Prompt lookup: the longest run of tokens at the text's end that has come before is looked for, and the tokens that
/// followed it then are the guess. Of several places the latest counts: a text goes on like its latest part (an edit is
/// copied from the edited version, not from the first), and the latest is what a table of one entry per n-gram keeps by
/// itself. A guess that reaches the text's end goes on with its own beginning, so that a text of period p is continued
/// for ever. Source: Saxena 2023, "Prompt lookup decoding"; vLLM's `ngram_proposer.py` (which takes the first place).
///
/// Cost: a token is indexed once, in O(lengths); a guess looks up one entry per length. Memory: 8 to 16 bytes per token
/// and length (a table of `Int32` that is a quarter to half full), 24 to 48 bytes per token with lengths 2 to 4.
struct NGramIndex: Equatable, Sendable {
    /// Open addressing with linear probing: positions behind an n-gram's last token; 0 is an empty place.
    private struct Table: Equatable, Sendable {
        var ends: [Int32] = []
        var used: Int = 0
        var mask: Int { ends.count - 1 }
    }

    /// By length, shortest first.
    private var tables: [Table] = []
    /// N-grams that end at or before this position are in the tables.
    private var indexed: Int = 0

    /// The tokens that followed the latest earlier occurrence of the text's end; empty if there is none.
    /// - Parameters:
    ///   - text: The whole text; what was handed in before must be its beginning.
    ///   - lengths: Lengths of n-grams, the same in every call.
    ///   - most: How many tokens are wanted.
    mutating func guess(after text: TokenSpan, lengths: ClosedRange<Int>, most: Int) -> [TokenID] {
        let count: Int = text.count
        if tables.isEmpty { tables = lengths.map { _ in Table() } }
        while indexed < count - 1 {
            indexed += 1
            for (table, length) in lengths.enumerated() where length <= indexed {
                note(table, length, endingAt: indexed, text)
            }
        }
        for (table, length) in lengths.enumerated().reversed() where length < count && !tables[table].ends.isEmpty {
            let place: Int = place(of: length, endingAt: count, in: table, text)
            let end = Int(tables[table].ends[place])
            if end > 0 { return NGramIndex.copy(from: end, of: text, most) }
        }
        return []
    }

    private static func copy(from start: Int, of text: TokenSpan, _ most: Int) -> [TokenID] {
        var copied: [TokenID] = []
        copied.reserveCapacity(most)
        for position in start..<(start + most) {
            copied.append(position < text.count ? text[position] : copied[position - text.count])
        }
        return copied
    }

    private mutating func note(_ table: Int, _ length: Int, endingAt end: Int, _ text: TokenSpan) {
        if tables[table].used * 2 >= tables[table].ends.count { grow(table, length, text) }
        let place: Int = place(of: length, endingAt: end, in: table, text)
        if tables[table].ends[place] == 0 { tables[table].used += 1 }
        tables[table].ends[place] = Int32(end)
    }

    /// Doubles a table; its n-grams all differ, so that none is compared.
    private mutating func grow(_ table: Int, _ length: Int, _ text: TokenSpan) {
        let old: [Int32] = tables[table].ends
        tables[table].ends = Array(repeating: 0, count: max(64, old.count * 2))
        let mask: Int = tables[table].mask
        for end in old where end > 0 {
            var place: Int = NGramIndex.hash(length, endingAt: Int(end), text) & mask
            while tables[table].ends[place] > 0 { place = (place + 1) & mask }
            tables[table].ends[place] = end
        }
    }

    /// Where an n-gram's entry is or would be.
    private func place(of length: Int, endingAt end: Int, in table: Int, _ text: TokenSpan) -> Int {
        let mask: Int = tables[table].mask
        var place: Int = NGramIndex.hash(length, endingAt: end, text) & mask
        while true {
            let known = Int(tables[table].ends[place])
            if known == 0 || (1...length).allSatisfy({ text[known - $0] == text[end - $0] }) { return place }
            place = (place + 1) & mask
        }
    }

    private static func hash(_ length: Int, endingAt end: Int, _ text: TokenSpan) -> Int {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
        for offset in 1...length {
            hash = (hash ^ UInt64(UInt32(bitPattern: text[end - offset]))) &* 0xD6E8_FEB8_6659_FD93
            hash ^= hash >> 32
        }
        return Int(truncatingIfNeeded: hash >> 1)
    }
}
