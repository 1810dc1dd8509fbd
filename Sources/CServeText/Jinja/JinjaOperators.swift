// Arithmetic and concatenation with Python's rules: floor division, signed remainders, text times number.

import Foundation

extension JinjaInterpreter {
    /// Applies a binary operator.
    func binary(
        _ sign: JinjaExpression.BinaryOperator, _ left: JinjaValue, _ right: JinjaValue
    ) throws -> JinjaValue {
        if case .undefined(let why) = left { throw why.fault }
        if sign == .modulo, case .string(let format) = left { return .string(try percentFormat(format, right)) }
        if case .undefined(let why) = right { throw why.fault }
        if let result = try sequence(sign, left, right) { return result }
        if let a = left.integer, let b = right.integer { return try JinjaInterpreter.whole(sign, a, b) }
        if case .bigInteger = left { throw JinjaInterpreter.tooBig }
        if case .bigInteger = right { throw JinjaInterpreter.tooBig }
        guard let a = left.number, let b = right.number else {
            throw JinjaFault(
                .type(
                    "unsupported operand type(s) for \(sign.rawValue): '\(left.typeName)' and '\(right.typeName)'"))
        }
        return .float(try JinjaInterpreter.real(sign, a, b))
    }

    static let tooBig = JinjaFault(.arithmetic("a whole number does not fit 64 bits"))

    /// Addition and repetition of texts, lists and tuples.
    private func sequence(
        _ sign: JinjaExpression.BinaryOperator, _ left: JinjaValue, _ right: JinjaValue
    ) throws -> JinjaValue? {
        switch (sign, left, right) {
        case (.add, .string(let a), .string(let b)):
            try charge(text: a.count + b.count)
            var result = a
            result.append(b)
            return .string(result)
        case (.add, .list(let a), .list(let b)):
            try charge(list: a.items.count + b.items.count)
            return .list(a.items + b.items)
        case (.add, .tuple(let a), .tuple(let b)):
            try charge(list: a.items.count + b.items.count)
            return .tuple(a.items + b.items)
        case (.multiply, _, _):
            if let count = right.integer { return try repeated(left, count) }
            if let count = left.integer { return try repeated(right, count) }
            return nil
        default: return nil
        }
    }

    private func repeated(_ value: JinjaValue, _ count: Int) throws -> JinjaValue? {
        let count = max(0, count)
        switch value {
        case .string(let text):
            try charge(text: text.count.multipliedReportingOverflow(by: count).overflow ? .max : text.count * count)
            var result = JinjaText.empty
            JinjaInterpreter.double(text, count) {
                result.append($0)
            } grow: {
                let copy = $0; $0.append(copy)
            }
            return .string(result)
        case .list(let list), .tuple(let list):
            let size = list.items.count.multipliedReportingOverflow(by: count)
            try charge(list: size.overflow ? .max : size.partialValue)
            var items: [JinjaValue] = []
            JinjaInterpreter.double(list.items, count) {
                items += $0
            } grow: {
                let copy = $0; $0 += copy
            }
            if case .tuple = value { return .tuple(items) }
            return .list(items)
        default: return nil
        }
    }

    /// Repeats something by doubling it: few steps for large counts.
    private static func double<Part>(
        _ part: Part, _ count: Int, append: (Part) -> Void, grow: (inout Part) -> Void
    ) {
        var rest = count
        var part = part
        while rest > 0 {
            if rest & 1 == 1 { append(part) }
            rest >>= 1
            if rest > 0 { grow(&part) }
        }
    }

    private static func whole(_ sign: JinjaExpression.BinaryOperator, _ a: Int, _ b: Int) throws -> JinjaValue {
        switch sign {
        case .add: return .integer(try fitting(a.addingReportingOverflow(b)))
        case .subtract: return .integer(try fitting(a.subtractingReportingOverflow(b)))
        case .multiply: return .integer(try fitting(a.multipliedReportingOverflow(by: b)))
        case .divide:
            guard b != 0 else { throw JinjaFault(.arithmetic("division by zero")) }
            return .float(Double(a) / Double(b))
        case .floorDivide:
            guard b != 0 else { throw JinjaFault(.arithmetic("integer division or modulo by zero")) }
            let quotient = try fitting(a.dividedReportingOverflow(by: b))
            return .integer((a % b != 0) && ((a < 0) != (b < 0)) ? quotient - 1 : quotient)
        case .modulo:
            guard b != 0 else { throw JinjaFault(.arithmetic("integer modulo by zero")) }
            let rest = b == -1 ? 0 : a % b
            return .integer(rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest)
        case .power:
            if b >= 0 { return .integer(try power(a, b)) }
            guard a != 0 else { throw JinjaFault(.arithmetic("0.0 cannot be raised to a negative power")) }
            return .float(pow(Double(a), Double(b)))
        }
    }

    private static func fitting(_ result: (partialValue: Int, overflow: Bool)) throws -> Int {
        guard !result.overflow else { throw tooBig }
        return result.partialValue
    }

    private static func power(_ base: Int, _ exponent: Int) throws -> Int {
        if base == 0 || base == 1 { return exponent == 0 ? 1 : base }
        if base == -1 { return exponent % 2 == 0 ? 1 : -1 }
        guard exponent < 64 else { throw tooBig }
        var result = 1
        for _ in 0..<exponent { result = try fitting(result.multipliedReportingOverflow(by: base)) }
        return result
    }

    private static func real(_ sign: JinjaExpression.BinaryOperator, _ a: Double, _ b: Double) throws -> Double {
        switch sign {
        case .add: return a + b
        case .subtract: return a - b
        case .multiply: return a * b
        case .divide, .floorDivide, .modulo:
            guard b != 0 else { throw JinjaFault(.arithmetic("float division by zero")) }
            if sign == .divide { return a / b }
            var rest = a.truncatingRemainder(dividingBy: b)
            if rest != 0, (rest < 0) != (b < 0) { rest += b }
            return sign == .modulo ? rest : ((a - rest) / b).rounded()
        case .power:
            guard a != 0 || b >= 0 else { throw JinjaFault(.arithmetic("0.0 cannot be raised to a negative power")) }
            let result = pow(a, b)
            guard result.isFinite || !a.isFinite || !b.isFinite else {
                throw JinjaFault(.arithmetic("the power is beyond the range of floats"))
            }
            return result
        }
    }

    /// `-value` and `+value`.
    func signed(_ value: JinjaValue, negative: Bool) throws -> JinjaValue {
        if case .undefined(let why) = value { throw why.fault }
        if let number = value.integer {
            return .integer(negative ? try JinjaInterpreter.fitting((0).subtractingReportingOverflow(number)) : number)
        }
        guard case .float(let number) = value else {
            throw JinjaFault(.type("bad operand type for unary \(negative ? "-" : "+"): '\(value.typeName)'"))
        }
        return .float(negative ? -number : number)
    }
}
