// Parses Oniguruma's syntax (Ruby dialect) as far as tokenizers use it; the rest is refused by name.

/// Reads a pattern into a tree.
struct RegexParser {
    private let pattern: String
    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var ignoresCase = false
    private var dotMatchesNewline = false
    private var extended = false
    private var depth = 0

    init(_ pattern: String) {
        self.pattern = pattern
        scalars = Array(pattern.unicodeScalars)
    }

    /// The tree of the whole pattern.
    static func parse(_ pattern: String) throws(TokenizerError) -> RegexNode {
        var parser = RegexParser(pattern)
        let node = try parser.parseAlternation()
        guard parser.position == parser.scalars.count else { throw parser.failure("an unmatched )") }
        return node
    }

    private func failure(_ reason: String) -> TokenizerError {
        .invalidPattern(pattern: pattern, offset: position, reason: reason)
    }

    private var peek: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private mutating func take(_ text: String) -> Bool {
        let wanted = Array(text.unicodeScalars)
        guard position + wanted.count <= scalars.count else { return false }
        guard Array(scalars[position..<(position + wanted.count)]) == wanted else { return false }
        position += wanted.count
        return true
    }

    private mutating func next() throws(TokenizerError) -> Unicode.Scalar {
        guard let scalar = peek else { throw failure("the pattern ends early") }
        position += 1
        return scalar
    }

    private mutating func parseAlternation() throws(TokenizerError) -> RegexNode {
        depth += 1
        defer { depth -= 1 }
        if depth > 100 { throw failure("groups are nested more than 100 deep") }
        var branches = [try parseSequence()]
        while take("|") { branches.append(try parseSequence()) }
        return branches.count == 1 ? branches[0] : .alternation(branches)
    }

    private mutating func parseSequence() throws(TokenizerError) -> RegexNode {
        var nodes: [RegexNode] = []
        while let scalar = peek, scalar != "|", scalar != ")" {
            if extended, scalar.properties.isWhitespace {
                position += 1
                continue
            }
            if extended, scalar == "#" {
                while let comment = peek, comment != "\n" { _ = comment; position += 1 }
                continue
            }
            let atom = try parseAtom()
            nodes.append(try parseQuantifiers(atom))
        }
        return nodes.count == 1 ? nodes[0] : nodes.isEmpty ? .empty : .sequence(nodes)
    }

    private mutating func parseAtom() throws(TokenizerError) -> RegexNode {
        let scalar = try next()
        switch scalar {
        case "(": return try parseGroup()
        case "[": return .set(cased(try parseClass()))
        case ".": return .set(dotMatchesNewline ? .range(0, 0x10FFFF) : .negation(.one(0x0A)))
        case "^": return .anchor(.lineStart)
        case "$": return .anchor(.lineEnd)
        case "\\": return try parseEscapedAtom()
        case "*", "+", "?":
            position -= 1
            throw failure("nothing to repeat")
        default: return .set(cased(.one(scalar.value)))
        }
    }

    private func cased(_ set: ScalarSet) -> ScalarSet { ignoresCase ? set.ignoringCase : set }

    private mutating func parseEscapedAtom() throws(TokenizerError) -> RegexNode {
        let scalar = try next()
        switch scalar {
        case "A": return .anchor(.textStart)
        case "z": return .anchor(.textEnd)
        case "Z": return .anchor(.textEndOrFinalNewline)
        case "b": return .anchor(.wordBoundary)
        case "B": return .anchor(.notWordBoundary)
        case "G", "K", "X", "k", "g", "1", "2", "3", "4", "5", "6", "7", "8", "9":
            throw failure("\\\(scalar) is not supported")
        case "R":
            let newline = RegexNode.set(.union([.range(0x0A, 0x0D), .one(0x85), .range(0x2028, 0x2029)]))
            let pair = RegexNode.sequence([.set(.one(0x0D)), .set(.one(0x0A))])
            return .atomic(.alternation([pair, newline]))
        default:
            position -= 1
            return .set(cased(try parseEscapedSet()))
        }
    }

