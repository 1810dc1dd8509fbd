// `value.name` and `value[key]` with the sandbox's rules: what is private or would change a value is out of reach.

extension JinjaInterpreter {
    /// `value.name`: an attribute of the Python type first, then a member.
    func attribute(_ name: String, of value: JinjaValue) throws -> JinjaValue {
        if case .undefined(let why) = value { throw why.fault }
        if let found = try typeAttribute(name, of: value) { return found }
        if case .dictionary(let members) = value, let member = members[name] { return member }
        return missing(.trusted(name), of: value)
    }

    /// `value[key]`: a member or an element first, then an attribute.
    func item(_ key: JinjaValue, of value: JinjaValue) throws -> JinjaValue {
        if case .undefined(let why) = value { throw why.fault }
        switch value {
        case .dictionary(let members):
            if let member = try? members.value(of: key) { return member }
        case .list(let list), .tuple(let list), .view(.range, let list):
            if let index = key.integer, let item = JinjaInterpreter.element(index, of: list.items.count) {
                return list.items[item]
            }
        case .string(let text):
            if let index = key.integer, let item = JinjaInterpreter.element(index, of: text.count) {
                return .string(text.character(at: item))
            }
        default: break
        }
        if let name = key.text, let found = try typeAttribute(name.string, of: value) { return found }
        return missing(key, of: value)
    }

    private static func element(_ index: Int, of count: Int) -> Int? {
        let place = index < 0 ? index + count : index
        return (0..<count).contains(place) ? place : nil
    }

    private func missing(_ key: JinjaValue, of value: JinjaValue) -> JinjaValue {
        let kind = value.isNone ? "None" : "\(value.typeName) object"
        let message =
            key.text.map { "'\(kind)' has no attribute '\($0.string)'" }
            ?? "\(kind) has no element \(key.representation.string)"
        return .undefined(JinjaUndefined(message: message))
    }

    /// The attribute that the value's type has, or nil.
    private func typeAttribute(_ name: String, of value: JinjaValue) throws -> JinjaValue? {
        if name.hasPrefix("__") { return forbidden(name, of: value) }
        switch value {
        case .object(let object): return try objectAttribute(name, of: object, value)
        case .integer, .bool:
            if name == "real" || name == "numerator" { return value }
        default: break
        }
        if JinjaMethods.changing(value).contains(name) { return forbidden(name, of: value) }
        guard JinjaMethods.names(value).contains(name) else { return nil }
        return .method(JinjaMethod(receiver: value, name: name))
    }

    private func objectAttribute(_ name: String, of object: JinjaObject, _ value: JinjaValue) throws -> JinjaValue? {
        switch object {
        case let loop as JinjaLoop: return loop.attribute(name)
        case let namespace as JinjaNamespace: return namespace.members[name]
        case let macro as JinjaMacro:
            switch name {
            case "name": return macro.definition.name.map { .trusted($0) } ?? .some(.none)
            case "arguments": return .tuple(macro.definition.parameters.map { .trusted($0.name) })
            case "caller": return .bool(macro.definition.usesCaller)
            case "catch_kwargs": return .bool(macro.definition.usesKeywords)
            case "catch_varargs": return .bool(macro.definition.usesVarargs)
            default: return nil
            }
        case let cycler as JinjaCycler:
            if name == "current" { return cycler.current }
            return name == "next" || name == "reset" ? .method(JinjaMethod(receiver: value, name: name)) : nil
        default: return nil
        }
    }

    private func forbidden(_ name: String, of value: JinjaValue) -> JinjaValue {
        .undefined(
            JinjaUndefined(
                message: "access to attribute '\(name)' of '\(value.typeName)' object is unsafe.", isForbidden: true))
    }

    /// `value[start:stop:step]`.
    func slice(_ expression: JinjaExpression, in scope: JinjaScope) throws -> JinjaValue {
        guard case .slice(let operand, let start, let stop, let step) = expression.kind else { return .none }
        let value = try evaluate(operand, in: scope)
        let bounds = try [start, stop, step].map { try $0.map { try bound($0, in: scope) } ?? nil }
        at(expression)
        return try slice(value, bounds[0], bounds[1], bounds[2])
    }

    private func bound(_ expression: JinjaExpression, in scope: JinjaScope) throws -> Int? {
        let value = try evaluate(expression, in: scope)
        if value.isNone { return nil }
        guard let number = value.integer else {
            if case .undefined(let why) = value { throw why.fault }
            throw JinjaFault(.type("slice indices must be integers or None, not \(value.typeName)"))
        }
        return number
    }

    private func slice(_ value: JinjaValue, _ start: Int?, _ stop: Int?, _ step: Int?) throws -> JinjaValue {
        let step = step ?? 1
        guard step != 0 else { throw JinjaFault(.value("slice step cannot be zero")) }
        switch value {
        case .undefined(let why): throw why.fault
        case .string(let text):
            if step == 1 {
                let range = JinjaInterpreter.range(start, stop, count: text.count)
                try charge(text: range.count)
                return .string(text[range])
            }
            var result = JinjaText.empty
            for place in JinjaInterpreter.places(start, stop, step, count: text.count) {
                result.append(text.scalars[place], trusted: text.isTrusted(at: place))
            }
            try charge(text: result.count)
            return .string(result)
        case .list(let list): return .list(try elements(list.items, start, stop, step))
        case .tuple(let list): return .tuple(try elements(list.items, start, stop, step))
        case .view(.range, let list): return .view(.range, JinjaList(try elements(list.items, start, stop, step)))
        default: throw JinjaFault(.type("'\(value.typeName)' object cannot be sliced"))
        }
    }

    private func elements(_ items: [JinjaValue], _ start: Int?, _ stop: Int?, _ step: Int) throws -> [JinjaValue] {
        let places = JinjaInterpreter.places(start, stop, step, count: items.count)
        try charge(list: places.count)
        return places.map { items[$0] }
    }

    private static func range(_ start: Int?, _ stop: Int?, count: Int) -> Range<Int> {
        let low = clamp(start ?? 0, count, low: 0, high: count)
        return low..<max(low, clamp(stop ?? count, count, low: 0, high: count))
    }

    private static func clamp(_ index: Int, _ count: Int, low: Int, high: Int) -> Int {
        min(max(index < 0 ? index + count : index, low), high)
    }

    /// The places that Python's slice visits.
    private static func places(_ start: Int?, _ stop: Int?, _ step: Int, count: Int) -> [Int] {
        if step > 0 {
            let range = range(start, stop, count: count)
            return Array(stride(from: range.lowerBound, to: range.upperBound, by: min(step, count + 1)))
        }
        let first = start.map { clamp($0, count, low: -1, high: count - 1) } ?? count - 1
        let last = stop.map { clamp($0, count, low: -1, high: count - 1) } ?? -1
        return Array(stride(from: first, to: last, by: max(step, -(count + 1))))
    }
}
