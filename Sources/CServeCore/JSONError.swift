// Why bytes are not JSON, with the place, so that a client finds its comma.

/// Why a text is not JSON, or more than this server reads.
public enum JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The text ends inside a value.
    case unexpectedEnd(at: JSONPosition)
    /// A character that cannot stand here.
    case unexpectedCharacter(String, expected: String, at: JSONPosition)
    /// Something follows the value.
    case trailingCharacters(at: JSONPosition)
    /// A number that JSON does not allow.
    case invalidNumber(String, at: JSONPosition)
    /// An escape that JSON does not know.
    case invalidEscape(String, at: JSONPosition)
    /// A raw control character inside a string.
    case controlCharacter(UInt8, at: JSONPosition)
    /// Bytes that are not UTF-8.
    case invalidUTF8(at: JSONPosition)
    /// Arrays and objects nested deeper than allowed.
    case tooDeep(limit: Int, at: JSONPosition)
    /// An object names a key twice, where that is refused.
    case duplicateKey(String, at: JSONPosition)
    /// A number with more digits than allowed.
    case numberTooLong(digits: Int, limit: Int, at: JSONPosition)

    /// The message that a client reads.
    public var description: String {
        switch self {
        case .unexpectedEnd(let place): "the JSON text ends inside a value at \(place); is the body complete?"
        case .unexpectedCharacter(let found, let expected, let place):
            "expected \(expected) at \(place) of the JSON text, found \(found)"
        case .trailingCharacters(let place): "the JSON value ends before \(place), but more text follows; remove it"
        case .invalidNumber(let text, let place):
            "'\(text)' at \(place) is not a JSON number; write it like 12, -0.5 or 1e9"
        case .invalidEscape(let text, let place):
            "'\(text)' at \(place) is not a JSON escape; use \\\", \\\\, \\/, \\b, \\f, \\n, \\r, \\t or \\uXXXX"
        case .controlCharacter(let byte, let place):
            "a raw control character (code \(byte)) stands in a string at \(place); escape it as \\u00XX"
        case .invalidUTF8(let place): "the JSON text is not UTF-8 at \(place)"
        case .tooDeep(let limit, let place):
            "the JSON text nests deeper than \(limit) levels at \(place); flatten it"
        case .duplicateKey(let key, let place):
            "the key \"\(key)\" is given a second time at \(place); keep one of them"
        case .numberTooLong(let digits, let limit, let place):
            "the number at \(place) has \(digits) characters, more than the \(limit) that are read; send it as a string"
        }
    }
}

/// A place in a JSON text.
public struct JSONPosition: Hashable, Sendable, CustomStringConvertible {
    /// Bytes before it.
    public var offset: Int
    /// The line, from 1.
    public var line: Int
    /// The column in bytes, from 1.
    public var column: Int

    /// Creates a place.
    public init(offset: Int, line: Int, column: Int) {
        self.offset = offset
        self.line = line
        self.column = column
    }

    /// Finds line and column of an offset.
    init(offset: Int, in bytes: [UInt8]) {
        let before = bytes.prefix(offset)
        let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        self.init(offset: offset, line: before.count { $0 == 0x0A } + 1, column: offset - lineStart + 1)
    }

    /// For messages.
    public var description: String { "line \(line), column \(column)" }
}
