// The split patterns of GPT-2, GPT-4, Llama 3, Qwen 2, GPT-4o and Tekken as hand-written scanners: many times faster than
// a regular expression, and equal to it (a property test compares them).

/// What distinguishes the known split patterns.
struct SplitScanner: Hashable, Sendable {
    enum Contractions: Hashable, Sendable {
        /// `'s|'t|'re|...` as words of their own, lower case only (GPT-2).
        case exact
        /// The same in any case (GPT-4, Llama 3, Qwen 2).
        case anyCase
        /// In any case and as the end of a word (GPT-4o).
        case suffix
        /// None (Tekken).
        case none
    }

    var contractions: Contractions
    /// ` ?\p{L}+` and ` ?\p{N}+` (GPT-2), not `[^\r\n\p{L}\p{N}]?\p{L}+`.
    var spaceOnly = false
    /// Words end where lower case meets upper case (GPT-4o, Tekken).
    var cased = false
    /// The most digits in a piece.
    var maximumDigits = Int.max
    /// Whether punctuation takes the line breaks that follow, and also slashes.
    var punctuationTakesBreaks = true
    var punctuationTakesSlashes = false

    /// The scanner for a pattern, where it is one of the known ones.
    static func known(_ pattern: String) -> SplitScanner? {
        patterns.first { $0.pattern.utf8.elementsEqual(pattern.utf8) }?.scanner
    }

    /// GPT-2's pattern.
    static let gpt2 = SplitScanner(contractions: .exact, spaceOnly: true, punctuationTakesBreaks: false)

    static let gpt2Pattern = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
    private static let words = #"(?i:'s|'t|'re|'ve|'m|'ll|'d)"#
    private static let shortWords = #"'(?i:[sdmt]|ll|ve|re)"#
    private static let tail = #"|\s*[\r\n]+|\s+(?!\S)|\s+"#
    private static let upper = #"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#
    private static let lower = #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#
    private static let prefix = #"[^\r\n\p{L}\p{N}]?"#

    /// The known patterns, character by character.
    static let patterns: [(pattern: String, scanner: SplitScanner)] = {
        let letters = prefix + #"\p{L}+"#
        let marks = #" ?[^\s\p{L}\p{N}]+[\r\n]*"#
        let slashes = #" ?[^\s\p{L}\p{N}]+[\r\n/]*"#
        let wordEnd = words + "?"
        let casedEnd = "\(prefix)\(upper)*\(lower)+\(wordEnd)|\(prefix)\(upper)+\(lower)*\(wordEnd)"
        let casedPlain = "\(prefix)\(upper)*\(lower)+|\(prefix)\(upper)+\(lower)*"
        let three = SplitScanner(contractions: .anyCase, maximumDigits: 3)
        let one = SplitScanner(contractions: .anyCase, maximumDigits: 1)
        let o200k = SplitScanner(
            contractions: .suffix, cased: true, maximumDigits: 3, punctuationTakesSlashes: true)
        let tekken = SplitScanner(contractions: .none, cased: true, maximumDigits: 1, punctuationTakesSlashes: true)
        return [
            (gpt2Pattern, gpt2),
            ("\(words)|\(letters)|\\p{N}{1,3}|\(marks)\(tail)", three),
            ("\(shortWords)|\(letters)|\\p{N}{1,3}|\(marks)\(tail)", three),
            ("\(shortWords)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*\(tail)", three),
            ("\(words)|\(letters)|\\p{N}|\(marks)\(tail)", one),
            ("\(casedEnd)|\\p{N}{1,3}|\(slashes)\(tail)", o200k),
            ("\(casedPlain)|\\p{N}|\(slashes)\(tail)", tekken),
        ]
    }()

    /// Appends the pieces of a text; together they cover it.
    func split(_ text: Span<UInt8>, _ piece: Piece, into pieces: inout ContiguousArray<Piece>) {
        let table = UnicodeTable.shared
        var start = piece.start
        while start < piece.end {
            let end = next(text, start, piece.end, table)
            pieces.append(Piece(start: start, end: end))
            start = end
        }
    }