    /// What follows a backslash, inside or outside of a class, as a set.
    private mutating func parseEscapedSet() throws(TokenizerError) -> ScalarSet {
        let scalar = try next()
        switch scalar {
        case "s": return .whitespace
        case "S": return .negation(.whitespace)
        case "w": return .word
        case "W": return .negation(.word)
        case "d": return .categories(.one(.decimalNumber))
        case "D": return .negation(.categories(.one(.decimalNumber)))
        case "h": return RegexParser.hexadecimal
        case "H": return .negation(RegexParser.hexadecimal)
        case "p": return try parseProperty(negated: false)
        case "P": return try parseProperty(negated: true)
        case "n": return .one(0x0A)
        case "r": return .one(0x0D)
        case "t": return .one(0x09)
        case "f": return .one(0x0C)
        case "v": return .one(0x0B)
        case "a": return .one(0x07)
        case "e": return .one(0x1B)
        case "0": return .one(0)
        case "x", "u": return .one(try parseCode(fixedDigits: scalar == "x" ? 2 : 4))
        default:
            guard !scalar.properties.isAlphabetic || !scalar.isASCII else {
                throw failure("\\\(scalar) is not supported")
            }
            return .one(scalar.value)
        }
    }

    private static let hexadecimal: ScalarSet = .union([.range(0x30, 0x39), .range(0x41, 0x46), .range(0x61, 0x66)])

    private mutating func parseCode(fixedDigits: Int) throws(TokenizerError) -> UInt32 {
        var digits = ""
        if take("{") {
            while let scalar = peek, scalar != "}" {
                digits.unicodeScalars.append(scalar)
                position += 1
            }
            _ = take("}")
        } else {
            while digits.unicodeScalars.count < fixedDigits, let scalar = peek, scalar.properties.isASCIIHexDigit {
                digits.unicodeScalars.append(scalar)
                position += 1
            }
        }
        guard let code = UInt32(digits, radix: 16), code <= 0x10FFFF else { throw failure("not a character code") }
        return code
    }

    private mutating func parseProperty(negated: Bool) throws(TokenizerError) -> ScalarSet {
        guard take("{") else { throw failure("\\p must be followed by {") }
        var isNegated = negated
        if take("^") { isNegated.toggle() }
        var name = ""
        while let scalar = peek, scalar != "}" {
            name.unicodeScalars.append(scalar)
            position += 1
        }
        guard take("}") else { throw failure("\\p{ does not end") }
        guard let set = UnicodeProperty.set(named: name) else { throw failure("the property \(name) is not known") }
        return isNegated ? .negation(set) : set
    }

    private mutating func parseClass() throws(TokenizerError) -> ScalarSet {
        depth += 1
        defer { depth -= 1 }
        if depth > 100 { throw failure("classes are nested more than 100 deep") }
        let negated = take("^")
        var intersected: [ScalarSet] = []
        var members: [ScalarSet] = []
        var isFirst = true
        while true {
            guard peek != nil else { throw failure("a class does not end") }
            if !isFirst, take("]") { break }
            if take("&&") {
                intersected.append(.union(members))
                members = []
            } else {
                members.append(try parseClassMember())
            }
            isFirst = false
        }
        let union: ScalarSet = members.count == 1 ? members[0] : .union(members)
        let set: ScalarSet = intersected.isEmpty ? union : .intersection(intersected + [union])
        return negated ? .negation(cased(set)) : set
    }

    private mutating func parseClassMember() throws(TokenizerError) -> ScalarSet {
        if take("[:") { return try parsePOSIXClass() }
        if take("[") { return try parseClass() }
        let low = try parseClassAtom()
        guard case .range(let first, let last) = low, first == last, peek == "-" else { return low }
        guard position + 1 < scalars.count, scalars[position + 1] != "]" else { return low }
        position += 1
        guard case .range(let end, let same) = try parseClassAtom(), end == same, end >= first else {
            throw failure("a range in a class must go up, from one character to another")
        }
        return .range(first, end)
    }

    private mutating func parseClassAtom() throws(TokenizerError) -> ScalarSet {
        let scalar = try next()
        if scalar != "\\" { return .one(scalar.value) }
        if take("b") { return .one(0x08) }
        return try parseEscapedSet()
    }

