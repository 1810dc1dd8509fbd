// Statements: everything between `{%` and `%}`.

extension JinjaParser {
    /// Statements up to one of the closing tags, whose name is left as the current word.
    mutating func statements(until closers: Set<String>, opener: String) throws -> [JinjaStatement] {
        var result: [JinjaStatement] = []
        while true {
            let token = current
            switch token.kind {
            case .end:
                if closers.isEmpty { return result }
                throw fault("'\(opener)' is not closed; expected \(JinjaParser.list(closers))")
            case .data(let text):
                advance()
                result.append(statement(.text(JinjaText(text, trusted: true)), at: token))
            case .variableBegin:
                advance()
                result.append(statement(.print(try tupleOrExpression()), at: token))
                try expect(.variableEnd, "'}}'")
            default:
                advance()
                if case .name(let name) = current.kind, closers.contains(name) { return result }
                try result.append(tag(opener: opener, closers: closers))
                try expect(.blockEnd, "'%}'")
            }
        }
    }

    private static func list(_ closers: Set<String>) -> String {
        closers.sorted().map { "'\($0)'" }.joined(separator: " or ")
    }

    func statement(_ kind: JinjaStatement.Kind, at token: JinjaToken) -> JinjaStatement {
        JinjaStatement(kind: kind, line: token.line, column: token.column)
    }

    private static let unsupported: Set<String> = ["include", "import", "from", "extends", "block", "autoescape", "trans"]

    private mutating func tag(opener: String, closers: Set<String>) throws -> JinjaStatement {
        let token = current
        guard case .name(let name) = token.kind else {
            throw fault("expected a tag's name, found \(token.description)")
        }
        if JinjaParser.unsupported.contains(name) {
            throw error(.unsupported("'\(name)' cannot stand in a chat template: a template is one text of its own"))
        }
        advance()
        let kind: JinjaStatement.Kind = try nested { parser in try parser.tagBody(name, at: token, closers: closers) }
        return statement(kind, at: token)
    }

    private mutating func tagBody(
        _ name: String, at token: JinjaToken, closers: Set<String>
    ) throws -> JinjaStatement.Kind {
        switch name {
        case "if": return try ifTag()
        case "for": return try forTag()
        case "set": return try setTag()
        case "macro": return try macroTag()
        case "call": return try callTag()
        case "filter": return try filterTag()
        case "with": return try withTag()
        case "do": return .evaluate(try tupleOrExpression())
        case "print": return .print(try tupleOrExpression())
        case "generation": return .scoped(try ownScope { try $0.body("generation", closing: "endgeneration") })
        case "break", "continue":
            guard loops > 0 else { throw fault("'\(name)' stands outside a loop", at: token) }
            return name == "break" ? .breakLoop : .continueLoop
        default:
            let expected = closers.isEmpty ? "" : "; expected \(JinjaParser.list(closers)) or another tag"
            throw fault("unknown tag '\(name)'\(expected)", at: token)
        }
    }

    /// The statements after this tag's end up to a closing tag, which is taken.
    private mutating func body(_ opener: String, closing closer: String) throws -> [JinjaStatement] {
        try expect(.blockEnd, "'%}'")
        let result = try statements(until: [closer], opener: opener)
        advance()
        return result
    }

    /// Parses a part that is a function of its own: a loop outside cannot be left from within.
    private mutating func ownScope<Result>(_ part: (inout JinjaParser) throws -> Result) rethrows -> Result {
        let outer = loops
        loops = 0
        defer { loops = outer }
        return try part(&self)
    }

    private mutating func ifTag() throws -> JinjaStatement.Kind {
        var branches: [(condition: JinjaExpression, body: [JinjaStatement])] = []
        while true {
            let condition = try tupleOrExpression()
            try expect(.blockEnd, "'%}'")
            branches.append((condition, try statements(until: ["elif", "else", "endif"], opener: "if")))
            if takeName("elif") { continue }
            if takeName("else") {
                return .conditional(branches, otherwise: try body("if", closing: "endif"))
            }
            advance()
            return .conditional(branches, otherwise: [])
        }
    }

    private mutating func forTag() throws -> JinjaStatement.Kind {
        let target = try self.target(until: "in")
        guard takeName("in") else { throw fault("expected 'in', found \(current.description)") }
        let iterable = try iterableExpression()
        let condition = takeName("if") ? try expression() : nil
        let isRecursive = takeName("recursive")
        try expect(.blockEnd, "'%}'")
        loops += 1
        let inner = try statements(until: ["else", "endfor"], opener: "for")
        loops -= 1
        var otherwise: [JinjaStatement] = []
        if takeName("else") { otherwise = try body("for", closing: "endfor") } else { advance() }
        return .loop(
            JinjaLoopDefinition(
                target: target, iterable: iterable, condition: condition, isRecursive: isRecursive, body: inner,
                otherwise: otherwise))
    }