    /// The end of the piece that begins at a position.
    @inline(__always)
    private func next(_ text: Span<UInt8>, _ start: Int, _ limit: Int, _ table: UnicodeTable) -> Int {
        if text[start] == 0x27, contractions == .exact || contractions == .anyCase {
            let end = contraction(text, start, limit)
            if end > start { return end }
        }
        let (scalar, length) = UTF8Bytes.decode(text, at: start)
        let entry = table[scalar]
        let second = start &+ length
        let word = spaceOnly ? spacedWord(text, start, limit, table) : self.word(text, start, second, entry, limit, table)
        if word > start { return word }
        if UnicodeTable.isIn(.number, entry) { return digits(text, start, limit, table) }
        let isSpace = scalar == 0x20
        let marks = skipMarks(text, isSpace ? second : start, limit, table)
        if marks > (isSpace ? second : start) { return skipBreaks(text, marks, limit) }
        return whitespace(text, start, limit, table)
    }

    /// ` ?\p{L}+| ?\p{N}+`; the start where neither matches.
    @inline(__always)
    private func spacedWord(_ text: Span<UInt8>, _ start: Int, _ limit: Int, _ table: UnicodeTable) -> Int {
        let from = text[start] == 0x20 ? start &+ 1 : start
        let letters = skip(.letter, text, from, limit, table)
        if letters > from { return letters }
        let numbers = skip(.number, text, from, limit, table)
        return numbers > from ? numbers : start
    }

    /// `[^\r\n\p{L}\p{N}]?\p{L}+` or its cased form; the start where it does not match.
    @inline(__always)
    private func word(
        _ text: Span<UInt8>, _ start: Int, _ second: Int, _ entry: UInt8, _ limit: Int, _ table: UnicodeTable
    ) -> Int {
        let isLetter = UnicodeTable.isIn(.letter, entry)
        let isBreak = text[start] == 0x0A || text[start] == 0x0D
        let mayLead = !isLetter && !isBreak && !UnicodeTable.isIn(.number, entry)
        if cased { return casedWord(text, start, mayLead ? second : start, limit, table) }
        if !isLetter, !mayLead { return start }
        let end = skip(.letter, text, second, limit, table)
        return isLetter || end > second ? end : start
    }

    private static let upperSet: CategorySet = [
        .uppercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .mark,
    ]
    private static let lowerSet: CategorySet = [.lowercaseLetter, .modifierLetter, .otherLetter, .mark]

    /// Both cased alternatives, each first with and then without a leading character.
    private func casedWord(
        _ text: Span<UInt8>, _ start: Int, _ afterLead: Int, _ limit: Int, _ table: UnicodeTable
    ) -> Int {
        var end = lowerEnding(text, afterLead, limit, table)
        if end < 0, afterLead > start { end = lowerEnding(text, start, limit, table) }
        if end < 0 { end = upperBeginning(text, afterLead, limit, table) }
        if end < 0, afterLead > start { end = upperBeginning(text, start, limit, table) }
        if end < 0 { return start }
        guard contractions == .suffix, end < limit, text[end] == 0x27 else { return end }
        return contraction(text, end, limit)
    }

    /// `upper*lower+` from a position; -1 where it does not match.
    private func lowerEnding(_ text: Span<UInt8>, _ start: Int, _ limit: Int, _ table: UnicodeTable) -> Int {
        var position = start
        var lastBoth = -1
        while position < limit {
            let (scalar, length) = UTF8Bytes.decode(text, at: position)
            let entry = table[scalar]
            if !UnicodeTable.isIn(SplitScanner.upperSet, entry) { break }
            position &+= length
            if UnicodeTable.isIn(SplitScanner.lowerSet, entry) { lastBoth = position }
        }
        let end = skip(SplitScanner.lowerSet, text, position, limit, table)
        return end > position ? end : lastBoth
    }

