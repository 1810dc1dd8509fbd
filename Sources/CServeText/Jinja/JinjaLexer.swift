// Cuts a template into words, with Jinja's white-space rules (trim_blocks and lstrip_blocks on, as transformers has them).

/// The lexer's state: the template's characters and the place reached.
struct JinjaLexer {
    let source: [Unicode.Scalar]
    let template: String
    var index = 0
    var tokens: [JinjaToken] = []
    /// Whether the previous word ended a line, so that white space before a block is indentation.
    private var atLineStart = true
    /// Line and column are counted up to here.
    private var counted = 0
    private var line = 1
    private var lineStart = 0

    init(_ source: String, template: String) {
        self.source = JinjaLexer.normalised(source)
        self.template = template
    }

    /// One kind of line end, and none at the very end.
    private static func normalised(_ source: String) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        var previous: Unicode.Scalar = " "
        for scalar in source.unicodeScalars {
            if !(scalar == "\n" && previous == "\r") { result.append(scalar == "\r" ? "\n" : scalar) }
            previous = scalar
        }
        if result.last == "\n" { result.removeLast() }
        return result
    }

    /// All words, the last one `.end`.
    static func tokens(of source: String, template: String) throws -> [JinjaToken] {
        var lexer = JinjaLexer(source, template: template)
        while lexer.index < lexer.source.count { try lexer.outside() }
        lexer.add(.end, at: lexer.source.count)
        return lexer.tokens
    }

    // MARK: Text between the tags

    /// Reads text up to the next tag, and the tag.
    private mutating func outside() throws {
        let start = index
        guard let tag = nextTag(from: index) else {
            addData(source[start...], at: start)
            index = source.count
            return
        }
        let sign: Unicode.Scalar? = tag + 2 < source.count && (source[tag + 2] == "-" || source[tag + 2] == "+")
            ? source[tag + 2] : nil
        let isVariable = source[tag + 1] == "{"
        addData(textBefore(tag, from: start, sign: sign, isVariable: isVariable), at: start)
        index = tag + (sign == nil ? 2 : 3)
        atLineStart = false
        switch source[tag + 1] {
        case "#": try comment(from: tag)
        case "{":
            add(.variableBegin, at: tag)
            try inside(variable: true, from: tag)
        default:
            if try raw(from: tag) { return }
            add(.blockBegin, at: tag)
            try inside(variable: false, from: tag)
        }
    }

    private func nextTag(from start: Int) -> Int? {
        var place = start
        while place + 1 < source.count {
            if source[place] == "{", source[place + 1] == "%" || source[place + 1] == "{" || source[place + 1] == "#" {
                return place
            }
            place += 1
        }
        return nil
    }

    /// The text before a tag, less the white space that the tag eats.
    private func textBefore(
        _ tag: Int, from start: Int, sign: Unicode.Scalar?, isVariable: Bool
    ) -> ArraySlice<Unicode.Scalar> {
        var end = tag
        if sign == "-" {
            while end > start, source[end - 1].isPythonSpace { end -= 1 }
        } else if sign != "+", !isVariable {
            let lineBegin = source[start..<tag].lastIndex(of: "\n").map { $0 + 1 }
            if lineBegin != nil || atLineStart, source[(lineBegin ?? start)..<tag].allSatisfy(\.isPythonSpace) {
                end = lineBegin ?? start
            }
        }
        return source[start..<end]
    }

    private mutating func addData(_ text: ArraySlice<Unicode.Scalar>, at start: Int) {
        guard !text.isEmpty else { return }
        var view = String.UnicodeScalarView()
        view.append(contentsOf: text)
        add(.data(String(view)), at: start)
    }

    private mutating func comment(from tag: Int) throws {
        while index + 1 < source.count {
            if source[index] == "#", source[index + 1] == "}" {
                let minus = index > tag + 2 && source[index - 1] == "-"
                let plus = index > tag + 2 && source[index - 1] == "+"
                index += 2
                finishTag(minus: minus, plus: plus, trimsNewline: true)
                return
            }
            index += 1
        }
        throw fault("the comment has no end ('#}')", at: tag)
    }

    /// Eats what follows a closing tag: all white space after a minus, one line end after a block.
    private mutating func finishTag(minus: Bool, plus: Bool, trimsNewline: Bool) {
        if minus {
            while index < source.count, source[index].isPythonSpace { index += 1 }
        } else if trimsNewline, !plus, index < source.count, source[index] == "\n" {
            index += 1
        }
        atLineStart = index > 0 && source[index - 1] == "\n"
    }

    /// Reads a raw block if the tag opens one.
    private mutating func raw(from tag: Int) throws -> Bool {
        guard let opening = tagWord("raw", from: index) else { return false }
        index = opening.end
        finishTag(minus: opening.minus, plus: false, trimsNewline: false)
        let start = index
        var place = start
        while let next = nextTag(from: place) {
            let signed = next + 2 < source.count && (source[next + 2] == "-" || source[next + 2] == "+")
            if source[next + 1] == "%", let closing = tagWord("endraw", from: next + (signed ? 3 : 2)) {
                let sign: Unicode.Scalar? = signed ? source[next + 2] : nil
                addData(textBefore(next, from: start, sign: sign, isVariable: false), at: start)
                index = closing.end
                finishTag(minus: closing.minus, plus: closing.plus, trimsNewline: true)
                return true
            }
            place = next + 2
        }
        throw fault("the raw block has no end ('{% endraw %}')", at: tag)
    }

    /// Matches `word %}` from a place.
    private func tagWord(_ word: String, from start: Int) -> (end: Int, minus: Bool, plus: Bool)? {
        var place = start
        while place < source.count, source[place].isPythonSpace { place += 1 }
        let letters = Array(word.unicodeScalars)
        guard source[place...].starts(with: letters) else { return nil }
        place += letters.count
        while place < source.count, source[place].isPythonSpace { place += 1 }
        guard place < source.count else { return nil }
        let minus = source[place] == "-"
        let plus = source[place] == "+"
        if minus || plus { place += 1 }
        guard place + 1 < source.count, source[place] == "%", source[place + 1] == "}" else { return nil }
        return (place + 2, minus, plus)
    }

    // MARK: Words inside a tag

    private mutating func inside(variable: Bool, from tag: Int) throws {
        var brackets: [(closing: Unicode.Scalar, place: Int)] = []
        while index < source.count {
            if source[index].isPythonSpace {
                index += 1
            } else if brackets.isEmpty, closeTag(variable: variable) {
                return
            } else {
                try word(&brackets)
            }
        }
        throw fault("the tag has no end ('\(variable ? "}}" : "%}")')", at: tag)
    }

    private mutating func closeTag(variable: Bool) -> Bool {
        let signed = source[index] == "-" || (source[index] == "+" && !variable)
        let place = signed ? index + 1 : index
        let first: Unicode.Scalar = variable ? "}" : "%"
        guard place + 1 < source.count, source[place] == first, source[place + 1] == "}" else { return false }
        let minus = source[index] == "-"
        add(variable ? .variableEnd : .blockEnd, at: index)
        index = place + 2
        finishTag(minus: minus, plus: signed && !minus, trimsNewline: !variable)
        return true
    }

    private mutating func word(_ brackets: inout [(closing: Unicode.Scalar, place: Int)]) throws {
        let scalar = source[index]
        if scalar == "\"" || scalar == "'" { return try string() }
        if ("0"..."9").contains(scalar) { return try number() }
        if scalar == "_" || scalar.properties.isXIDStart { return name() }
        let start = index
        let symbol = try nextSymbol()
        switch symbol {
        case "(": brackets.append((")", start))
        case "[": brackets.append(("]", start))
        case "{": brackets.append(("}", start))
        case ")", "]", "}":
            guard let open = brackets.popLast() else { throw fault("'\(symbol)' closes nothing", at: start) }
            guard String(open.closing) == symbol else {
                throw fault("'\(symbol)' stands where '\(open.closing)' is expected", at: start)
            }
        default: break
        }
        add(.symbol(symbol), at: start)
    }

    private static let twoCharacterSymbols: Set<String> = ["//", "**", "==", "!=", ">=", "<="]
    private static let symbols = Set("+-*/%~()[]{}.:|,;=<>".unicodeScalars)

    private mutating func nextSymbol() throws -> String {
        let scalar = source[index]
        if index + 1 < source.count {
            let pair = String(scalar) + String(source[index + 1])
            if JinjaLexer.twoCharacterSymbols.contains(pair) {
                index += 2
                return pair
            }
        }
        guard JinjaLexer.symbols.contains(scalar) else { throw fault("unexpected character '\(scalar)'", at: index) }
        index += 1
        return String(scalar)
    }

    private mutating func name() {
        let start = index
        while index < source.count, source[index] == "_" || source[index].properties.isXIDContinue { index += 1 }
        var view = String.UnicodeScalarView()
        view.append(contentsOf: source[start..<index])
        add(.name(String(view)), at: start)
    }

    // MARK: Places

    mutating func add(_ kind: JinjaToken.Kind, at place: Int) {
        count(to: place)
        tokens.append(JinjaToken(kind: kind, line: line, column: place - lineStart + 1))
    }

    private mutating func count(to place: Int) {
        while counted < place {
            if source[counted] == "\n" {
                line += 1
                lineStart = counted + 1
            }
            counted += 1
        }
    }

    mutating func fault(_ message: String, at place: Int) -> JinjaError {
        count(to: place)
        return JinjaError(.syntax(message), template: template, line: line, column: max(1, place - lineStart + 1))
    }
}
