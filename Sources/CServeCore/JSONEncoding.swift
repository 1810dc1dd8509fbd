// Writes Codable values as JSON without Foundation: members stand in the order in which they are encoded, so that equal
// values give equal bytes.

extension JSONValue {
    /// The JSON of a value; absent optionals are left out.
    ///
    /// Floats that are not finite become `null`, as ``serialized(_:)`` has them.
    /// - Throws: what the value's own `encode(to:)` throws.
    public init(encoding value: some Encodable) throws {
        let box = JSONBox()
        try JSONBoxEncoder(box: box, codingPath: []).encodeValue(value)
        self = box.value
    }
}

/// A JSON value under construction.
private final class JSONBox {
    private enum Content {
        case leaf(JSONValue)
        case object([(String, JSONBox)])
        case array([JSONBox])
    }
    private var content: Content = .leaf(.null)

    func set(_ value: JSONValue) { content = .leaf(value) }

    func becomeObject() {
        if case .object = content { return }
        content = .object([])
    }

    func becomeArray() {
        if case .array = content { return }
        content = .array([])
    }

    func member(_ key: String) -> JSONBox {
        let box = JSONBox()
        guard case .object(var members) = content else { return box }
        // The array must not be shared while it grows, or each member would copy it.
        content = .leaf(.null)
        members.append((key, box))
        content = .object(members)
        return box
    }

    func element() -> JSONBox {
        let box = JSONBox()
        guard case .array(var items) = content else { return box }
        content = .leaf(.null)
        items.append(box)
        content = .array(items)
        return box
    }

    var count: Int { if case .array(let items) = content { items.count } else { 0 } }

    var value: JSONValue {
        switch content {
        case .leaf(let value): value
        case .object(let members): .object(JSONObject(members.map { ($0.0, $0.1.value) }))
        case .array(let items): .array(items.map(\.value))
        }
    }
}

private struct JSONBoxEncoder: Encoder {
    let box: JSONBox
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        box.becomeObject()
        return KeyedEncodingContainer(JSONKeyedEncoder<Key>(box: box, codingPath: codingPath))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        box.becomeArray()
        return JSONUnkeyedEncoder(box: box, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        JSONSingleEncoder(box: box, codingPath: codingPath)
    }

    /// A leaf, or whatever the value makes of this encoder.
    func encodeValue(_ value: some Encodable) throws {
        if let leaf = JSONBoxEncoder.leaf(value) { return box.set(leaf) }
        guard let dictionary = value as? any JSONSortedMembers else { return try value.encode(to: self) }
        box.becomeObject()
        for (key, member) in dictionary.sortedMembers {
            let place = JSONPlace(stringValue: key)
            try JSONBoxEncoder(box: box.member(key), codingPath: codingPath + [place]).encodeValue(member)
        }
    }

    private static func leaf(_ value: some Encodable) -> JSONValue? {
        switch value {
        case let value as JSONValue: value
        case let value as Bool: .bool(value)
        case let value as String: .string(value)
        case let value as Double: .double(value)
        case let value as Float: .double(Double(value))
        case let value as any BinaryInteger: Int(exactly: value).map { .integer($0) } ?? .bigInteger("\(value)")
        default: nil
        }
    }
}

private struct JSONKeyedEncoder<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let box: JSONBox
    let codingPath: [any CodingKey]

    private func encoder(_ key: any CodingKey) -> JSONBoxEncoder {
        JSONBoxEncoder(box: box.member(key.stringValue), codingPath: codingPath + [key])
    }

    func encodeNil(forKey key: Key) { encoder(key).box.set(.null) }
    func encode(_ value: some Encodable, forKey key: Key) throws { try encoder(key).encodeValue(value) }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        encoder(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { encoder(key).unkeyedContainer() }
    func superEncoder() -> any Encoder { encoder(JSONPlace(stringValue: "super")) }
    func superEncoder(forKey key: Key) -> any Encoder { encoder(key) }
}

private struct JSONUnkeyedEncoder: UnkeyedEncodingContainer {
    let box: JSONBox
    let codingPath: [any CodingKey]
    var count: Int { box.count }

    private func encoder() -> JSONBoxEncoder {
        let place = JSONPlace(intValue: count)
        return JSONBoxEncoder(box: box.element(), codingPath: codingPath + [place])
    }

    func encodeNil() { encoder().box.set(.null) }
    func encode(_ value: some Encodable) throws { try encoder().encodeValue(value) }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        encoder().container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { encoder().unkeyedContainer() }
    func superEncoder() -> any Encoder { encoder() }
}

private struct JSONSingleEncoder: SingleValueEncodingContainer {
    let box: JSONBox
    let codingPath: [any CodingKey]

    func encodeNil() { box.set(.null) }
    func encode(_ value: some Encodable) throws {
        try JSONBoxEncoder(box: box, codingPath: codingPath).encodeValue(value)
    }
}

/// A key that is only a name or a place.
struct JSONPlace: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(stringValue: String) {
        self.stringValue = stringValue
        intValue = nil
    }

    init(intValue: Int) {
        stringValue = "\(intValue)"
        self.intValue = intValue
    }
}

/// Dictionaries have no order of their own: their members are sorted, so that equal values give equal bytes.
private protocol JSONSortedMembers {
    var sortedMembers: [(String, any Encodable)] { get }
}

extension Dictionary: JSONSortedMembers where Key: CodingKeyRepresentable, Value: Encodable {
    fileprivate var sortedMembers: [(String, any Encodable)] {
        map { ($0.key.codingKey.stringValue, $0.value) }.sorted { $0.0.precedes($1.0) }
    }
}
