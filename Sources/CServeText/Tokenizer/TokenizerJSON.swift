// A small JSON reader: a tokenizer.json holds hundreds of thousands of strings, which must load fast, and whose bytes
// must survive (Swift's String equality, and so its dictionaries, would unite tokens that differ in normal form).

/// A JSON value; objects keep their order and their repeated keys.
enum TokenizerJSON: Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([TokenizerJSON])
    case object([(key: String, value: TokenizerJSON)])

    /// The value of a key; the last one where it is repeated; nil for other kinds of values.
    subscript(_ key: String) -> TokenizerJSON? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.key == key }?.value
    }

    var isNull: Bool { if case .null = self { true } else { false } }
    var boolean: Bool? { if case .bool(let value) = self { value } else { nil } }
    var double: Double? { if case .number(let value) = self { value } else { nil } }
    var integer: Int? { double.flatMap { Int(exactly: $0) } }
    var text: String? { if case .string(let value) = self { value } else { nil } }
    var elements: [TokenizerJSON]? { if case .array(let value) = self { value } else { nil } }
    var members: [(key: String, value: TokenizerJSON)]? { if case .object(let value) = self { value } else { nil } }

    /// Parses a whole document.
    static func parse(_ bytes: [UInt8], file: String) throws(TokenizerError) -> TokenizerJSON {
        var parser = TokenizerJSONParser(bytes: bytes, file: file)
        return try parser.parseDocument()
    }
}

/// A recursive-descent parser over bytes.
private struct TokenizerJSONParser {
    let bytes: [UInt8]
    let file: String
    var position = 0
    var depth = 0
    static let maximumDepth = 256

    init(bytes: [UInt8], file: String) {
        self.bytes = bytes
        self.file = file
    }

    func failure(_ reason: String) -> TokenizerError { .invalidJSON(file: file, offset: position, reason: reason) }

    mutating func parseDocument() throws(TokenizerError) -> TokenizerJSON {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        let value = try parseValue()
        skipWhitespace()
        guard position == bytes.count else { throw failure("text after the document's end") }
        return value
    }

