// Expressions, in jinja2's order of precedence: if-else, or, and, not, comparison, + -, ~, * / // %, **, unary, postfix.

extension JinjaParser {
    /// One expression without commas.
    mutating func expression() throws -> JinjaExpression {
        try nested { parser in
            let token = parser.current
            var result = try parser.orExpression()
            while parser.takeName("if") {
                let condition = try parser.orExpression()
                let otherwise = parser.takeName("else") ? try parser.expression() : nil
                result = try parser.node(
                    .conditional(condition: condition, then: result, otherwise: otherwise), at: token)
            }
            return result
        }
    }

    /// An expression whose `if` belongs to what follows.
    mutating func withoutCondition() throws -> JinjaExpression { try nested { try $0.orExpression() } }

    private mutating func orExpression() throws -> JinjaExpression {
        let token = current
        var left = try andExpression()
        while takeName("or") { left = try node(.or(left, try andExpression()), at: token) }
        return left
    }

    private mutating func andExpression() throws -> JinjaExpression {
        let token = current
        var left = try notExpression()
        while takeName("and") { left = try node(.and(left, try notExpression()), at: token) }
        return left
    }

    private mutating func notExpression() throws -> JinjaExpression {
        let token = current
        var count = 0
        while takeName("not") { count += 1 }
        var result = try comparison()
        for _ in 0..<count { result = try node(.not(result), at: token) }
        return result
    }

    private mutating func comparison() throws -> JinjaExpression {
        let token = current
        let first = try sum()
        var rest: [(comparator: JinjaExpression.Comparator, operand: JinjaExpression)] = []
        while let comparator = takeComparator() { rest.append((comparator, try sum())) }
        return rest.isEmpty ? first : try node(.comparison(first, rest), at: token)
    }

    private mutating func takeComparator() -> JinjaExpression.Comparator? {
        if takeName("in") { return .contained }
        if isName("not"), next.kind == .name("in") {
            index += 2
            return .notContained
        }
        guard case .symbol(let symbol) = current.kind, let result = JinjaExpression.Comparator(rawValue: symbol) else {
            return nil
        }
        advance()
        return result
    }

    private mutating func takeOperator(_ symbols: [String]) -> JinjaExpression.BinaryOperator? {
        guard case .symbol(let symbol) = current.kind, symbols.contains(symbol) else { return nil }
        advance()
        return JinjaExpression.BinaryOperator(rawValue: symbol)
    }

    private mutating func sum() throws -> JinjaExpression {
        let token = current
        var left = try concatenation()
        while let sign = takeOperator(["+", "-"]) { left = try node(.binary(sign, left, try concatenation()), at: token) }
        return left
    }

    private mutating func concatenation() throws -> JinjaExpression {
        let token = current
        var parts = [try product()]
        while takeSymbol("~") { parts.append(try product()) }
        return parts.count == 1 ? parts[0] : try node(.concatenation(parts), at: token)
    }

    private mutating func product() throws -> JinjaExpression {
        let token = current
        var left = try power()
        while let sign = takeOperator(["*", "/", "//", "%"]) { left = try node(.binary(sign, left, try power()), at: token) }
        return left
    }

    private mutating func power() throws -> JinjaExpression {
        let token = current
        var left = try unary(withFilters: true)
        while takeSymbol("**") { left = try node(.binary(.power, left, try unary(withFilters: true)), at: token) }
        return left
    }

    private mutating func unary(withFilters: Bool) throws -> JinjaExpression {
        let token = current
        var result: JinjaExpression
        if takeSymbol("-") {
            result = try node(.negative(try nested { try $0.unary(withFilters: false) }), at: token)
        } else if takeSymbol("+") {
            result = try node(.positive(try nested { try $0.unary(withFilters: false) }), at: token)
        } else {
            result = try primary()
        }
        result = try postfix(result)
        return withFilters ? try filtersAndTests(result) : result
    }

    /// A literal, a name or something in brackets.
    mutating func primary() throws -> JinjaExpression {
        let token = current
        switch token.kind {
        case .name(let name):
            advance()
            return try node(nameOrConstant(name), at: token)
        case .string: return try stringLiteral()
        case .integer(let value):
            advance()
            return try node(.integer(value), at: token)
        case .float(let value):
            advance()
            return try node(.float(value), at: token)
        case .symbol("("):
            advance()
            let result = try tupleOrExpression(inParentheses: true)
            try expectSymbol(")")
            return result
        case .symbol("["): return try listLiteral()
        case .symbol("{"): return try dictionaryLiteral()
        default: throw fault("expected an expression, found \(token.description)")
        }
    }

    private mutating func nameOrConstant(_ name: String) -> JinjaExpression.Kind {
        switch name {
        case "true", "True": return .bool(true)
        case "false", "False": return .bool(false)
        case "none", "None": return .none
        default:
            for place in reads.indices { reads[place].insert(name) }
            return .name(name)
        }
    }

    private mutating func stringLiteral() throws -> JinjaExpression {
        let token = current
        var text = ""
        while case .string(let piece) = current.kind {
            text += piece
            advance()
        }
        return try node(.string(JinjaText(text, trusted: true)), at: token)
    }

    /// One expression, or several with commas: a tuple.
    mutating func tupleOrExpression(inParentheses: Bool = false) throws -> JinjaExpression {
        let token = current
        var items: [JinjaExpression] = []
        var isTuple = false
        while !isTupleEnd {
            items.append(try expression())
            guard takeSymbol(",") else { break }
            isTuple = true
        }
        if !isTuple, let only = items.first { return only }
        guard isTuple || inParentheses else { throw fault("expected an expression, found \(current.description)") }
        return try node(.tuple(items), at: token)
    }

    private var isTupleEnd: Bool {
        switch current.kind {
        case .variableEnd, .blockEnd, .symbol(")"): true
        default: false
        }
    }

    private mutating func listLiteral() throws -> JinjaExpression {
        let token = current
        advance()
        var items: [JinjaExpression] = []
        while !isSymbol("]") {
            if !items.isEmpty { try expectSymbol(",") }
            if isSymbol("]") { break }
            items.append(try expression())
        }
        try expectSymbol("]")
        return try node(.list(items), at: token)
    }

    private mutating func dictionaryLiteral() throws -> JinjaExpression {
        let token = current
        advance()
        var members: [(key: JinjaExpression, value: JinjaExpression)] = []
        while !isSymbol("}") {
            if !members.isEmpty { try expectSymbol(",") }
            if isSymbol("}") { break }
            let key = try expression()
            try expectSymbol(":")
            members.append((key, try expression()))
        }
        try expectSymbol("}")
        return try node(.dictionary(members), at: token)
    }
}
