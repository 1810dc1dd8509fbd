// The syntax tree of a regular expression.

/// What a part of a pattern matches.
indirect enum RegexNode: Hashable, Sendable {
    case empty
    case set(ScalarSet)
    case sequence([RegexNode])
    case alternation([RegexNode])
    case repetition(RegexNode, minimum: Int, maximum: Int?, mode: RepetitionMode)
    case atomic(RegexNode)
    case look(RegexNode, ahead: Bool, negated: Bool)
    case anchor(Anchor)

    enum RepetitionMode: Hashable, Sendable {
        case greedy
        case lazy
        case possessive
    }

    enum Anchor: Hashable, Sendable {
        case lineStart
        case lineEnd
        case textStart
        case textEnd
        case textEndOrFinalNewline
        case wordBoundary
        case notWordBoundary
    }

    /// The fewest and most characters that the node can match; nil for no upper bound.
    var width: (minimum: Int, maximum: Int?) {
        switch self {
        case .empty, .look, .anchor: return (0, 0)
        case .set: return (1, 1)
        case .atomic(let node): return node.width
        case .sequence(let nodes):
            return nodes.map(\.width).reduce((0, Optional(0))) { total, width in
                (total.0 + width.0, total.1.flatMap { high in width.1.map { high + $0 } })
            }
        case .alternation(let nodes):
            let widths = nodes.map(\.width)
            let bounded = widths.allSatisfy { $0.maximum != nil }
            return (widths.map(\.minimum).min() ?? 0, bounded ? widths.compactMap(\.maximum).max() : nil)
        case .repetition(let node, let minimum, let maximum, _):
            let width = node.width
            let high = maximum.flatMap { times in width.maximum.map { $0 * times } }
            return (width.minimum * minimum, width.maximum == 0 ? 0 : high)
        }
    }
}