    /// What a loop runs over: a tuple without parentheses may stand here, an `if` belongs to the loop.
    private mutating func iterableExpression() throws -> JinjaExpression {
        let token = current
        var items = [try withoutCondition()]
        var isTuple = false
        while takeSymbol(",") {
            isTuple = true
            if current.kind == .blockEnd || isName("if") || isName("recursive") { break }
            items.append(try withoutCondition())
        }
        return isTuple ? try node(.tuple(items), at: token) : items[0]
    }

    private mutating func target(until word: String? = nil, namespaces: Bool = false) throws -> JinjaTarget {
        var targets: [JinjaTarget] = []
        var isTuple = false
        repeat {
            if let word, isName(word) { break }
            if isSymbol("=") || current.kind == .blockEnd { break }
            targets.append(try singleTarget(namespaces: namespaces))
            if isSymbol(",") { isTuple = true }
        } while takeSymbol(",")
        guard let first = targets.first else { throw fault("expected a name to assign to, found \(current.description)") }
        return isTuple ? .tuple(targets) : first
    }

    private mutating func singleTarget(namespaces: Bool) throws -> JinjaTarget {
        if takeSymbol("(") {
            let inner = try nested { try $0.parenthesisedTarget(namespaces: namespaces) }
            try expectSymbol(")")
            return inner
        }
        let token = current
        let name = try expectName()
        if ["true", "false", "none", "True", "False", "None"].contains(name) {
            throw fault("cannot assign to '\(name)'", at: token)
        }
        if namespaces, takeSymbol(".") { return .attribute(namespace: name, name: try expectName()) }
        return .name(name)
    }

    private mutating func parenthesisedTarget(namespaces: Bool) throws -> JinjaTarget {
        var targets = [try singleTarget(namespaces: namespaces)]
        var isTuple = false
        while takeSymbol(",") {
            isTuple = true
            if isSymbol(")") { break }
            targets.append(try singleTarget(namespaces: namespaces))
        }
        return isTuple ? .tuple(targets) : targets[0]
    }

    private mutating func setTag() throws -> JinjaStatement.Kind {
        let target = try self.target(namespaces: true)
        if takeSymbol("=") { return .set([target], try tupleOrExpression()) }
        var filter: JinjaExpression?
        while takeSymbol("|") { filter = try self.filter(of: filter) }
        return .setBlock(target, filter: filter, body: try ownScopeBody("set", closing: "endset"))
    }

    private mutating func ownScopeBody(_ opener: String, closing: String) throws -> [JinjaStatement] {
        try ownScope { try $0.body(opener, closing: closing) }
    }

    private mutating func macroTag() throws -> JinjaStatement.Kind {
        let name = try expectName()
        return .macro(try definition(name: name, parameters: try parameters(), closing: "endmacro"))
    }

    private mutating func callTag() throws -> JinjaStatement.Kind {
        let parameters = isSymbol("(") ? try self.parameters() : []
        let token = current
        let call = try expression()
        guard case .call = call.kind else { throw fault("expected a call of a macro", at: token) }
        return .callBlock(try definition(name: nil, parameters: parameters, closing: "endcall"), call: call)
    }

    private mutating func definition(
        name: String?, parameters: [JinjaParameter], closing: String
    ) throws -> JinjaMacroDefinition {
        reads.append([])
        let body = try ownScopeBody(name == nil ? "call" : "macro", closing: closing)
        return JinjaMacroDefinition(name: name, parameters: parameters, body: body, reads: reads.removeLast())
    }

    private mutating func parameters() throws -> [JinjaParameter] {
        try expectSymbol("(")
        var result: [JinjaParameter] = []
        while !isSymbol(")") {
            if !result.isEmpty { try expectSymbol(",") }
            let name = try expectName()
            let fallback = takeSymbol("=") ? try expression() : nil
            if fallback == nil, result.last?.fallback != nil {
                throw fault("a parameter without a default follows one with a default")
            }
            result.append(JinjaParameter(name: name, fallback: fallback))
        }
        try expectSymbol(")")
        return result
    }

    private mutating func filterTag() throws -> JinjaStatement.Kind {
        var filter = try self.filter(of: nil)
        while takeSymbol("|") { filter = try self.filter(of: filter) }
        return .filterBlock(filter, body: try ownScopeBody("filter", closing: "endfilter"))
    }

    private mutating func withTag() throws -> JinjaStatement.Kind {
        var bindings: [(target: JinjaTarget, value: JinjaExpression)] = []
        while current.kind != .blockEnd {
            if !bindings.isEmpty { try expectSymbol(",") }
            let target = try singleTarget(namespaces: false)
            try expectSymbol("=")
            bindings.append((target, try expression()))
        }
        return .with(bindings, body: try body("with", closing: "endwith"))
    }
}
