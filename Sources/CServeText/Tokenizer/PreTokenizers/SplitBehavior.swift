// What happens to the matches of a delimiter when a text is split at them.

/// Where matches go.
enum SplitBehavior: String, CaseIterable, Sendable {
    case removed = "Removed"
    case isolated = "Isolated"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"
    case contiguous = "Contiguous"

    /// Reads a behavior as tokenizer.json writes it.
    static func read(_ json: JSONValue?, stage: String) throws(TokenizerError) -> SplitBehavior {
        guard let name = json?.text, let behavior = SplitBehavior(rawValue: name) else {
            let names = allCases.map(\.rawValue).joined(separator: ", ")
            throw .malformed(key: "\(stage).behavior", expected: "one of \(names)")
        }
        return behavior
    }
}

/// A run of text and whether the delimiter matched it.
struct DelimiterSpan {
    var piece: Piece
    var isMatch: Bool
}

/// Collects what matched and what did not, in order, and turns it into pieces.
struct DelimiterSpans {
    private var spans: ContiguousArray<DelimiterSpan> = []
    private let whole: Piece
    private var covered: Int

    init(_ whole: Piece) {
        self.whole = whole
        covered = whole.start
    }

    mutating func addMatch(_ match: Piece) {
        if covered < match.start {
            spans.append(DelimiterSpan(piece: Piece(start: covered, end: match.start), isMatch: false))
        }
        spans.append(DelimiterSpan(piece: match, isMatch: true))
        covered = match.end
    }

    /// Appends the pieces; empty ones are dropped.
    mutating func finish(
        _ behavior: SplitBehavior, inverted: Bool = false, into pieces: inout ContiguousArray<Piece>
    ) {
        if covered < whole.end {
            spans.append(DelimiterSpan(piece: Piece(start: covered, end: whole.end), isMatch: false))
        }
        if inverted { for index in spans.indices { spans[index].isMatch.toggle() } }
        var result: ContiguousArray<Piece> = []
        switch behavior {
        case .isolated: result.append(contentsOf: spans.map(\.piece))
        case .removed: result.append(contentsOf: spans.filter { !$0.isMatch }.map(\.piece))
        case .contiguous: mergeForward(into: &result) { $0 == $1 }
        case .mergedWithPrevious: mergeForward(into: &result) { isMatch, wasMatch in isMatch && !wasMatch }
        case .mergedWithNext: mergeBackward(into: &result)
        }
        pieces.append(contentsOf: result.filter { $0.end > $0.start })
    }

    private func mergeForward(into result: inout ContiguousArray<Piece>, _ joins: (Bool, Bool) -> Bool) {
        var wasMatch = false
        for span in spans {
            if joins(span.isMatch, wasMatch), !result.isEmpty {
                result[result.count - 1].end = span.piece.end
            } else {
                result.append(span.piece)
            }
            wasMatch = span.isMatch
        }
    }

    private func mergeBackward(into result: inout ContiguousArray<Piece>) {
        var wasMatch = false
        for span in spans.reversed() {
            if span.isMatch, !wasMatch, !result.isEmpty {
                result[result.count - 1].start = span.piece.start
            } else {
                result.append(span.piece)
            }
            wasMatch = span.isMatch
        }
        result.reverse()
    }
}