    private mutating func parsePOSIXClass() throws(TokenizerError) -> ScalarSet {
        let negated = take("^")
        var name = ""
        while let scalar = peek, scalar != ":" {
            name.unicodeScalars.append(scalar)
            position += 1
        }
        guard take(":]") else { throw failure("[: does not end with :]") }
        guard let set = UnicodeProperty.set(named: name) else { throw failure("the class \(name) is not known") }
        return negated ? .negation(set) : set
    }

    private mutating func parseGroup() throws(TokenizerError) -> RegexNode {
        let outer = (ignoresCase, dotMatchesNewline, extended)
        defer { (ignoresCase, dotMatchesNewline, extended) = outer }
        guard take("?") else { return try closeGroup { $0 } }
        if take(":") { return try closeGroup { $0 } }
        if take(">") { return try closeGroup { .atomic($0) } }
        if take("=") { return try closeGroup { .look($0, ahead: true, negated: false) } }
        if take("!") { return try closeGroup { .look($0, ahead: true, negated: true) } }
        if take("<=") { return try closeGroup { .look($0, ahead: false, negated: false) } }
        if take("<!") { return try closeGroup { .look($0, ahead: false, negated: true) } }
        if take("#") {
            while let scalar = peek, scalar != ")" { _ = scalar; position += 1 }
            guard take(")") else { throw failure("a comment does not end") }
            return .empty
        }
        if take("<") || take("P<") {
            while let scalar = peek, scalar != ">" { _ = scalar; position += 1 }
            guard take(">") else { throw failure("a group's name does not end") }
            return try closeGroup { $0 }
        }
        try parseOptions()
        if take(":") { return try closeGroup { $0 } }
        guard take(")") else { throw failure("this kind of group is not supported") }
        return try parseAlternation()
    }

    private mutating func parseOptions() throws(TokenizerError) {
        var value = true
        while let scalar = peek, scalar != ":", scalar != ")" {
            switch scalar {
            case "-": value = false
            case "i": ignoresCase = value
            case "m": dotMatchesNewline = value
            case "x": extended = value
            default: throw failure("the group option \(scalar) is not supported")
            }
            position += 1
        }
    }

    private mutating func closeGroup(_ make: (RegexNode) -> RegexNode) throws(TokenizerError) -> RegexNode {
        let node = try parseAlternation()
        guard take(")") else { throw failure("a group does not end") }
        return make(node)
    }

    private mutating func parseQuantifiers(_ atom: RegexNode) throws(TokenizerError) -> RegexNode {
        var node = atom
        while let (minimum, maximum, isInterval) = try parseQuantifier() {
            var mode = RegexNode.RepetitionMode.greedy
            if take("?") {
                mode = .lazy
            } else if !isInterval, take("+") {
                mode = .possessive
            }
            node = .repetition(node, minimum: minimum, maximum: maximum, mode: mode)
        }
        return node
    }

    private mutating func parseQuantifier() throws(TokenizerError) -> (Int, Int?, Bool)? {
        if take("*") { return (0, nil, false) }
        if take("+") { return (1, nil, false) }
        if take("?") { return (0, 1, false) }
        let start = position
        guard take("{") else { return nil }
        let low = takeNumber()
        let high = take(",") ? (takeNumber(), true) : (low, false)
        guard take("}"), low != nil || high.0 != nil else {
            position = start
            return try literalBrace()
        }
        let (minimum, maximum) = (low ?? 0, high.0)
        guard minimum <= 1000, (maximum ?? 0) <= 1000, maximum.map({ $0 >= minimum }) ?? true else {
            throw failure("a repetition must go up and at most to 1000")
        }
        return (minimum, maximum, true)
    }

    /// A brace that begins no repetition is an ordinary character, which the next atom reads.
    private func literalBrace() throws(TokenizerError) -> (Int, Int?, Bool)? { nil }

    private mutating func takeNumber() -> Int? {
        var digits = ""
        while let scalar = peek, ("0"..."9").contains(scalar), digits.count < 6 {
            digits.unicodeScalars.append(scalar)
            position += 1
        }
        return Int(digits)
    }
}
