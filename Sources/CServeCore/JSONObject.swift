// JSON objects with their order, and keys as JSON has them: two that differ in their code points are two keys.

/// A JSON object: members in the order in which they were written, found by key.
public struct JSONObject: Sendable {
    /// One member.
    public typealias Member = (key: String, value: JSONValue)

    /// The keys in order.
    public private(set) var keys: [String] = []
    /// The values in the keys' order.
    public private(set) var values: [JSONValue] = []
    /// Positions by key; empty while the object is small enough to search.
    private var positions: [ExactText: Int] = [:]

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
        positions.isEmpty ? keys.firstIndex { ExactText.equal($0, key) } : positions[ExactText(key)]
    }

    private mutating func append(_ key: String, _ value: JSONValue) {
        keys.append(key)
        values.append(value)
        if !positions.isEmpty {
            positions[ExactText(key)] = keys.count - 1
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
        for (place, key) in keys.enumerated() { positions[ExactText(key)] = place }
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
            inner.combine(ExactText(member.key))
            inner.combine(member.value)
            sum = sum &+ inner.finalize()
        }
        hasher.combine(sum)
    }
}

/// A string that equals another only code point by code point: Swift's own equality unites normal forms ("é" written as
/// one character or as two), which JSON, Python and templates keep apart.
struct ExactText: Hashable, Sendable {
    let text: String

    init(_ text: String) { self.text = text }

    /// Whether two strings have the same code points.
    static func equal(_ left: String, _ right: String) -> Bool {
        left.utf8.count == right.utf8.count && left.utf8.elementsEqual(right.utf8)
    }

    static func == (left: ExactText, right: ExactText) -> Bool { equal(left.text, right.text) }

    func hash(into hasher: inout Hasher) {
        // Eight bytes at a time: one call for every byte would cost more than the rest of the look-up.
        var word: UInt64 = 0
        var count: UInt64 = 0
        for byte in text.utf8 {
            word = word << 8 | UInt64(byte)
            count &+= 1
            if count & 7 == 0 { hasher.combine(word) }
        }
        hasher.combine(word)
        hasher.combine(count)
    }
}
