// What a template computes with: Python's values, as far as templates can see them.

import CServeCore

/// A value of the template language.
enum JinjaValue {
    case undefined(JinjaUndefined)
    case none
    case bool(Bool)
    case integer(Int)
    /// A whole number beyond 64 bits that a client sent; it can be printed and compared, not computed with.
    case bigInteger(String)
    case float(Double)
    case string(JinjaText)
    case list(JinjaList)
    case tuple(JinjaList)
    /// What Python gives as a view or an iterator.
    case view(JinjaView, JinjaList)
    case dictionary(JinjaDictionary)
    case object(JinjaObject)
    case function(String)
    case method(JinjaMethod)
}

/// Why a value does not exist; using it throws this.
struct JinjaUndefined {
    var message: String
    /// Set where the sandbox refused the access.
    var isForbidden = false

    var fault: JinjaFault { JinjaFault(isForbidden ? .security(message) : .undefined(message)) }
}

/// The views and iterators that templates meet.
enum JinjaView: String {
    case keys = "dict_keys"
    case values = "dict_values"
    case items = "dict_items"
    case range
    case generator

    var hasLength: Bool { self != .generator }
}

/// Elements and how deep values nest below.
struct JinjaList {
    var items: [JinjaValue]
    var depth: Int

    init(_ items: [JinjaValue]) {
        self.items = items
        depth = 1 + items.reduce(0) { max($0, $1.depth) }
    }
}

/// A method with its receiver, not yet called.
final class JinjaMethod {
    let receiver: JinjaValue
    let name: String

    init(receiver: JinjaValue, name: String) {
        self.receiver = receiver
        self.name = name
    }
}

extension JinjaValue {
    /// How deep values nest in this one.
    var depth: Int {
        switch self {
        case .list(let list), .tuple(let list), .view(_, let list): list.depth
        case .dictionary(let dictionary): dictionary.depth
        case .method(let method): 1 + method.receiver.depth
        default: 0
        }
    }

    /// Text that the template's own expressions made.
    static func trusted(_ text: String) -> JinjaValue { .string(JinjaText(text, trusted: true)) }
    /// Text from outside, or of unknown origin.
    static func untrusted(_ text: String) -> JinjaValue { .string(JinjaText(text, trusted: false)) }
    static func list(_ items: [JinjaValue]) -> JinjaValue { .list(JinjaList(items)) }
    static func tuple(_ items: [JinjaValue]) -> JinjaValue { .tuple(JinjaList(items)) }
    static func generator(_ items: [JinjaValue]) -> JinjaValue { .view(.generator, JinjaList(items)) }

    var text: JinjaText? { if case .string(let text) = self { text } else { nil } }
    var isUndefined: Bool { if case .undefined = self { true } else { false } }
    var isNone: Bool { if case .none = self { true } else { false } }

    /// The whole number, where Python would take the value for one (`True` is 1).
    var integer: Int? {
        switch self {
        case .integer(let value): value
        case .bool(let flag): flag ? 1 : 0
        default: nil
        }
    }

    /// The number as a float, where Python would take the value for one.
    var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .bool(let flag): flag ? 1 : 0
        case .float(let value): value
        case .bigInteger(let digits): Double(digits)
        default: nil
        }
    }

    /// Python's truth.
    var isTrue: Bool {
        switch self {
        case .undefined, .none: false
        case .bool(let flag): flag
        case .integer(let value): value != 0
        case .float(let value): value != 0
        case .string(let text): !text.isEmpty
        case .list(let list), .tuple(let list): !list.items.isEmpty
        case .view(let view, let list): !view.hasLength || !list.items.isEmpty
        case .dictionary(let dictionary): !dictionary.isEmpty
        case .bigInteger, .object, .function, .method: true
        }
    }

    /// The name of the Python type.
    var typeName: String {
        switch self {
        case .undefined: "Undefined"
        case .none: "NoneType"
        case .bool: "bool"
        case .integer, .bigInteger: "int"
        case .float: "float"
        case .string: "str"
        case .list: "list"
        case .tuple: "tuple"
        case .view(let view, _): view.rawValue
        case .dictionary: "dict"
        case .object(let object): object.typeName
        case .function: "function"
        case .method: "builtin_function_or_method"
        }
    }

    /// A value from outside: every text in it is a user's.
    init(_ json: JSONValue) {
        switch json {
        case .null: self = .none
        case .bool(let flag): self = .bool(flag)
        case .integer(let value): self = .integer(value)
        case .bigInteger(let digits): self = .bigInteger(digits)
        case .double(let value): self = .float(value)
        case .string(let text): self = .untrusted(text)
        case .array(let items): self = .list(items.map(JinjaValue.init))
        case .object(let object):
            var members = JinjaDictionary()
            for (key, value) in object.members { members.append(.untrusted(key), JinjaValue(value)) }
            self = .dictionary(members)
        }
    }
}
