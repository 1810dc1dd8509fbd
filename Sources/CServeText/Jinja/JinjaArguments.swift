// Evaluated arguments of a call, bound to parameter names as Python binds them.

/// Positional and keyword arguments.
struct JinjaArguments {
    var positional: [JinjaValue] = []
    var keyword: [(name: String, value: JinjaValue)] = []

    /// The values of named parameters in order; nil where an argument is missing.
    ///
    /// - Throws: a type error for an unknown name, a duplicate, or too many arguments.
    func bound(to parameters: [String], of function: String) throws -> [JinjaValue?] {
        guard positional.count <= parameters.count else {
            throw JinjaFault(
                .type("\(function)() takes at most \(parameters.count) arguments but \(positional.count) were given"))
        }
        var result: [JinjaValue?] = positional + Array(repeating: nil, count: parameters.count - positional.count)
        for (name, value) in keyword {
            guard let place = parameters.firstIndex(of: name) else {
                throw JinjaFault(.type("\(function)() got an unexpected keyword argument '\(name)'"))
            }
            guard result[place] == nil else {
                throw JinjaFault(.type("\(function)() got multiple values for argument '\(name)'"))
            }
            result[place] = value
        }
        return result
    }

    /// The same without the first positional arguments.
    func dropping(_ count: Int) -> JinjaArguments {
        JinjaArguments(positional: Array(positional.dropFirst(count)), keyword: keyword)
    }
}

extension JinjaInterpreter {
    /// Evaluates the arguments of a call.
    func arguments(_ source: JinjaCallArguments, in scope: JinjaScope) throws -> JinjaArguments {
        var result = JinjaArguments()
        for expression in source.positional { result.positional.append(try evaluate(expression, in: scope)) }
        for (name, expression) in source.keyword { result.keyword.append((name, try evaluate(expression, in: scope))) }
        if let spread = source.spread {
            result.positional.append(contentsOf: try items(of: try evaluate(spread, in: scope)))
        }
        if let spread = source.keywordSpread {
            guard case .dictionary(let members) = try evaluate(spread, in: scope) else {
                throw JinjaFault(.type("the argument after ** must be a mapping"))
            }
            for (key, value) in members.members {
                guard let name = key.text else { throw JinjaFault(.type("keywords must be strings")) }
                result.keyword.append((name.string, value))
            }
        }
        return result
    }
}

extension [JinjaValue?] {
    /// The argument at a place unless it is missing.
    func present(_ place: Int) -> JinjaValue? { self[place] }

    /// A whole number, or a default if it is missing.
    func integer(_ place: Int, default fallback: Int, _ name: String) throws -> Int {
        guard let value = self[place] else { return fallback }
        if case .undefined(let why) = value { throw why.fault }
        guard let number = value.integer else {
            throw JinjaFault(.type("'\(name)' must be an integer, not \(value.typeName)"))
        }
        return number
    }

    /// A text, or a default if it is missing.
    func text(_ place: Int, default fallback: JinjaText, _ name: String) throws -> JinjaText {
        guard let value = self[place] else { return fallback }
        if case .undefined(let why) = value { throw why.fault }
        guard let text = value.text else {
            throw JinjaFault(.type("'\(name)' must be a string, not \(value.typeName)"))
        }
        return text
    }

    /// A truth, or a default if it is missing.
    func flag(_ place: Int, default fallback: Bool) -> Bool { self[place]?.isTrue ?? fallback }
}
