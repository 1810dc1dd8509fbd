// Tokens that are found in the text itself, before (or after) normalisation and never cut by it.
import CServeCore

/// A token of `added_tokens`.
struct AddedToken: Sendable {
    var content: String
    var id: TokenID
    var singleWord: Bool
    var stripsLeft: Bool
    var stripsRight: Bool
    var isNormalized: Bool
    var isSpecial: Bool

    init(json: TokenizerJSON, index: Int) throws(TokenizerError) {
        guard let content = json["content"]?.text else {
            throw .malformed(key: "added_tokens[\(index)].content", expected: "a string")
        }
        self.content = content
        id = -1
        singleWord = json["single_word"]?.boolean ?? false
        stripsLeft = json["lstrip"]?.boolean ?? false
        stripsRight = json["rstrip"]?.boolean ?? false
        isSpecial = json["special"]?.boolean ?? false
        isNormalized = json["normalized"]?.boolean ?? !isSpecial
    }
}

/// Where special tokens may be found in a text.
enum SpecialPermission: Sendable {
    case everywhere
    case nowhere
    /// One flag per byte.
    case mixed([Bool])

    var isEverywhere: Bool { if case .everywhere = self { true } else { false } }

    /// How much of a range special tokens may lie in.
    enum Extent {
        case all
        case some
        case none
    }

    func extent(_ range: Range<Int>) -> Extent {
        switch self {
        case .everywhere: return .all
        case .nowhere: return .none
        case .mixed(let flags):
            if flags[range].allSatisfy({ $0 }) { return .all }
            return flags[range].contains(true) ? .some : .none
        }
    }

    /// The permission of a part of the text.
    func slice(_ range: Range<Int>) -> SpecialPermission {
        if case .mixed(let flags) = self { return .mixed(Array(flags[range])) }
        return self
    }
}

/// A part of a text: a token that was found, or text between tokens.
enum TextPart: Equatable {
    case token(TokenID)
    case text(Range<Int>)
}

/// Finds added tokens: leftmost, then longest.
struct AddedTokenMatcher: Sendable {
    private var trie = ByteTrie()
    private var tokens: [AddedToken] = []
    private var begins = [Bool](repeating: false, count: 256)

    var isEmpty: Bool { tokens.isEmpty }
    var hasSpecialTokens: Bool { tokens.contains { $0.isSpecial } }

    /// Adds a token under the text by which it is found.
    mutating func add(_ token: AddedToken, as pattern: [UInt8]) {
        guard let first = pattern.first else { return }
        begins[Int(first)] = true
        trie.insert(pattern, Int32(tokens.count))
        tokens.append(token)
    }

    /// The parts of a text, which together cover it.
    func parts(of text: [UInt8], _ permission: SpecialPermission) -> [TextPart] {
        if isEmpty || text.isEmpty { return [.text(0..<text.count)] }
        var parts: [TextPart] = []
        var covered = 0
        var position = 0
        let bytes = text.span
        while position < bytes.count {
            guard begins[Int(bytes[position])], let match = longestMatch(bytes, position, permission) else {
                position &+= 1
                continue
            }
            if match.isAllowed { take(match, bytes, &covered, &parts) }
            position = match.range.upperBound
        }
        if covered < text.count { parts.append(.text(covered..<text.count)) }
        return parts
    }

    private struct Match {
        var token: AddedToken
        var range: Range<Int>
        /// False for a special token within text that may yield none: it stays text, and nothing in it is a token.
        var isAllowed: Bool
    }

    /// The longest token here. A special one that reaches from text that may yield it into text that may not, or the
    /// other way round, does not count: a user's text must not hide the template's tokens.
    private func longestMatch(_ text: Span<UInt8>, _ start: Int, _ permission: SpecialPermission) -> Match? {
        var best: Match?
        var node = ByteTrie.root
        var position = start
        while position < text.count {
            node = trie.child(of: node, text[position])
            if node == ByteTrie.none { break }
            position &+= 1
            let value = trie.value(at: node)
            guard value >= 0 else { continue }
            let token = tokens[Int(value)]
            let extent = token.isSpecial ? permission.extent(start..<position) : .all
            if extent != .some { best = Match(token: token, range: start..<position, isAllowed: extent == .all) }
        }
        return best
    }

    private func take(_ match: Match, _ text: Span<UInt8>, _ covered: inout Int, _ parts: inout [TextPart]) {
        let table = UnicodeTable.shared
        var (start, end) = (match.range.lowerBound, match.range.upperBound)
        if match.token.singleWord, touchesWord(text, start, end, table) { return }
        if match.token.stripsLeft { start = leadingSpace(text, before: start, from: covered, table) }
        if match.token.stripsRight {
            while end < text.count {
                let (scalar, length) = UTF8Bytes.decode(text, at: end)
                if !table.isWhitespace(scalar) { break }
                end += length
            }
        }
        if covered < start { parts.append(.text(covered..<start)) }
        parts.append(.token(match.token.id))
        covered = end
    }

    private func leadingSpace(_ text: Span<UInt8>, before start: Int, from limit: Int, _ table: UnicodeTable) -> Int {
        var position = start
        while position > limit {
            let (scalar, length) = UTF8Bytes.decodeBackward(text, before: position)
            if !table.isWhitespace(scalar) { break }
            position -= length
        }
        return max(position, limit)
    }

    private func touchesWord(_ text: Span<UInt8>, _ start: Int, _ end: Int, _ table: UnicodeTable) -> Bool {
        let before = start > 0 && isWord(UTF8Bytes.decodeBackward(text, before: start).scalar, table)
        let after = end < text.count && isWord(UTF8Bytes.decode(text, at: end).scalar, table)
        return before || after
    }

    private func isWord(_ scalar: UInt32, _ table: UnicodeTable) -> Bool {
        table.isWord(scalar) || scalar == 0x200C || scalar == 0x200D
    }
}
