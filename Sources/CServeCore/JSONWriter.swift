// Writes JSON: compact for the wire, indented for people; floats as Python writes them.

extension JSONValue {
    /// How a JSON text is laid out.
    public struct Style: Hashable, Sendable {
        /// Spaces per level; nil writes everything on one line.
        public var indent: Int?
        /// Whether keys are sorted by code point.
        public var sortKeys: Bool
        /// Between elements on one line.
        public var comma: String
        /// Between key and value.
        public var colon: String

        /// Creates a style.
        public init(indent: Int? = nil, sortKeys: Bool = false, comma: String = ",", colon: String = ":") {
            self.indent = indent
            self.sortKeys = sortKeys
            self.comma = comma
            self.colon = colon
        }

        /// No spaces: what goes over the wire.
        public static let compact = Style()
        /// Two spaces per level, for people.
        public static let pretty = Style(indent: 2, colon: ": ")
        /// The layout of Python's `json.dumps`.
        public static let python = Style(comma: ", ", colon: ": ")
    }

    /// The JSON text as UTF-8; characters beyond ASCII stay as they are, NaN and infinities become `null`.
    public func serialized(_ style: Style = .compact) -> [UInt8] {
        var writer = JSONWriter(style: style)
        writer.write(self, level: 0)
        return writer.bytes
    }

    /// The JSON text.
    public func text(_ style: Style = .compact) -> String { String(decoding: serialized(style), as: UTF8.self) }
}

extension JSONValue: CustomStringConvertible {
    /// The compact JSON text.
    public var description: String { text() }
}

/// The writer's state.
struct JSONWriter {
    let style: JSONValue.Style
    var bytes: [UInt8] = []

    init(style: JSONValue.Style) {
        self.style = style
    }

    mutating func write(_ value: JSONValue, level: Int) {
        switch value {
        case .null: put("null")
        case .bool(let flag): put(flag ? "true" : "false")
        case .integer(let number): put(String(number))
        case .bigInteger(let digits): put(digits)
        case .double(let number): put(number.isFinite ? number.pythonDescription : "null")
        case .string(let text): writeString(text)
        case .array(let items):
            writeGroup("[", "]", count: items.count, level: level) { writer, place in
                writer.write(items[place], level: level + 1)
            }
        case .object(let object): writeObject(object, level: level)
        }
    }

    private mutating func writeObject(_ object: JSONObject, level: Int) {
        let members = style.sortKeys ? object.members.sorted { $0.key.precedes($1.key) } : object.members
        writeGroup("{", "}", count: members.count, level: level) { writer, place in
            writer.writeString(members[place].key)
            writer.put(writer.style.colon)
            writer.write(members[place].value, level: level + 1)
        }
    }

    private mutating func writeGroup(
        _ open: String, _ close: String, count: Int, level: Int, element: (inout JSONWriter, Int) -> Void
    ) {
        put(open)
        for place in 0..<count {
            if place > 0 { put(style.indent == nil ? style.comma : ",") }
            newLine(level + 1)
            element(&self, place)
        }
        if count > 0 { newLine(level) }
        put(close)
    }

    private mutating func newLine(_ level: Int) {
        guard let indent = style.indent else { return }
        bytes.append(0x0A)
        bytes.append(contentsOf: repeatElement(0x20, count: indent * level))
    }

    private mutating func put(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func writeString(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            if let escape = JSONEscape.text(of: byte) {
                bytes.append(contentsOf: escape.utf8)
            } else {
                bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

/// The escapes that JSON demands.
public enum JSONEscape {
    /// The escape of a byte, or nil if it stands for itself.
    public static func text(of byte: UInt8) -> String? {
        switch byte {
        case 0x22: return "\\\""
        case 0x5C: return "\\\\"
        case 0x0A: return "\\n"
        case 0x0D: return "\\r"
        case 0x09: return "\\t"
        case 0x08: return "\\b"
        case 0x0C: return "\\f"
        case 0..<0x20:
            let digits = String(byte, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: return nil
        }
    }
}

extension String {
    /// Orders by code point, as Python does.
    func precedes(_ other: String) -> Bool { unicodeScalars.lexicographicallyPrecedes(other.unicodeScalars) }
}
