// Splits at a pattern: a known one by its scanner, a plain string by search, any other by the regular-expression engine.

/// `Split`.
struct SplitPreTokenizer: PreTokenizerStage {
    private enum Pattern: Sendable {
        case scanner(SplitScanner)
        case regex(RegexProgram)
        case literal([UInt8])
    }

    private let pattern: Pattern
    private let behavior: SplitBehavior
    private let inverted: Bool

    init(json: JSONValue) throws(TokenizerError) {
        behavior = try SplitBehavior.read(json["behavior"], stage: "pre_tokenizer.Split")
        inverted = json["invert"]?.boolean ?? false
        if let text = json["pattern"]?["String"]?.text {
            pattern = .literal(Array(text.utf8))
        } else if let text = json["pattern"]?["Regex"]?.text {
            let coversAll = behavior == .isolated || (behavior == .removed && inverted)
            if let scanner = SplitScanner.known(text), coversAll {
                pattern = .scanner(scanner)
            } else {
                pattern = .regex(try RegexProgram(text))
            }
        } else {
            throw .malformed(key: "pre_tokenizer.Split.pattern", expected: "{\"String\": ...} or {\"Regex\": ...}")
        }
    }

    func apply(to list: inout PieceList) {
        switch pattern {
        case .scanner(let scanner): list.refine { scanner.split($0, $1, into: &$2) }
        case .regex(let program):
            list.refine { text, piece, pieces in
                var spans = DelimiterSpans(piece)
                var matcher = RegexMatcher(program, textLength: piece.end - piece.start)
                matcher.forEachMatch(text, piece) { spans.addMatch($0) }
                spans.finish(behavior, inverted: inverted, into: &pieces)
            }
        case .literal(let literal):
            list.refine { text, piece, pieces in
                var spans = DelimiterSpans(piece)
                LiteralSearch.forEachMatch(literal, text, piece) { spans.addMatch($0) }
                spans.finish(behavior, inverted: inverted, into: &pieces)
            }
        }
    }
}

/// Finds a byte string.
enum LiteralSearch {
    /// Calls back for every match, from left to right, without overlap; an empty literal matches nothing.
    static func forEachMatch(_ literal: [UInt8], _ text: Span<UInt8>, _ piece: Piece, _ body: (Piece) -> Void) {
        guard let first = literal.first else { return }
        var position = piece.start
        while position + literal.count <= piece.end {
            if text[position] == first, matches(literal, text, position) {
                body(Piece(start: position, end: position + literal.count))
                position += literal.count
            } else {
                position += 1
            }
        }
    }

    private static func matches(_ literal: [UInt8], _ text: Span<UInt8>, _ position: Int) -> Bool {
        for offset in literal.indices where text[position + offset] != literal[offset] { return false }
        return true
    }
}
