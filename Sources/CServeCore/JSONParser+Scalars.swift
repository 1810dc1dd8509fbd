// Strings and numbers of JSON, the two kinds with rules of their own.

extension JSONParser {
    /// Reads a string, from its opening quote to behind its closing one.
    mutating func string() throws(JSONError) -> String {
        index += 1
        let start = index
        while index < bytes.count, bytes[index] != UInt8(ascii: "\""), bytes[index] != UInt8(ascii: "\\") {
            guard bytes[index] >= 0x20 else { throw .controlCharacter(bytes[index], at: place()) }
            index += 1
        }
        guard index < bytes.count else { throw .unexpectedEnd(at: place()) }
        if bytes[index] == UInt8(ascii: "\"") {
            index += 1
            return try decoded(bytes[start..<(index - 1)], from: start)
        }
        return try escapedString(from: start)
    }

    private mutating func escapedString(from start: Int) throws(JSONError) -> String {
        var text = Array(bytes[start..<index])
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                index += 1
                return try decoded(text[...], from: start)
            case UInt8(ascii: "\\"): text.append(contentsOf: String(try escape()).utf8)
            case 0..<0x20: throw .controlCharacter(bytes[index], at: place())
            default:
                text.append(bytes[index])
                index += 1
            }
        }
        throw .unexpectedEnd(at: place())
    }

    private func decoded(_ text: ArraySlice<UInt8>, from start: Int) throws(JSONError) -> String {
        guard let result = String(validating: text, as: UTF8.self) else { throw .invalidUTF8(at: place(start)) }
        return result
    }

    private mutating func escape() throws(JSONError) -> Unicode.Scalar {
        let start = index
        guard index + 1 < bytes.count else { throw .unexpectedEnd(at: place()) }
        let letter = bytes[index + 1]
        index += 2
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(letter)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape(from: start)
        default:
            index = start
            throw .invalidEscape(String(decoding: bytes[start..<start + 2], as: UTF8.self), at: place(start))
        }
    }

    /// Reads the digits of `\uXXXX` and, for a high surrogate, of the low one that follows.
    private mutating func unicodeEscape(from start: Int) throws(JSONError) -> Unicode.Scalar {
        let first = try hexDigits(from: start)
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, index + 1 < bytes.count, bytes[index] == UInt8(ascii: "\\"),
            bytes[index + 1] == UInt8(ascii: "u")
        else { return "\u{FFFD}" }
        let after = index
        index += 2
        let second = try hexDigits(from: after)
        guard (0xDC00...0xDFFF).contains(second) else {
            index = after
            return "\u{FFFD}"
        }
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) ?? "\u{FFFD}"
    }

    private mutating func hexDigits(from start: Int) throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard index < bytes.count else { throw .unexpectedEnd(at: place()) }
            guard let digit = Character(Unicode.Scalar(bytes[index])).hexDigitValue
            else {
                throw .invalidEscape(String(decoding: bytes[start...index], as: UTF8.self), at: place(start))
            }
            value = value << 4 | UInt32(digit)
            index += 1
        }
        return value
    }

    /// The longest number that is read: Python's own limit for whole numbers.
    private static let longestNumber = 4300

    /// Reads a number and keeps whether it was written as a whole one.
    mutating func number() throws(JSONError) -> JSONValue {
        let start = index
        while index < bytes.count, JSONParser.isNumberByte(bytes[index]) { index += 1 }
        let text = bytes[start..<index]
        guard text.count <= JSONParser.longestNumber else {
            throw .numberTooLong(digits: text.count, limit: JSONParser.longestNumber, at: place(start))
        }
        let literal = String(decoding: text, as: UTF8.self)
        guard let isWhole = JSONParser.wholeness(of: text) else { throw .invalidNumber(literal, at: place(start)) }
        if isWhole { return Int(literal).map { .integer($0) } ?? .bigInteger(literal) }
        guard let value = Double(literal), value.isFinite else { throw .invalidNumber(literal, at: place(start)) }
        return .double(value)
    }

    private static func isNumberByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: false
        }
    }

    /// Checks JSON's number grammar: true for a whole number, false for a float, nil for neither.
    private static func wholeness(of text: ArraySlice<UInt8>) -> Bool? {
        var rest = text
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        let whole = digits(&rest)
        guard whole > 0, whole == 1 || text[rest.startIndex - whole] != UInt8(ascii: "0") else { return nil }
        if rest.isEmpty { return true }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            guard digits(&rest) > 0 else { return nil }
        }
        if let letter = rest.first, letter | 0x20 == UInt8(ascii: "e") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
            guard digits(&rest) > 0 else { return nil }
        }
        return rest.isEmpty ? false : nil
    }

    private static func digits(_ rest: inout ArraySlice<UInt8>) -> Int {
        let count = rest.prefix { (0x30...0x39).contains($0) }.count
        rest = rest.dropFirst(count)
        return count
    }
}
