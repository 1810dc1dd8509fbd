// Calls: macros, methods, global functions and recursive loops.

extension JinjaInterpreter {
    /// Evaluates a call; a call block hands its body in as `caller`.
    func call(_ expression: JinjaExpression, in scope: JinjaScope, caller: JinjaValue?) throws -> JinjaValue {
        guard case .call(let operand, let source) = expression.kind else {
            throw JinjaFault(.type("expected a call"))
        }
        let callee = try evaluate(operand, in: scope)
        var arguments = try self.arguments(source, in: scope)
        if let caller { arguments.keyword.append(("caller", caller)) }
        at(expression)
        return try call(callee, arguments)
    }

    private func call(_ callee: JinjaValue, _ arguments: JinjaArguments) throws -> JinjaValue {
        switch callee {
        case .undefined(let why): throw why.fault
        case .function(let name): return try callGlobal(name, arguments)
        case .method(let method): return try callMethod(method.name, of: method.receiver, arguments)
        case .object(let macro as JinjaMacro): return try callMacro(macro, arguments)
        case .object(let loop as JinjaLoop): return try callLoop(loop, arguments)
        case .object(let joiner as JinjaJoiner):
            defer { joiner.isUsed = true }
            return .string(joiner.isUsed ? joiner.separator : .empty)
        default: throw JinjaFault(.type("'\(callee.typeName)' object is not callable"))
        }
    }

    private func callLoop(_ loop: JinjaLoop, _ arguments: JinjaArguments) throws -> JinjaValue {
        guard loop.definition.isRecursive, let scope = loop.scope else {
            throw JinjaFault(.type("the loop must have the 'recursive' marker to be called recursively"))
        }
        guard let iterable = try arguments.bound(to: ["iterable"], of: "loop")[0] else {
            throw JinjaFault(.type("loop() needs something to iterate over"))
        }
        let text = try captured {
            try runLoop(loop.definition, over: iterable, depth: loop.depth + 1, in: scope)
        }
        return .string(text)
    }

    private func callMacro(_ macro: JinjaMacro, _ arguments: JinjaArguments) throws -> JinjaValue {
        let scope = JinjaScope(parent: macro.scope)
        try bind(arguments, of: macro, in: scope)
        return .string(try captured { _ = try execute(macro.definition.body, in: scope) })
    }

    private func bind(_ arguments: JinjaArguments, of macro: JinjaMacro, in scope: JinjaScope) throws {
        let definition = macro.definition
        var keywords = arguments.keyword
        let name = definition.name ?? "caller"
        var missing: [JinjaParameter] = []
        for (place, parameter) in definition.parameters.enumerated() {
            if place < arguments.positional.count {
                scope.variables[parameter.name] = arguments.positional[place]
            } else if let given = keywords.firstIndex(where: { $0.name == parameter.name }) {
                scope.variables[parameter.name] = keywords.remove(at: given).value
            } else {
                missing.append(parameter)
            }
        }
        for parameter in missing { scope.variables[parameter.name] = try fallback(of: parameter, in: scope) }
        try bindSpecials(definition, arguments, &keywords, name: name, in: scope)
    }

    private func fallback(of parameter: JinjaParameter, in scope: JinjaScope) throws -> JinjaValue {
        if let expression = parameter.fallback { return try evaluate(expression, in: scope) }
        return .undefined(JinjaUndefined(message: "parameter '\(parameter.name)' was not provided"))
    }

    private func bindSpecials(
        _ definition: JinjaMacroDefinition, _ arguments: JinjaArguments,
        _ keywords: inout [(name: String, value: JinjaValue)], name: String, in scope: JinjaScope
    ) throws {
        if definition.usesCaller {
            let place = keywords.firstIndex { $0.name == "caller" }
            scope.variables["caller"] =
                place.map { keywords.remove(at: $0).value } ?? .undefined(JinjaUndefined(message: "No caller defined"))
        }
        if definition.usesKeywords {
            var members = JinjaDictionary()
            for (key, value) in keywords { try members.set(.untrusted(key), value) }
            scope.variables["kwargs"] = .dictionary(members)
        } else if let extra = keywords.first {
            throw JinjaFault(.type("macro '\(name)' takes no keyword argument '\(extra.name)'"))
        }
        let surplus = arguments.positional.dropFirst(definition.parameters.count)
        if definition.usesVarargs {
            scope.variables["varargs"] = .tuple(Array(surplus))
        } else if !surplus.isEmpty {
            throw JinjaFault(.type("macro '\(name)' takes not more than \(definition.parameters.count) argument(s)"))
        }
    }
}
