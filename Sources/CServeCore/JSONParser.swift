// A strict, bounded JSON parser over bytes: it never recurses deeper than told and always says where it stopped.

extension JSONValue {
    /// Parses a whole JSON text; an optional byte-order mark is skipped, lone surrogates become U+FFFD.
    ///
    /// - Parameters:
    ///   - bytes: UTF-8.
    ///   - maximumDepth: How deep arrays and objects may nest.
    ///   - uniqueKeys: Whether an object that names a key twice is refused; else the last one counts.
    /// - Throws: ``JSONError`` with line and column.
    public init(parsing bytes: [UInt8], maximumDepth: Int = 128, uniqueKeys: Bool = false) throws(JSONError) {
        var parser = JSONParser(bytes: bytes, maximumDepth: maximumDepth, uniqueKeys: uniqueKeys)
        self = try parser.document()
    }

    /// Parses a whole JSON text.
    public init(parsing text: String, maximumDepth: Int = 128) throws(JSONError) {
        try self.init(parsing: Array(text.utf8), maximumDepth: maximumDepth)
    }
}

/// The parser's state: the bytes and the place reached.
struct JSONParser {
    let bytes: [UInt8]
    let maximumDepth: Int
    let uniqueKeys: Bool
    var index = 0
    var depth = 0

    init(bytes: [UInt8], maximumDepth: Int, uniqueKeys: Bool = false) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
        self.uniqueKeys = uniqueKeys
    }

    /// One value and nothing after it.
    mutating func document() throws(JSONError) -> JSONValue {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
        let result = try value()
        skipSpace()
        guard index == bytes.count else { throw .trailingCharacters(at: place()) }
        return result
    }

    func place(_ offset: Int? = nil) -> JSONPosition { JSONPosition(offset: offset ?? index, in: bytes) }

    private mutating func value() throws(JSONError) -> JSONValue {
        skipSpace()
        guard index < bytes.count else { throw .unexpectedEnd(at: place()) }
        switch bytes[index] {
        case UInt8(ascii: "{"): return try nested { (parser) throws(JSONError) in try parser.object() }
        case UInt8(ascii: "["): return try nested { (parser) throws(JSONError) in try parser.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw unexpected("a value")
        }
    }

    private mutating func nested(
        _ body: (inout JSONParser) throws(JSONError) -> JSONValue
    ) throws(JSONError) -> JSONValue {
        guard depth < maximumDepth else { throw .tooDeep(limit: maximumDepth, at: place()) }
        depth += 1
        index += 1
        let result = try body(&self)
        depth -= 1
        return result
    }

    private mutating func array() throws(JSONError) -> JSONValue {
        var items: [JSONValue] = []
        skipSpace()
        if take("]") { return .array(items) }
        while true {
            items.append(try value())
            skipSpace()
            if take("]") { return .array(items) }
            guard take(",") else { throw unexpected("',' or ']'") }
        }
    }

    private mutating func object() throws(JSONError) -> JSONValue {
        var members = JSONObject()
        skipSpace()
        if take("}") { return .object(members) }
        while true {
            skipSpace()
            guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { throw unexpected("a key in quotes") }
            let start = index
            let key = try string()
            if uniqueKeys && members[key] != nil { throw .duplicateKey(key, at: place(start)) }
            skipSpace()
            guard take(":") else { throw unexpected("':'") }
            members[key] = try value()
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw unexpected("',' or '}'") }
        }
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        let start = index
        while index < bytes.count, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(bytes[index]) { index += 1 }
        guard bytes[start..<index].elementsEqual("\(text)".utf8) else {
            index = start
            throw unexpected("'\(text)'")
        }
        return value
    }

    mutating func skipSpace() {
        while index < bytes.count {
            switch bytes[index] {
            case 0x20, 0x09, 0x0A, 0x0D: index += 1
            default: return
            }
        }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private func unexpected(_ expected: String) -> JSONError {
        guard index < bytes.count else { return .unexpectedEnd(at: place()) }
        let text = String(decoding: bytes[index..<min(index + 4, bytes.count)], as: UTF8.self)
        return .unexpectedCharacter(text.first.map { "'\($0)'" } ?? "nothing", expected: expected, at: place())
    }
}
