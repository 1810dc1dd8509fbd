// The functions that every template finds: what jinja2 and transformers put there.

/// The names of the global functions.
enum JinjaGlobals {
    static let names: Set<String> = [
        "range", "dict", "namespace", "cycler", "joiner", "raise_exception", "strftime_now", "lipsum",
    ]
    /// jinja2's sandbox makes no longer ranges.
    static let longestRange = 100_000
}

extension JinjaInterpreter {
    /// Calls a global function.
    func callGlobal(_ name: String, _ arguments: JinjaArguments) throws -> JinjaValue {
        switch name {
        case "range": return try range(arguments)
        case "dict": return .dictionary(try dictionary(arguments))
        case "namespace":
            let namespace = JinjaNamespace()
            namespace.members = try dictionary(arguments)
            for key in namespace.members.keys {
                if let text = key.text { try JinjaInterpreter.checkNamespaceName(text.string) }
            }
            return adopt(namespace)
        case "cycler":
            guard !arguments.positional.isEmpty else { throw JinjaFault(.type("at least one item has to be provided")) }
            return adopt(JinjaCycler(items: arguments.positional))
        case "joiner":
            let bound = try arguments.bound(to: ["sep"], of: name)
            return adopt(JinjaJoiner(separator: bound[0]?.printed ?? JinjaText(", ", trusted: true)))
        case "raise_exception":
            let bound = try arguments.bound(to: ["message"], of: name)
            throw JinjaFault(.raised((bound[0] ?? .none).printed.string))
        case "strftime_now":
            let format = try arguments.bound(to: ["format"], of: name).text(0, default: .empty, "format")
            let text = StrftimeFormat.text(format.string, clock)
            try charge(text: text.utf8.count)
            return .untrusted(text)
        default: throw JinjaFault(.unsupported("'\(name)' makes random text, which has no place in a chat template"))
        }
    }

    private func dictionary(_ arguments: JinjaArguments) throws -> JinjaDictionary {
        var result = JinjaDictionary()
        guard arguments.positional.count <= 1 else {
            throw JinjaFault(.type("dict expected at most 1 argument, got \(arguments.positional.count)"))
        }
        if let source = arguments.positional.first {
            if case .dictionary(let members) = source {
                result = members
            } else {
                for pair in try items(of: source) {
                    let parts = try items(of: pair)
                    guard parts.count == 2 else { throw JinjaFault(.value("dict needs pairs of key and value")) }
                    try result.set(parts[0], parts[1])
                }
            }
        }
        for (name, value) in arguments.keyword { try result.set(.untrusted(name), value) }
        return result
    }

    private func range(_ arguments: JinjaArguments) throws -> JinjaValue {
        let numbers = try arguments.positional.map { value in
            if case .undefined(let why) = value { throw why.fault }
            guard let number = value.integer else {
                throw JinjaFault(.type("'\(value.typeName)' object cannot be interpreted as an integer"))
            }
            return number
        }
        guard (1...3).contains(numbers.count), arguments.keyword.isEmpty else {
            throw JinjaFault(.type("range expected 1 to 3 arguments, got \(numbers.count)"))
        }
        let start = numbers.count > 1 ? numbers[0] : 0
        let stop = numbers.count > 1 ? numbers[1] : numbers[0]
        let step = numbers.count > 2 ? numbers[2] : 1
        guard step != 0 else { throw JinjaFault(.value("range() arg 3 must not be zero")) }
        let span = Double(stop) - Double(start)
        guard span / Double(step) <= Double(JinjaGlobals.longestRange) else {
            throw JinjaFault(
                .value("Range too big. The sandbox blocks ranges larger than \(JinjaGlobals.longestRange)."))
        }
        let count = max(0, Int((span / Double(step)).rounded(.up)))
        let items: [JinjaValue] = (0..<count).map { .integer(start &+ $0 &* step) }
        try charge(list: items.count)
        return .view(.range, JinjaList(items))
    }
}