    /// `upper+lower*` from a position; -1 where it does not match.
    private func upperBeginning(_ text: Span<UInt8>, _ start: Int, _ limit: Int, _ table: UnicodeTable) -> Int {
        let end = skip(SplitScanner.upperSet, text, start, limit, table)
        return end > start ? skip(SplitScanner.lowerSet, text, end, limit, table) : -1
    }

    @inline(__always)
    private func skip(
        _ set: CategorySet, _ text: Span<UInt8>, _ start: Int, _ limit: Int, _ table: UnicodeTable
    ) -> Int {
        var position = start
        while position < limit {
            let (scalar, length) = UTF8Bytes.decode(text, at: position)
            if !UnicodeTable.isIn(set, table[scalar]) { break }
            position &+= length
        }
        return position
    }

    private func digits(_ text: Span<UInt8>, _ start: Int, _ limit: Int, _ table: UnicodeTable) -> Int {
        var position = start
        var count = 0
        while position < limit, count < maximumDigits {
            let (scalar, length) = UTF8Bytes.decode(text, at: position)
            if !UnicodeTable.isIn(.number, table[scalar]) { break }
            position &+= length
            count &+= 1
        }
        return position
    }

    /// `[^\s\p{L}\p{N}]+`.
    @inline(__always)
    private func skipMarks(_ text: Span<UInt8>, _ start: Int, _ limit: Int, _ table: UnicodeTable) -> Int {
        let excluded: CategorySet = [.letter, .number]
        var position = start
        while position < limit {
            let (scalar, length) = UTF8Bytes.decode(text, at: position)
            let entry = table[scalar]
            if entry & UnicodeTable.whitespaceBit != 0 || UnicodeTable.isIn(excluded, entry) { break }
            position &+= length
        }
        return position
    }

    private func skipBreaks(_ text: Span<UInt8>, _ start: Int, _ limit: Int) -> Int {
        if !punctuationTakesBreaks { return start }
        var position = start
        while position < limit {
            let byte = text[position]
            guard byte == 0x0A || byte == 0x0D || (punctuationTakesSlashes && byte == 0x2F) else { break }
            position &+= 1
        }
        return position
    }

    /// `\s*[\r\n]+|\s+(?!\S)|\s+`, without the first alternative for GPT-2.
    private func whitespace(_ text: Span<UInt8>, _ start: Int, _ limit: Int, _ table: UnicodeTable) -> Int {
        var position = start
        var last = start
        var afterBreak = -1
        while position < limit {
            let (scalar, length) = UTF8Bytes.decode(text, at: position)
            if table[scalar] & UnicodeTable.whitespaceBit == 0 { break }
            last = position
            position &+= length
            if scalar == 0x0A || scalar == 0x0D { afterBreak = position }
        }
        if !spaceOnly, afterBreak >= 0 { return afterBreak }
        return position == limit || last == start ? position : last
    }

    /// The end of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d`; the start where there is none.
    private func contraction(_ text: Span<UInt8>, _ start: Int, _ limit: Int) -> Int {
        guard start &+ 1 < limit else { return start }
        let fold: UInt8 = contractions == .exact ? 0 : 0x20
        let first = text[start &+ 1]
        switch first | (isASCIILetter(first) ? fold : 0) {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return start &+ 2
        case UInt8(ascii: "r"), UInt8(ascii: "v"): return second(text, start, limit, UInt8(ascii: "e"), fold)
        case UInt8(ascii: "l"): return second(text, start, limit, UInt8(ascii: "l"), fold)
        case 0xC5:
            // The long s, "ſ", is an s in any case.
            return fold != 0 && start &+ 2 < limit && text[start &+ 2] == 0xBF ? start &+ 3 : start
        default: return start
        }
    }

    private func isASCIILetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) }

    private func second(_ text: Span<UInt8>, _ start: Int, _ limit: Int, _ wanted: UInt8, _ fold: UInt8) -> Int {
        guard start &+ 2 < limit else { return start }
        let byte = text[start &+ 2]
        return byte | (isASCIILetter(byte) ? fold : 0) == wanted ? start &+ 3 : start
    }
}
