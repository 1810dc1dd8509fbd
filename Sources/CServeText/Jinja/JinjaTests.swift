// What `is` can ask of a value.

extension JinjaInterpreter {
    /// Applies a test.
    func test(_ name: String, _ value: JinjaValue, _ arguments: JinjaArguments) throws -> Bool {
        if let comparator = JinjaInterpreter.comparators[name] {
            guard let other = try arguments.bound(to: ["other"], of: name)[0] else {
                throw JinjaFault(.type("the test '\(name)' needs something to compare with"))
            }
            return try JinjaValue.compare(comparator, value, other)
        }
        if let kind = try kindTest(name, value) {
            _ = try arguments.bound(to: [], of: name)
            return kind
        }
        switch name {
        case "divisibleby":
            let divisor = try arguments.bound(to: ["num"], of: name).integer(0, default: 0, "num")
            return JinjaValue.equal(try binary(.modulo, value, .integer(divisor)), .integer(0))
        case "sameas": return isSame(value, try arguments.bound(to: ["other"], of: name)[0] ?? .none)
        case "filter": return JinjaFilters.table[value.printed.string] != nil
        case "test": return JinjaInterpreter.isTest(value.printed.string)
        default: throw JinjaFault(.unknownTest(name))
        }
    }

    private static let comparators: [String: JinjaExpression.Comparator] = [
        "eq": .equal, "==": .equal, "equalto": .equal, "ne": .notEqual, "!=": .notEqual, "lt": .less, "<": .less,
        "lessthan": .less, "le": .lessOrEqual, "<=": .lessOrEqual, "gt": .greater, ">": .greater,
        "greaterthan": .greater, "ge": .greaterOrEqual, ">=": .greaterOrEqual, "in": .contained,
    ]

    private static func isTest(_ name: String) -> Bool {
        let others: Set<String> = [
            "divisibleby", "sameas", "filter", "test", "defined", "undefined", "none", "string", "mapping", "iterable",
            "sequence", "number", "integer", "float", "boolean", "true", "false", "odd", "even", "lower", "upper",
            "callable", "escaped",
        ]
        return comparators[name] != nil || others.contains(name)
    }

    /// The tests that take no argument; nil for other names.
    private func kindTest(_ name: String, _ value: JinjaValue) throws -> Bool? {
        switch name {
        case "defined": return !value.isUndefined
        case "undefined": return value.isUndefined
        case "none": return value.isNone
        case "string": return value.text != nil
        case "mapping": if case .dictionary = value { return true } else { return false }
        case "boolean": if case .bool = value { return true } else { return false }
        case "true": if case .bool(true) = value { return true } else { return false }
        case "false": if case .bool(false) = value { return true } else { return false }
        case "float": if case .float = value { return true } else { return false }
        case "integer": return isInteger(value)
        case "number": return value.number != nil
        case "sequence": return isSequence(value)
        case "iterable": return isIterable(value)
        case "callable": return isCallable(value)
        case "escaped": return false
        case "odd": return JinjaValue.equal(try binary(.modulo, value, .integer(2)), .integer(1))
        case "even": return JinjaValue.equal(try binary(.modulo, value, .integer(2)), .integer(0))
        case "lower": return value.printed.isLower
        case "upper": return value.printed.isUpper
        default: return nil
        }
    }

    private func isInteger(_ value: JinjaValue) -> Bool {
        switch value {
        case .integer, .bigInteger: true
        default: false
        }
    }

    /// What has a length and items.
    private func isSequence(_ value: JinjaValue) -> Bool {
        switch value {
        case .string, .list, .tuple, .dictionary, .view(.range, _): true
        case .undefined(let why): !why.isForbidden
        default: false
        }
    }

    private func isIterable(_ value: JinjaValue) -> Bool {
        switch value {
        case .string, .list, .tuple, .dictionary, .view, .undefined: true
        case .object(let object): object is JinjaLoop
        default: false
        }
    }

    private func isCallable(_ value: JinjaValue) -> Bool {
        switch value {
        case .function, .method, .undefined: true
        case .object(let object): object is JinjaMacro || object is JinjaLoop || object is JinjaJoiner
        default: false
        }
    }

    /// Identity, as far as values without addresses have one.
    private func isSame(_ left: JinjaValue, _ right: JinjaValue) -> Bool {
        switch (left, right) {
        case (.none, .none), (.bool, .bool), (.integer, .integer), (.string, .string), (.object, .object):
            JinjaValue.equal(left, right)
        default: false
        }
    }
}
