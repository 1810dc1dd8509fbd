// The pre-tokenizers that look at one character at a time.

/// Splits pieces at the characters that a test picks.
private func split(
    _ list: inout PieceList, _ behavior: SplitBehavior, at isDelimiter: (UInt32, UnicodeTable) -> Bool
) {
    let table = UnicodeTable.shared
    list.refine { text, piece, pieces in
        var spans = DelimiterSpans(piece)
        var position = piece.start
        while position < piece.end {
            let (scalar, length) = UTF8Bytes.decode(text, at: position)
            if isDelimiter(scalar, table) { spans.addMatch(Piece(start: position, end: position + length)) }
            position += length
        }
        spans.finish(behavior, into: &pieces)
    }
}

/// Whether a scalar is punctuation: Unicode's, and ASCII's symbols.
private func isPunctuation(_ scalar: UInt32, _ table: UnicodeTable) -> Bool {
    let isASCIIPunctuation =
        (0x21...0x2F).contains(scalar) || (0x3A...0x40).contains(scalar) || (0x5B...0x60).contains(scalar)
        || (0x7B...0x7E).contains(scalar)
    return isASCIIPunctuation || table.has(scalar, .punctuation)
}

/// `Digits`.
struct DigitsPreTokenizer: PreTokenizerStage {
    private let individually: Bool

    init(json: JSONValue) { individually = json["individual_digits"]?.boolean ?? false }

    func apply(to list: inout PieceList) {
        split(&list, individually ? .isolated : .contiguous) { $1.has($0, .number) }
    }
}

/// `Punctuation`.
struct PunctuationPreTokenizer: PreTokenizerStage {
    private let behavior: SplitBehavior

    init(json: JSONValue) throws(TokenizerError) {
        let declared = json["behavior"]
        behavior = declared == nil ? .isolated : try SplitBehavior.read(declared, stage: "pre_tokenizer.Punctuation")
    }

    func apply(to list: inout PieceList) { split(&list, behavior, at: isPunctuation) }
}

/// `WhitespaceSplit`.
struct WhitespaceSplitPreTokenizer: PreTokenizerStage {
    func apply(to list: inout PieceList) { split(&list, .removed) { $1.isWhitespace($0) } }
}

/// `BertPreTokenizer`.
struct BertPreTokenizer: PreTokenizerStage {
    func apply(to list: inout PieceList) {
        split(&list, .removed) { $1.isWhitespace($0) }
        split(&list, .isolated, at: isPunctuation)
    }
}

/// `CharDelimiterSplit`.
struct DelimiterPreTokenizer: PreTokenizerStage {
    private let delimiter: UInt32

    init(json: JSONValue) throws(TokenizerError) {
        guard let text = json["delimiter"]?.text, text.unicodeScalars.count == 1,
            let scalar = text.unicodeScalars.first
        else { throw .malformed(key: "pre_tokenizer.CharDelimiterSplit.delimiter", expected: "one character") }
        delimiter = scalar.value
    }

    func apply(to list: inout PieceList) { split(&list, .removed) { scalar, _ in scalar == delimiter } }
}

/// `Whitespace`: runs of word characters and runs of what is neither that nor white space.
struct WhitespacePreTokenizer: PreTokenizerStage {
    func apply(to list: inout PieceList) {
        let table = UnicodeTable.shared
        list.refine { text, piece, pieces in
            var position = piece.start
            var start = position
            var kind = 0
            while position < piece.end {
                let (scalar, length) = UTF8Bytes.decode(text, at: position)
                let next = WhitespacePreTokenizer.kind(scalar, table)
                if next != kind {
                    if kind != 0 { pieces.append(Piece(start: start, end: position)) }
                    start = position
                    kind = next
                }
                position += length
            }
            if kind != 0 { pieces.append(Piece(start: start, end: piece.end)) }
        }
    }

    /// White space, word or other; Rust's \w also has the two joiners.
    private static func kind(_ scalar: UInt32, _ table: UnicodeTable) -> Int {
        if table.isWord(scalar) || scalar == 0x200C || scalar == 0x200D { return 1 }
        return table.isWhitespace(scalar) ? 0 : 2
    }
}
