// Reads Codable values from JSON without Foundation; a miss names its field with its whole path.

extension JSONValue {
    /// The value as a type; members that the type does not know are passed over.
    /// - Parameter file: where the JSON comes from, for messages.
    /// - Throws: ``JSONFieldError``, naming file and field.
    public func decoded<Value: Decodable>(
        as type: Value.Type = Value.self, file: String
    ) throws(JSONFieldError) -> Value {
        do {
            return try JSONValueDecoder(value: self, codingPath: []).decodeValue(type)
        } catch let error as DecodingError {
            throw JSONFieldError(error, in: self, file: file)
        } catch {
            throw .unusable(file: file, field: "", reason: "\(error)")
        }
    }
}

/// Why a file of JSON does not hold what it should.
public enum JSONFieldError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A field that must be there is not.
    case missing(file: String, field: String)
    /// A field of another kind.
    case wrongType(file: String, field: String, expected: String, found: String)
    /// A field whose value makes no sense.
    case unusable(file: String, field: String, reason: String)

    /// What happened, and what to do next.
    public var description: String {
        switch self {
        case .missing(let file, let field): "\(file) lacks \"\(field)\". Add it, or write the file anew."
        case .wrongType(let file, let field, let expected, let found):
            "\(file): \"\(field)\" must be \(expected), not \(found). Correct the file."
        case .unusable(let file, let field, let reason): "\(file): \"\(field)\" cannot be used: \(reason)"
        }
    }

    fileprivate init(_ error: DecodingError, in root: JSONValue, file: String) {
        switch error {
        case .keyNotFound(let key, let context):
            self = .missing(file: file, field: Self.path(context.codingPath + [key]))
        case .valueNotFound(_, let context): self = .missing(file: file, field: Self.path(context.codingPath))
        case .typeMismatch(let type, let context):
            let found: String = Self.value(at: context.codingPath, in: root)?.kind ?? "nothing"
            self = .wrongType(
                file: file, field: Self.path(context.codingPath), expected: Self.name(type), found: found)
        case .dataCorrupted(let context):
            self = .unusable(file: file, field: Self.path(context.codingPath), reason: context.debugDescription)
        @unknown default: self = .unusable(file: file, field: "", reason: "\(error)")
        }
    }

    /// A path as programs write it: `alternatives[2].cost`.
    private static func path(_ keys: [any CodingKey]) -> String {
        keys.reduce(into: "") { (text: inout String, key: any CodingKey) in
            if let place = key.intValue {
                text += "[\(place)]"
            } else {
                text += (text.isEmpty ? "" : ".") + key.stringValue
            }
        }
    }

    private static func value(at keys: [any CodingKey], in root: JSONValue) -> JSONValue? {
        keys.reduce(root) { (value: JSONValue?, key: any CodingKey) -> JSONValue? in
            key.intValue.map { value?[$0] } ?? value?[key.stringValue]
        }
    }

    private static func name(_ type: Any.Type) -> String {
        switch type {
        case is Bool.Type: "true or false"
        case is String.Type: "a string"
        case is any BinaryInteger.Type: "a whole number"
        case is any BinaryFloatingPoint.Type: "a number"
        case is [Any].Type: "an array"
        default: "an object"
        }
    }
}

private struct JSONValueDecoder: Decoder {
    let value: JSONValue
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard let object = value.objectValue else { throw mismatch([String: Int].self) }
        return KeyedDecodingContainer(JSONKeyedDecoder<Key>(object: object, codingPath: codingPath))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard let items = value.arrayValue else { throw mismatch([Any].self) }
        return JSONUnkeyedDecoder(items: items, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { JSONSingleDecoder(decoder: self) }

    func decodeValue<Value: Decodable>(_ type: Value.Type) throws -> Value {
        if let leaf = try leaf(type) { return leaf }
        return try Value(from: self)
    }

    /// What the JSON kinds hold directly; nil for types that take themselves apart.
    private func leaf<Value: Decodable>(_ type: Value.Type) throws -> Value? {
        switch type {
        case is JSONValue.Type: return value as? Value
        case is Bool.Type: return try need(value.boolValue, type)
        case is String.Type: return try need(value.stringValue, type)
        case is Double.Type: return try need(value.doubleValue, type)
        case is Float.Type: return try need(value.doubleValue.map { Float($0) }, type)
        case let type as any FixedWidthInteger.Type: return try need(integer(type), type) as? Value
        default: return nil
        }
    }

    private func integer<Number: FixedWidthInteger>(_ type: Number.Type) -> Number? {
        if case .bigInteger(let digits) = value { return Number(digits) }
        return value.intValue.flatMap { Number(exactly: $0) }
    }

    private func need<Value>(_ found: Any?, _ type: Value.Type) throws -> Value {
        guard let found = found as? Value else { throw mismatch(type) }
        return found
    }

    private func mismatch(_ type: Any.Type) -> DecodingError {
        .typeMismatch(type, DecodingError.Context(codingPath: codingPath, debugDescription: "found \(value.kind)"))
    }
}

private struct JSONKeyedDecoder<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let object: JSONObject
    let codingPath: [any CodingKey]
    var allKeys: [Key] { object.keys.compactMap { Key(stringValue: $0) } }

    func contains(_ key: Key) -> Bool { object[key.stringValue] != nil }
    func decodeNil(forKey key: Key) -> Bool { object[key.stringValue]?.isNull ?? true }

    private func decoder(_ key: any CodingKey) throws -> JSONValueDecoder {
        guard let value = object[key.stringValue] else {
            throw DecodingError.keyNotFound(
                key, DecodingError.Context(codingPath: codingPath, debugDescription: "no such member"))
        }
        return JSONValueDecoder(value: value, codingPath: codingPath + [key])
    }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try decoder(key).decodeValue(type)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try decoder(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try decoder(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { try decoder(JSONPlace(stringValue: "super")) }
    func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(key) }
}

private struct JSONUnkeyedDecoder: UnkeyedDecodingContainer {
    let items: [JSONValue]
    let codingPath: [any CodingKey]
    var currentIndex: Int = 0
    var count: Int? { items.count }
    var isAtEnd: Bool { currentIndex >= items.count }

    init(items: [JSONValue], codingPath: [any CodingKey]) {
        self.items = items
        self.codingPath = codingPath
    }

    private mutating func next() throws -> JSONValueDecoder {
        let place = codingPath + [JSONPlace(intValue: currentIndex)]
        guard !isAtEnd else {
            throw DecodingError.valueNotFound(
                JSONValue.self, DecodingError.Context(codingPath: place, debugDescription: "the array ends here"))
        }
        defer { currentIndex += 1 }
        return JSONValueDecoder(value: items[currentIndex], codingPath: place)
    }

    mutating func decodeNil() -> Bool {
        guard !isAtEnd, items[currentIndex].isNull else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try next().decodeValue(type) }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        try next().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try next().unkeyedContainer() }
    mutating func superDecoder() throws -> any Decoder { try next() }
}

private struct JSONSingleDecoder: SingleValueDecodingContainer {
    let decoder: JSONValueDecoder
    var codingPath: [any CodingKey] { decoder.codingPath }

    func decodeNil() -> Bool { decoder.value.isNull }
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try decoder.decodeValue(type) }
}
