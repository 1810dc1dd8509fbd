// Filters that apply other filters and tests to every element: map, select, reject and their kin.

extension JinjaFilters {
    static let selections: [String: Filter] = [
        "map": { interpreter, value, arguments in try interpreter.mapped(value, arguments) },
        "select": { interpreter, value, arguments in
            try interpreter.selected(value, arguments, attribute: false, keeps: true)
        },
        "reject": { interpreter, value, arguments in
            try interpreter.selected(value, arguments, attribute: false, keeps: false)
        },
        "selectattr": { interpreter, value, arguments in
            try interpreter.selected(value, arguments, attribute: true, keeps: true)
        },
        "rejectattr": { interpreter, value, arguments in
            try interpreter.selected(value, arguments, attribute: true, keeps: false)
        },
    ]
}

extension JinjaInterpreter {
    func mapped(_ value: JinjaValue, _ arguments: JinjaArguments) throws -> JinjaValue {
        let items = value.isTrue ? try self.items(of: value) : []
        if arguments.positional.isEmpty, let place = arguments.keyword.firstIndex(where: { $0.name == "attribute" }) {
            let rest = JinjaArguments(
                keyword: arguments.keyword.enumerated().filter { $0.offset != place }.map(\.element))
            let fallback = try rest.bound(to: ["default"], of: "map")[0]
            let key = arguments.keyword[place].value
            return .generator(
                try items.map { item in
                    try step()
                    return try path(key, of: item, default: fallback.flatMap { $0.isNone ? nil : $0 })
                })
        }
        guard let name = arguments.positional.first?.text?.string else {
            throw JinjaFault(.type("map requires a filter argument"))
        }
        let rest = arguments.dropping(1)
        return .generator(
            try items.map { item in
                try step()
                return try filter(name, item, rest)
            })
    }

    func selected(
        _ value: JinjaValue, _ arguments: JinjaArguments, attribute: Bool, keeps: Bool
    ) throws -> JinjaValue {
        let items = value.isTrue ? try self.items(of: value) : []
        var rest = arguments
        var key: JinjaValue?
        if attribute {
            guard let first = rest.positional.first else {
                throw JinjaFault(.type("Missing parameter for attribute name"))
            }
            key = first
            rest = rest.dropping(1)
        }
        var name: String?
        if let first = rest.positional.first {
            name = first.printed.string
            rest = rest.dropping(1)
        }
        let kept = try items.filter { item in
            try step()
            let subject = try key.map { try path($0, of: item) } ?? item
            return try (name.map { try test($0, subject, rest) } ?? subject.isTrue) == keeps
        }
        return .generator(kept)
    }
}
