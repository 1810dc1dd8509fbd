// Equality, order and containment of values, as Python has them.

extension JinjaValue {
    /// `left == right`; who wrote a text makes no difference.
    static func equal(_ left: JinjaValue, _ right: JinjaValue) -> Bool {
        switch (left, right) {
        case (.string(let a), .string(let b)): return a == b
        case (.none, .none), (.undefined, .undefined): return true
        case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)): return equal(a.items, b.items)
        case (.view(let kind, let a), .view(let other, let b)): return kind == other && equal(a.items, b.items)
        case (.dictionary(let a), .dictionary(let b)): return equal(a, b)
        case (.object(let a), .object(let b)): return a === b
        case (.function(let a), .function(let b)): return a == b
        case (.method(let a), .method(let b)): return a.name == b.name && equal(a.receiver, b.receiver)
        case (.bigInteger(let a), .bigInteger(let b)): return a == b
        case (.bigInteger, .integer), (.integer, .bigInteger): return false
        default: break
        }
        if let a = left.integer, let b = right.integer { return a == b }
        guard let a = left.number, let b = right.number else { return false }
        return a == b
    }

    private static func equal(_ left: [JinjaValue], _ right: [JinjaValue]) -> Bool {
        left.count == right.count && zip(left, right).allSatisfy { equal($0, $1) }
    }

    private static func equal(_ left: JinjaDictionary, _ right: JinjaDictionary) -> Bool {
        guard left.count == right.count else { return false }
        return left.members.allSatisfy { member in
            guard let other = try? right.value(of: member.key) else { return false }
            return equal(member.value, other)
        }
    }

    /// `left < right`.
    ///
    /// - Throws: a type error for values that have no order.
    static func less(_ left: JinjaValue, _ right: JinjaValue, symbol: String = "<") throws -> Bool {
        switch (left, right) {
        case (.undefined(let why), _), (_, .undefined(let why)): throw why.fault
        case (.string(let a), .string(let b)): return a.scalars.lexicographicallyPrecedes(b.scalars)
        case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
            for (one, other) in zip(a.items, b.items) where !equal(one, other) {
                return try less(one, other, symbol: symbol)
            }
            return a.items.count < b.items.count
        default: break
        }
        if let a = left.integer, let b = right.integer { return a < b }
        guard let a = left.number, let b = right.number else {
            throw JinjaFault(
                .type("'\(symbol)' not supported between instances of '\(left.typeName)' and '\(right.typeName)'"))
        }
        return a < b
    }

    /// `needle in self`.
    func contains(_ needle: JinjaValue) throws -> Bool {
        switch self {
        case .string(let text):
            guard let part = needle.text else {
                if case .undefined(let why) = needle { throw why.fault }
                throw JinjaFault(
                    .type("'in <string>' requires string as left operand, not \(needle.typeName)"))
            }
            return text.firstIndex(of: part.scalars) != nil
        case .dictionary(let dictionary): return try dictionary.value(of: needle) != nil
        case .list(let list), .tuple(let list), .view(_, let list):
            return list.items.contains { JinjaValue.equal($0, needle) }
        case .undefined: return false
        default: throw JinjaFault(.type("argument of type '\(typeName)' is not iterable"))
        }
    }

    /// Applies a comparator.
    static func compare(
        _ comparator: JinjaExpression.Comparator, _ left: JinjaValue, _ right: JinjaValue
    ) throws -> Bool {
        switch comparator {
        case .equal: return equal(left, right)
        case .notEqual: return !equal(left, right)
        case .less: return try less(left, right)
        case .greater: return try less(right, left, symbol: ">")
        case .lessOrEqual:
            let isLess = try less(left, right, symbol: "<=")
            return isLess || equal(left, right)
        case .greaterOrEqual:
            let isGreater = try less(right, left, symbol: ">=")
            return isGreater || equal(left, right)
        case .contained: return try right.contains(left)
        case .notContained: return try !right.contains(left)
        }
    }
}
