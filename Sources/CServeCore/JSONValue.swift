// JSON as it was written: keys keep their order and 1.0 stays a float, because chat templates print what clients sent.

/// One JSON value; objects keep their keys' order and numbers keep their kind.
public enum JSONValue: Hashable, Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A whole number that fits 64 bits, written without fraction and exponent.
    case integer(Int)
    /// A whole number beyond 64 bits: its decimal digits with an optional minus.
    case bigInteger(String)
    /// A number with a fraction or an exponent.
    case double(Double)
    /// A string.
    case string(String)
    /// An array.
    case array([JSONValue])
    /// An object.
    case object(JSONObject)

    /// The string, or nil for another kind.
    public var stringValue: String? { if case .string(let value) = self { value } else { nil } }
    /// The truth value, or nil for another kind.
    public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
    /// The array, or nil for another kind.
    public var arrayValue: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    /// The object, or nil for another kind.
    public var objectValue: JSONObject? { if case .object(let value) = self { value } else { nil } }
    /// True for `null` only.
    public var isNull: Bool { self == .null }

    /// The whole number; a float without a fraction that fits counts as one; nil for another kind.
    public var intValue: Int? {
        switch self {
        case .integer(let value): value
        case .double(let value): Int(exactly: value)
        default: nil
        }
    }

    /// The number as a float, or nil for another kind.
    public var doubleValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .bigInteger(let digits): Double(digits)
        case .double(let value): value
        default: nil
        }
    }

    /// The kind in JSON's words, for error messages.
    public var kind: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .integer, .bigInteger: "integer"
        case .double: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    /// The member of an object, or nil for a missing key and for every other kind.
    public subscript(key: String) -> JSONValue? { objectValue?[key] }

    /// The element of an array, or nil beyond its end and for every other kind.
    public subscript(index: Int) -> JSONValue? {
        guard let items = arrayValue, items.indices.contains(index) else { return nil }
        return items[index]
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// A string.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A whole number.
    public init(integerLiteral value: Int) { self = .integer(value) }
    /// A float.
    public init(floatLiteral value: Double) { self = .double(value) }
    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// Null.
    public init(nilLiteral: ()) { self = .null }
    /// An array.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// An object; a later duplicate key replaces the value and keeps the first one's place.
    public init(dictionaryLiteral elements: (String, JSONValue)...) { self = .object(JSONObject(elements)) }
}

/// A JSON object: members in the order in which they were written, found by key.
public struct JSONObject: Sendable {
    /// One member.
    public typealias Member = (key: String, value: JSONValue)

    /// The keys in order.
    public private(set) var keys: [String] = []
    /// The values in the keys' order.
    public private(set) var values: [JSONValue] = []
    /// Positions by key; empty while the object is small enough to search.
    private var positions: [String: Int] = [:]

    /// How many members an object has before it keeps an index.
    private static let searchedMembers = 8

    /// An object without members.
    public init() {}

    /// Creates an object; a later duplicate key replaces the value and keeps the first one's place, as in Python.
    public init(_ members: [(String, JSONValue)]) {
        for (key, value) in members { self[key] = value }
    }

    /// The number of members.
    public var count: Int { keys.count }
    /// True without members.
    public var isEmpty: Bool { keys.isEmpty }
    /// The members in order.
    public var members: [Member] { zip(keys, values).map { (key: $0, value: $1) } }

    /// The value of a key; setting appends or replaces in place, setting nil removes.
    public subscript(key: String) -> JSONValue? {
        get { position(of: key).map { values[$0] } }
        set {
            switch (position(of: key), newValue) {
            case (let place?, let value?): values[place] = value
            case (let place?, nil): remove(at: place)
            case (nil, let value?): append(key, value)
            case (nil, nil): break
            }
        }
    }

    private func position(of key: String) -> Int? {
        positions.isEmpty ? keys.firstIndex(of: key) : positions[key]
    }

    private mutating func append(_ key: String, _ value: JSONValue) {
        keys.append(key)
        values.append(value)
        if !positions.isEmpty {
            positions[key] = keys.count - 1
        } else if keys.count > JSONObject.searchedMembers {
            rebuildIndex()
        }
    }

    private mutating func remove(at place: Int) {
        keys.remove(at: place)
        values.remove(at: place)
        positions = [:]
        if keys.count > JSONObject.searchedMembers { rebuildIndex() }
    }

    private mutating func rebuildIndex() {
        for (place, key) in keys.enumerated() { positions[key] = place }
    }
}

extension JSONObject: Hashable {
    /// True if both hold the same members, in whatever order.
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.count == right.count && left.members.allSatisfy { right[$0.key] == $0.value }
    }

    /// Hashes without regard to order.
    public func hash(into hasher: inout Hasher) {
        var sum = 0
        for member in members {
            var inner = Hasher()
            inner.combine(member.key)
            inner.combine(member.value)
            sum = sum &+ inner.finalize()
        }
        hasher.combine(sum)
    }
}
