// Walks over JSON in place: of hundreds of megabytes of a log only the wanted fields become values.

/// A place in JSON text; the walk goes forward only.
struct JSONCursor {
    let bytes: [UInt8]
    let end: Int
    var index: Int
    /// Whether an array or object was just entered, so that no comma stands before the next element.
    private var isFresh: Bool = false

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        index = range.lowerBound
        end = range.upperBound
    }

    /// Why the walk stopped.
    struct Failure: Error {
        var index: Int
        var expected: String
    }

    /// The next byte that is not white space; 0 at the end.
    mutating func peek() -> UInt8 {
        while index < end {
            let byte: UInt8 = bytes[index]
            if byte > 0x20 { return byte }
            index += 1
        }
        return 0
    }

    /// Takes an opening bracket.
    mutating func enter(_ bracket: Unicode.Scalar, _ expected: String) throws(Failure) {
        guard peek() == UInt8(ascii: bracket) else { throw Failure(index: index, expected: expected) }
        index += 1
        isFresh = true
    }

    /// Whether another element follows; takes the comma before it, or the closing bracket.
    mutating func nextElement() throws(Failure) -> Bool {
        let byte: UInt8 = peek()
        if byte == UInt8(ascii: "]") {
            index += 1
            isFresh = false
            return false
        }
        try comma(byte, "',' or ']'")
        return true
    }

    /// The next member's key as written between its quotes; nil behind the last.
    mutating func nextKey() throws(Failure) -> Range<Int>? {
        let byte: UInt8 = peek()
        if byte == UInt8(ascii: "}") {
            index += 1
            isFresh = false
            return nil
        }
        try comma(byte, "',' or '}'")
        guard peek() == UInt8(ascii: "\"") else { throw Failure(index: index, expected: "a key in quotes") }
        let key: Range<Int> = try string()
        guard peek() == UInt8(ascii: ":") else { throw Failure(index: index, expected: "':'") }
        index += 1
        return key
    }

    private mutating func comma(_ byte: UInt8, _ expected: String) throws(Failure) {
        if isFresh {
            isFresh = false
        } else {
            guard byte == UInt8(ascii: ",") else { throw Failure(index: index, expected: expected) }
            index += 1
        }
    }

    /// Takes a string; the bytes between its quotes, escapes as written.
    mutating func string() throws(Failure) -> Range<Int> {
        guard peek() == UInt8(ascii: "\"") else { throw Failure(index: index, expected: "a string") }
        let start: Int = index + 1
        var place: Int = start
        while place < end {
            let byte: UInt8 = bytes[place]
            if byte == UInt8(ascii: "\"") {
                index = place + 1
                return start..<place
            }
            place += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        throw Failure(index: start - 1, expected: "a string with its closing quote")
    }

    /// Takes a number as written.
    private mutating func literal() throws(Failure) -> Range<Int> {
        _ = peek()
        let start: Int = index
        while index < end {
            switch bytes[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
                UInt8(ascii: "e"), UInt8(ascii: "E"):
                index += 1
            default:
                guard index > start else { throw Failure(index: start, expected: "a number") }
                return start..<index
            }
        }
        guard index > start else { throw Failure(index: start, expected: "a number") }
        return start..<index
    }

    /// Takes a number.
    mutating func number() throws(Failure) -> Double {
        let range: Range<Int> = try literal()
        if let whole = TraceText.whole(bytes, range) { return Double(whole) }
        guard let value = Double(String(decoding: bytes[range], as: UTF8.self)), value.isFinite else {
            throw Failure(index: range.lowerBound, expected: "a number")
        }
        return value
    }

    /// Takes a whole number (`12` or `12.0`).
    mutating func whole() throws(Failure) -> Int {
        let start: Int = index
        let range: Range<Int> = try literal()
        if let whole = TraceText.whole(bytes, range) { return whole }
        guard let value = Double(String(decoding: bytes[range], as: UTF8.self)), let whole = Int(exactly: value) else {
            throw Failure(index: start, expected: "a whole number")
        }
        return whole
    }

    /// Takes a whole number of 64 bits without sign.
    mutating func unsigned() throws(Failure) -> UInt64 {
        let range: Range<Int> = try literal()
        guard let value = UInt64(String(decoding: bytes[range], as: UTF8.self)) else {
            throw Failure(index: range.lowerBound, expected: "a whole number from 0 on")
        }
        return value
    }

    /// Passes over a value of any kind; brackets and strings are checked, other words are not.
    mutating func skipValue() throws(Failure) {
        switch peek() {
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "{"), UInt8(ascii: "["): try skipGroup()
        case 0: throw Failure(index: index, expected: "a value")
        default:
            let start: Int = index
            while index < end, JSONCursor.isWordByte(bytes[index]) { index += 1 }
            guard index > start else { throw Failure(index: start, expected: "a value") }
        }
        isFresh = false
    }

    private mutating func skipGroup() throws(Failure) {
        let start: Int = index
        var depth: Int = 0
        while index < end {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                _ = try string()
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
            index += 1
            if depth == 0 { return }
        }
        throw Failure(index: start, expected: "an object or list with its closing bracket")
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    /// Checks that nothing follows.
    mutating func finish() throws(Failure) {
        guard peek() == 0 else { throw Failure(index: index, expected: "the end of the line") }
    }

    /// Whether the bytes of a range are these.
    func matches(_ range: Range<Int>, _ text: StaticString) -> Bool {
        range.count == text.utf8CodeUnitCount && bytes[range].elementsEqual("\(text)".utf8)
    }

    /// The bytes of a range as text.
    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
}
