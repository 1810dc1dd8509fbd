// Python's dictionary: insertion order, any hashable key, numbers equal across types.

/// A dictionary that keeps its keys' order.
struct JinjaDictionary {
    private(set) var keys: [JinjaValue] = []
    private(set) var values: [JinjaValue] = []
    private(set) var depth = 1
    private var positions: [JinjaKey: Int] = [:]

    private static let searchedMembers = 8

    var count: Int { keys.count }
    var isEmpty: Bool { keys.isEmpty }
    var members: [(key: JinjaValue, value: JinjaValue)] { zip(keys, values).map { (key: $0, value: $1) } }

    /// The value of a key; nil for a missing one.
    ///
    /// - Throws: a type error for a key that cannot be one.
    func value(of key: JinjaValue) throws -> JinjaValue? {
        try position(of: JinjaKey(key)).map { values[$0] }
    }

    /// The value of a text key.
    subscript(name: String) -> JinjaValue? {
        position(of: .text(Array(name.unicodeScalars))).map { values[$0] }
    }

    mutating func set(_ key: JinjaValue, _ value: JinjaValue) throws {
        if let place = position(of: try JinjaKey(key)) {
            values[place] = value
            depth = max(depth, 1 + value.depth)
        } else {
            append(key, value)
        }
    }

    /// Adds a member whose key is hashable and new.
    mutating func append(_ key: JinjaValue, _ value: JinjaValue) {
        keys.append(key)
        values.append(value)
        depth = max(depth, 1 + max(value.depth, key.depth))
        if !positions.isEmpty {
            if let hashed = try? JinjaKey(key) { positions[hashed] = keys.count - 1 }
        } else if keys.count > JinjaDictionary.searchedMembers {
            for (place, key) in keys.enumerated() {
                if let hashed = try? JinjaKey(key) { positions[hashed] = place }
            }
        }
    }

    private func position(of key: JinjaKey) -> Int? {
        if !positions.isEmpty { return positions[key] }
        return keys.firstIndex { candidate in
            if case .text(let name) = key, case .string(let text) = candidate { return text.scalars == name }
            return (try? JinjaKey(candidate)) == key
        }
    }
}

/// A key as Python hashes it.
enum JinjaKey: Hashable {
    case none
    case number(Double)
    case integer(Int)
    case digits(String)
    case text([Unicode.Scalar])
    case tuple([JinjaKey])
    case object(ObjectIdentifier)
    case name(String)
    case undefined

    init(_ value: JinjaValue) throws {
        switch value {
        case .none: self = .none
        case .undefined: self = .undefined
        case .bool(let flag): self = .integer(flag ? 1 : 0)
        case .integer(let number): self = .integer(number)
        case .bigInteger(let digits): self = .digits(digits)
        case .float(let number): self = Int(exactly: number).map { .integer($0) } ?? .number(number)
        case .string(let text): self = .text(text.scalars)
        case .tuple(let list): self = .tuple(try list.items.map(JinjaKey.init))
        case .object(let object): self = .object(ObjectIdentifier(object))
        case .method(let method): self = .object(ObjectIdentifier(method))
        case .function(let name): self = .name(name)
        case .list, .dictionary, .view: throw JinjaFault(.type("unhashable type: '\(value.typeName)'"))
        }
    }
}