    mutating func skipWhitespace() {
        while position < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[position]) { position += 1 }
    }

    mutating func parseValue() throws(TokenizerError) -> TokenizerJSON {
        skipWhitespace()
        guard position < bytes.count else { throw failure("the document ends early") }
        switch bytes[position] {
        case UInt8(ascii: "{"): return try parseObject()
        case UInt8(ascii: "["): return try parseArray()
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
        case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
        case UInt8(ascii: "n"): return try parseWord("null", .null)
        default: return try parseNumber()
        }
    }

    mutating func parseWord(_ word: String, _ value: TokenizerJSON) throws(TokenizerError) -> TokenizerJSON {
        guard bytes[position...].starts(with: word.utf8) else { throw failure("a value was expected") }
        position += word.utf8.count
        return value
    }

    mutating func parseNumber() throws(TokenizerError) -> TokenizerJSON {
        let start = position
        var number = DecimalNumber()
        number.isNegative = takeByte(UInt8(ascii: "-"))
        takeDigits { number.addInteger($0) }
        var digits = position - start
        if takeByte(UInt8(ascii: ".")) { takeDigits { number.addFraction($0) } }
        if takeByte(UInt8(ascii: "e")) || takeByte(UInt8(ascii: "E")) {
            let isNegative = takeByte(UInt8(ascii: "-"))
            if !isNegative { _ = takeByte(UInt8(ascii: "+")) }
            var exponent = 0
            takeDigits { exponent = min(exponent * 10 + Int($0), 100_000) }
            number.exponent += isNegative ? -exponent : exponent
        }
        if number.isNegative { digits -= 1 }
        guard digits > 0, let value = number.value else {
            position = start
            throw failure("a value was expected")
        }
        return .number(value)
    }

    private mutating func takeByte(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func takeDigits(_ add: (UInt64) -> Void) {
        while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
            add(UInt64(bytes[position] - UInt8(ascii: "0")))
            position += 1
        }
    }

    mutating func enter() throws(TokenizerError) {
        position += 1
        depth += 1
        let limit: Int = TokenizerJSONParser.maximumDepth
        if depth > limit { throw failure("nested more than \(limit) deep") }
    }

    mutating func parseArray() throws(TokenizerError) -> TokenizerJSON {
        try enter()
        var elements: [TokenizerJSON] = []
        skipWhitespace()
        if take("]") { return .array([]) }
        repeat { elements.append(try parseValue()) } while try takeComma(orEnd: "]")
        return .array(elements)
    }

    mutating func parseObject() throws(TokenizerError) -> TokenizerJSON {
        try enter()
        var members: [(key: String, value: TokenizerJSON)] = []
        skipWhitespace()
        if take("}") { return .object([]) }
        repeat {
            skipWhitespace()
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { throw failure("expected a key") }
            let key = try parseString()
            skipWhitespace()
            guard position < bytes.count, bytes[position] == UInt8(ascii: ":") else { throw failure("expected ':'") }
            position += 1
            members.append((key, try parseValue()))
        } while try takeComma(orEnd: "}")
        return .object(members)
    }

    mutating func take(_ end: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: end) else { return false }
        position += 1
        depth -= 1
        return true
    }

    mutating func takeComma(orEnd end: Unicode.Scalar) throws(TokenizerError) -> Bool {
        skipWhitespace()
        if take(end) { return false }
        guard position < bytes.count, bytes[position] == UInt8(ascii: ",") else {
            throw failure("expected ',' or '\(end)'")
        }
        position += 1
        return true
    }

    mutating func parseString() throws(TokenizerError) -> String {
        position += 1
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: "\""), bytes[position] != UInt8(ascii: "\\") {
            position += 1
        }
        guard position < bytes.count else { throw failure("a string does not end") }
        if bytes[position] == UInt8(ascii: "\"") {
            position += 1
            return String(decoding: bytes[start..<(position - 1)], as: UTF8.self)
        }
        return try parseEscapedString(from: start)
    }

    mutating func parseEscapedString(from start: Int) throws(TokenizerError) -> String {
        var text = Array(bytes[start..<position])
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
            if byte == UInt8(ascii: "\\") { try parseEscape(into: &text) } else { text.append(byte) }
        }
        throw failure("a string does not end")
    }

    mutating func parseEscape(into text: inout [UInt8]) throws(TokenizerError) {
        guard position < bytes.count else { throw failure("a string does not end") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "u"): text.append(contentsOf: UTF8Bytes.encode(try parseUnicodeEscape()))
        default: throw failure("an unknown escape")
        }
    }

    mutating func parseUnicodeEscape() throws(TokenizerError) -> UInt32 {
        let unit = try parseHexadecimal()
        guard unit & 0xFC00 == 0xD800 else {
            if unit & 0xFC00 == 0xDC00 { throw failure("a lone surrogate") }
            return unit
        }
        guard bytes[position...].starts(with: "\\u".utf8) else { throw failure("a lone surrogate") }
        position += 2
        let low = try parseHexadecimal()
        guard low & 0xFC00 == 0xDC00 else { throw failure("a lone surrogate") }
        return 0x10000 + ((unit & 0x3FF) << 10) + (low & 0x3FF)
    }

    mutating func parseHexadecimal() throws(TokenizerError) -> UInt32 {
        guard position + 4 <= bytes.count,
            let value = UInt32(String(decoding: bytes[position..<(position + 4)], as: UTF8.self), radix: 16)
        else { throw failure("four hexadecimal digits were expected") }
        position += 4
        return value
    }
}

/// A decimal number on its way to a Double, rounded as Rust's serde_json rounds: the digits as an integer, then one
/// multiplication or division. Unigram scores must have the same last bit, or ties between cuts fall differently.
private struct DecimalNumber {
    var isNegative = false
    var exponent = 0
    private var significand: UInt64 = 0
    private var overflowed = false

    private static let powers: [Double] = (0...308).map { Double("1e\($0)") ?? .infinity }

    /// Takes a digit before the point; those that do not fit 64 bits only scale.
    mutating func addInteger(_ digit: UInt64) {
        if !push(digit) { exponent += 1 }
    }

    /// Takes a digit after the point; those that do not fit are ignored.
    mutating func addFraction(_ digit: UInt64) {
        if push(digit) { exponent -= 1 }
    }

    private mutating func push(_ digit: UInt64) -> Bool {
        if overflowed { return false }
        let (product, first) = significand.multipliedReportingOverflow(by: 10)
        let (sum, second) = product.addingReportingOverflow(digit)
        overflowed = first || second
        if !overflowed { significand = sum }
        return !overflowed
    }

    /// The number; nil where it is too large.
    var value: Double? {
        var result = Double(significand)
        var exponent = exponent
        while exponent < -308, result != 0 {
            result /= DecimalNumber.powers[308]
            exponent += 308
        }
        if exponent > 308, result != 0 { return nil }
        if result != 0 {
            let power = DecimalNumber.powers[abs(exponent)]
            result = exponent >= 0 ? result * power : result / power
        }
        if result.isInfinite { return nil }
        return isNegative ? -result : result
    }
}
