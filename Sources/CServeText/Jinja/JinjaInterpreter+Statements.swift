// Statements: what they write and what they bind.

extension JinjaInterpreter {
    /// Executes statements in a scope.
    func execute(_ statements: [JinjaStatement], in scope: JinjaScope) throws -> Flow {
        for statement in statements {
            let flow = try descend { try execute(statement, in: scope) }
            if flow != .normal { return flow }
        }
        return .normal
    }

    private func execute(_ statement: JinjaStatement, in scope: JinjaScope) throws -> Flow {
        try step()
        line = statement.line
        column = statement.column
        switch statement.kind {
        case .text(let text): try write(text)
        case .print(let expression): try print(expression, in: scope)
        case .conditional(let branches, let otherwise): return try choose(branches, otherwise, in: scope)
        case .loop(let definition): try startLoop(definition, in: scope)
        case .breakLoop: return .breakLoop
        case .continueLoop: return .continueLoop
        case .scoped(let body): _ = try execute(body, in: JinjaScope(parent: scope))
        case .evaluate(let expression): _ = try evaluate(expression, in: scope)
        default: try bind(statement.kind, in: scope)
        }
        return .normal
    }

    private func print(_ expression: JinjaExpression, in scope: JinjaScope) throws {
        try write(try evaluate(expression, in: scope).printed)
    }

    private func choose(
        _ branches: [(condition: JinjaExpression, body: [JinjaStatement])], _ otherwise: [JinjaStatement],
        in scope: JinjaScope
    ) throws -> Flow {
        for branch in branches where try evaluate(branch.condition, in: scope).isTrue {
            return try execute(branch.body, in: scope)
        }
        return try execute(otherwise, in: scope)
    }

    private func bind(_ kind: JinjaStatement.Kind, in scope: JinjaScope) throws {
        switch kind {
        case .set(let targets, let expression):
            let value = try evaluate(expression, in: scope)
            for target in targets { try assign(value, to: target, in: scope) }
        case .setBlock(let target, let filter, let body): try setBlock(target, filter, body, in: scope)
        case .macro(let definition):
            scope.variables[definition.name ?? ""] = adopt(JinjaMacro(definition: definition, scope: scope))
        case .callBlock(let definition, let call):
            let caller = adopt(JinjaMacro(definition: definition, scope: scope))
            try write(try self.call(call, in: scope, caller: caller).printed)
        case .filterBlock(let filter, let body):
            let text = try captured { _ = try execute(body, in: JinjaScope(parent: scope)) }
            try write(try evaluate(filter, in: scope, blockText: text).printed)
        case .with(let bindings, let body):
            let inner = JinjaScope(parent: scope)
            for binding in bindings {
                try assign(try evaluate(binding.value, in: scope), to: binding.target, in: inner)
            }
            _ = try execute(body, in: inner)
        default: break
        }
    }

    private func setBlock(
        _ target: JinjaTarget, _ filter: JinjaExpression?, _ body: [JinjaStatement], in scope: JinjaScope
    ) throws {
        let text = try captured { _ = try execute(body, in: JinjaScope(parent: scope)) }
        let value: JinjaValue = try filter.map { try evaluate($0, in: scope, blockText: text) } ?? .string(text)
        try assign(value, to: target, in: scope)
    }

    /// Binds a value to names.
    func assign(_ value: JinjaValue, to target: JinjaTarget, in scope: JinjaScope) throws {
        switch target {
        case .name(let name): scope.variables[name] = value
        case .attribute(let name, let attribute):
            guard case .object(let object)? = scope.lookUp(name), let namespace = object as? JinjaNamespace else {
                throw JinjaFault(.type("cannot assign attribute on non-namespace object '\(name)'"))
            }
            try JinjaInterpreter.checkNamespaceName(attribute)
            try namespace.members.set(.trusted(attribute), value)
        case .tuple(let targets):
            let items = try self.items(of: value)
            guard items.count == targets.count else {
                let problem = items.count < targets.count ? "not enough" : "too many"
                throw JinjaFault(
                    .value("\(problem) values to unpack (expected \(targets.count), got \(items.count))"))
            }
            for (inner, item) in zip(targets, items) { try assign(item, to: inner, in: scope) }
        }
    }

    static func checkNamespaceName(_ name: String) throws {
        guard !name.hasPrefix("_") else {
            throw JinjaFault(.security("a namespace cannot store '\(name)': names may not begin with an underscore"))
        }
    }

    // MARK: Loops

    private func startLoop(_ definition: JinjaLoopDefinition, in scope: JinjaScope) throws {
        let iterable = try evaluate(definition.iterable, in: scope)
        try runLoop(definition, over: iterable, depth: 0, in: scope)
    }

    /// Runs a loop's body for every element; also what `loop(...)` of a recursive loop calls.
    func runLoop(
        _ definition: JinjaLoopDefinition, over iterable: JinjaValue, depth: Int, in scope: JinjaScope
    ) throws {
        var items = try self.items(of: iterable)
        if let condition = definition.condition { items = try filtered(items, by: condition, definition, in: scope) }
        if items.isEmpty {
            _ = try execute(definition.otherwise, in: JinjaScope(parent: scope))
            return
        }
        let loop = JinjaLoop(definition: definition, items: items, depth: depth, scope: scope)
        let value = adopt(loop)
        for (index, item) in items.enumerated() {
            try step()
            loop.index = index
            let inner = JinjaScope(parent: scope, variables: ["loop": value])
            try assign(item, to: definition.target, in: inner)
            if try execute(definition.body, in: inner) == .breakLoop { return }
        }
    }

    private func filtered(
        _ items: [JinjaValue], by condition: JinjaExpression, _ definition: JinjaLoopDefinition, in scope: JinjaScope
    ) throws -> [JinjaValue] {
        let outside = JinjaUndefined(message: "'loop' is undefined: the filter of a loop runs before the loop")
        return try items.filter { item in
            try step()
            let inner = JinjaScope(parent: scope, variables: ["loop": .undefined(outside)])
            try assign(item, to: definition.target, in: inner)
            return try evaluate(condition, in: inner).isTrue
        }
    }

    /// The elements that a `for` sees.
    func items(of value: JinjaValue) throws -> [JinjaValue] {
        switch value {
        case .list(let list), .tuple(let list), .view(_, let list): return list.items
        case .dictionary(let dictionary): return dictionary.keys
        case .undefined(let why):
            if why.isForbidden { throw why.fault }
            return []
        case .string(let text):
            try charge(list: text.count)
            return (0..<text.count).map { .string(text.character(at: $0)) }
        case .object(let object as JinjaLoop): return Array(object.items.dropFirst(object.index + 1))
        default: throw JinjaFault(.type("'\(value.typeName)' object is not iterable"))
        }
    }
}
