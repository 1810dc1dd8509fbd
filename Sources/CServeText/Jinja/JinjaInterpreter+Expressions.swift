// Expressions: small functions, because their frames stack up with the template's nesting.

extension JinjaInterpreter {
    /// The value of an expression; `blockText` is what a filter without an operand is applied to.
    func evaluate(
        _ expression: JinjaExpression, in scope: JinjaScope, blockText: JinjaText? = nil
    ) throws -> JinjaValue {
        try step()
        at(expression)
        switch expression.kind {
        case .none: return .none
        case .bool(let flag): return .bool(flag)
        case .integer(let value): return .integer(value)
        case .float(let value): return .float(value)
        case .string(let text): return .string(text)
        case .name(let name): return lookUp(name, in: scope)
        default: return try checked(try descend { try compound(expression, in: scope, blockText) })
        }
    }

    private func lookUp(_ name: String, in scope: JinjaScope) -> JinjaValue {
        if let value = scope.lookUp(name) { return value }
        if JinjaGlobals.names.contains(name) { return .function(name) }
        return .undefined(JinjaUndefined(message: "'\(name)' is undefined"))
    }

    private func compound(
        _ expression: JinjaExpression, in scope: JinjaScope, _ blockText: JinjaText?
    ) throws -> JinjaValue {
        switch expression.kind {
        case .attribute(let operand, let name): return try attribute(operand, name, at: expression, in: scope)
        case .item(let operand, let key): return try item(operand, key, at: expression, in: scope)
        case .slice: return try slice(expression, in: scope)
        case .call: return try call(expression, in: scope, caller: nil)
        case .filter: return try filter(expression, in: scope, blockText)
        case .test: return try test(expression, in: scope)
        default: return try operation(expression, in: scope)
        }
    }

    private func operation(_ expression: JinjaExpression, in scope: JinjaScope) throws -> JinjaValue {
        switch expression.kind {
        case .not(let operand): return .bool(try !evaluate(operand, in: scope).isTrue)
        case .and(let left, let right):
            let value = try evaluate(left, in: scope)
            return value.isTrue ? try evaluate(right, in: scope) : value
        case .or(let left, let right):
            let value = try evaluate(left, in: scope)
            return value.isTrue ? value : try evaluate(right, in: scope)
        case .conditional(let condition, let then, let otherwise):
            return try conditional(condition, then, otherwise, in: scope)
        case .binary(let sign, let left, let right): return try binary(sign, left, right, at: expression, in: scope)
        case .comparison(let first, let rest): return try comparison(first, rest, at: expression, in: scope)
        case .concatenation(let parts): return try concatenation(parts, in: scope)
        case .negative(let operand): return try signed(try evaluate(operand, in: scope), negative: true)
        case .positive(let operand): return try signed(try evaluate(operand, in: scope), negative: false)
        default: return try collection(expression, in: scope)
        }
    }

    private func collection(_ expression: JinjaExpression, in scope: JinjaScope) throws -> JinjaValue {
        switch expression.kind {
        case .list(let items): return .list(try items.map { try evaluate($0, in: scope) })
        case .tuple(let items): return .tuple(try items.map { try evaluate($0, in: scope) })
        case .dictionary(let members):
            var result = JinjaDictionary()
            for member in members {
                try result.set(try evaluate(member.key, in: scope), try evaluate(member.value, in: scope))
            }
            return .dictionary(result)
        default: throw JinjaFault(.unsupported("this expression cannot be evaluated"))
        }
    }

    private func conditional(
        _ condition: JinjaExpression, _ then: JinjaExpression, _ otherwise: JinjaExpression?, in scope: JinjaScope
    ) throws -> JinjaValue {
        if try evaluate(condition, in: scope).isTrue { return try evaluate(then, in: scope) }
        if let otherwise { return try evaluate(otherwise, in: scope) }
        return .undefined(
            JinjaUndefined(message: "the inline if-expression evaluated to false and no else section was defined"))
    }

    private func binary(
        _ sign: JinjaExpression.BinaryOperator, _ left: JinjaExpression, _ right: JinjaExpression,
        at expression: JinjaExpression, in scope: JinjaScope
    ) throws -> JinjaValue {
        let first = try evaluate(left, in: scope)
        let second = try evaluate(right, in: scope)
        at(expression)
        return try binary(sign, first, second)
    }

    private func comparison(
        _ first: JinjaExpression, _ rest: [(comparator: JinjaExpression.Comparator, operand: JinjaExpression)],
        at expression: JinjaExpression, in scope: JinjaScope
    ) throws -> JinjaValue {
        var left = try evaluate(first, in: scope)
        for (comparator, operand) in rest {
            let right = try evaluate(operand, in: scope)
            at(expression)
            guard try JinjaValue.compare(comparator, left, right) else { return .bool(false) }
            left = right
        }
        return .bool(true)
    }

    private func concatenation(_ parts: [JinjaExpression], in scope: JinjaScope) throws -> JinjaValue {
        var result = JinjaText.empty
        for part in parts {
            result.append(try evaluate(part, in: scope).printed)
            try charge(text: result.count)
        }
        return .string(result)
    }

    private func attribute(
        _ operand: JinjaExpression, _ name: String, at expression: JinjaExpression, in scope: JinjaScope
    ) throws -> JinjaValue {
        let value = try evaluate(operand, in: scope)
        at(expression)
        return try attribute(name, of: value)
    }

    private func item(
        _ operand: JinjaExpression, _ key: JinjaExpression, at expression: JinjaExpression, in scope: JinjaScope
    ) throws -> JinjaValue {
        let value = try evaluate(operand, in: scope)
        let place = try evaluate(key, in: scope)
        at(expression)
        return try item(place, of: value)
    }

    private func test(_ expression: JinjaExpression, in scope: JinjaScope) throws -> JinjaValue {
        guard case .test(let operand, let name, let arguments) = expression.kind else { return .none }
        let value = try evaluate(operand, in: scope)
        let bound = try self.arguments(arguments, in: scope)
        at(expression)
        return .bool(try test(name, value, bound))
    }

    private func filter(
        _ expression: JinjaExpression, in scope: JinjaScope, _ blockText: JinjaText?
    ) throws -> JinjaValue {
        guard case .filter(let operand, let name, let arguments) = expression.kind else { return .none }
        let value: JinjaValue =
            try operand.map { try evaluate($0, in: scope, blockText: blockText) }
            ?? .string(blockText ?? .empty)
        let bound = try self.arguments(arguments, in: scope)
        at(expression)
        return try filter(name, value, bound)
    }
}
