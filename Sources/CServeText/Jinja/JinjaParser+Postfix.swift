// What follows a value: attributes, items, slices, calls, filters and tests.

extension JinjaParser {
    /// `.name`, `[index]` and `(...)`, as often as they follow.
    mutating func postfix(_ operand: JinjaExpression) throws -> JinjaExpression {
        var result = operand
        while true {
            if isSymbol(".") || isSymbol("[") {
                result = try subscripted(result)
            } else if isSymbol("(") {
                result = try called(result)
            } else {
                return result
            }
        }
    }

    /// `| filter` and `is test`, as often as they follow.
    mutating func filtersAndTests(_ operand: JinjaExpression) throws -> JinjaExpression {
        var result = operand
        while true {
            if takeSymbol("|") {
                result = try filter(of: result)
            } else if isName("is") {
                result = try test(of: result)
            } else if isSymbol("(") {
                result = try called(result)
            } else {
                return result
            }
        }
    }

    private mutating func subscripted(_ operand: JinjaExpression) throws -> JinjaExpression {
        let token = current
        advance()
        guard token.kind == .symbol(".") else { return try item(of: operand, at: token) }
        switch current.kind {
        case .name(let name):
            advance()
            return try node(.attribute(operand, name), at: token)
        case .integer(let value):
            let place = current
            advance()
            return try node(.item(operand, try node(.integer(value), at: place)), at: token)
        default: throw fault("expected a name or a number after '.', found \(current.description)")
        }
    }

    private mutating func item(of operand: JinjaExpression, at token: JinjaToken) throws -> JinjaExpression {
        guard !isSymbol("]") else { throw fault("expected an expression, found ']'") }
        var first: JinjaExpression?
        if !isSymbol(":") { first = try expression() }
        if takeSymbol(":") {
            let result = try slice(of: operand, from: first, at: token)
            try expectSymbol("]")
            return result
        }
        var keys = [first].compactMap { $0 }
        var isTuple = false
        while takeSymbol(",") {
            isTuple = true
            if isSymbol("]") { break }
            keys.append(try expression())
        }
        try expectSymbol("]")
        return try node(.item(operand, isTuple && keys.count > 1 ? try node(.tuple(keys), at: token) : keys[0]), at: token)
    }

    private mutating func slice(
        of operand: JinjaExpression, from start: JinjaExpression?, at token: JinjaToken
    ) throws -> JinjaExpression {
        var stop: JinjaExpression?
        var step: JinjaExpression?
        if !isSymbol(":"), !isSymbol("]") { stop = try expression() }
        if takeSymbol(":"), !isSymbol("]") { step = try expression() }
        return try node(.slice(operand, start: start, stop: stop, step: step), at: token)
    }

    private mutating func called(_ operand: JinjaExpression) throws -> JinjaExpression {
        let token = current
        return try node(.call(operand, try callArguments()), at: token)
    }

    /// `(a, b, name=c, *d, **e)`.
    mutating func callArguments() throws -> JinjaCallArguments {
        try expectSymbol("(")
        var result = JinjaCallArguments()
        var isFirst = true
        while !isSymbol(")") {
            if !isFirst { try expectSymbol(",") }
            if isSymbol(")") { break }
            try argument(into: &result)
            isFirst = false
        }
        try expectSymbol(")")
        return result
    }

    private mutating func argument(into result: inout JinjaCallArguments) throws {
        if isSymbol("*"), result.spread == nil, result.keywordSpread == nil {
            advance()
            result.spread = try expression()
        } else if isSymbol("**"), result.keywordSpread == nil {
            advance()
            result.keywordSpread = try expression()
        } else if case .name(let name) = current.kind, next.kind == .symbol("="), result.keywordSpread == nil {
            index += 2
            result.keyword.append((name, try expression()))
        } else {
            guard result.spread == nil, result.keywordSpread == nil, result.keyword.isEmpty else {
                throw fault("a positional argument follows a keyword argument")
            }
            result.positional.append(try expression())
        }
    }

    private mutating func dottedName() throws -> String {
        var name = try expectName()
        while takeSymbol(".") { name += "." + (try expectName()) }
        return name
    }

    /// The filter whose name comes next; without an operand it is the filter of a block.
    mutating func filter(of operand: JinjaExpression?) throws -> JinjaExpression {
        let token = current
        let name = try dottedName()
        let arguments = isSymbol("(") ? try callArguments() : JinjaCallArguments()
        return try node(.filter(operand, name: name, arguments), at: token)
    }

    private mutating func test(of operand: JinjaExpression) throws -> JinjaExpression {
        let token = current
        advance()
        let isNegated = takeName("not")
        let name = try dottedName()
        var arguments = JinjaCallArguments()
        if isSymbol("(") {
            arguments = try callArguments()
        } else if startsTestArgument {
            guard !isName("is") else { throw fault("tests cannot be chained with 'is'; use 'and'") }
            arguments.positional = [try nested { parser in try parser.postfix(try parser.primary()) }]
        }
        let result = try node(.test(operand, name: name, arguments), at: token)
        return isNegated ? try node(.not(result), at: token) : result
    }

    private var startsTestArgument: Bool {
        switch current.kind {
        case .name(let name): !["else", "or", "and"].contains(name)
        case .string, .integer, .float, .symbol("["), .symbol("{"): true
        default: false
        }
    }
}
