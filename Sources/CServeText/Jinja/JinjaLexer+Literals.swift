// Numbers and strings of the template language.

extension JinjaLexer {
    /// Reads a number: `12`, `1_000`, `0x1f`, `1.5`, `2e3`.
    mutating func number() throws {
        let start = index
        if source[index] == "0", index + 1 < source.count, let radix = JinjaLexer.radix(of: source[index + 1]) {
            index += 2
            return try radixNumber(radix, from: start)
        }
        var text = digits()
        var isFloat = false
        if index + 1 < source.count, source[index] == ".", ("0"..."9").contains(source[index + 1]) {
            index += 1
            isFloat = true
            text += "." + digits()
        }
        if let exponent = exponent() {
            isFloat = true
            text += exponent
        }
        if isFloat {
            add(.float(Double(text) ?? .infinity), at: start)
        } else if let value = Int(text), text.count == 1 || text.first != "0" || value == 0 {
            add(.integer(value), at: start)
        } else {
            throw fault("the number '\(text)' does not fit 64 bits or starts with 0", at: start)
        }
    }

    private static func radix(of letter: Unicode.Scalar) -> Int? {
        switch letter {
        case "x", "X": 16
        case "o", "O": 8
        case "b", "B": 2
        default: nil
        }
    }

    private mutating func radixNumber(_ radix: Int, from start: Int) throws {
        var text = ""
        while index < source.count, source[index] == "_" || Character(source[index]).isHexDigit {
            if source[index] != "_" { text.unicodeScalars.append(source[index]) }
            index += 1
        }
        guard let value = Int(text, radix: radix) else {
            throw fault("the number does not fit 64 bits or has no digits", at: start)
        }
        add(.integer(value), at: start)
    }

    private mutating func digits() -> String {
        var text = ""
        while index < source.count {
            let isSeparator = source[index] == "_" && index + 1 < source.count && ("0"..."9").contains(source[index + 1])
            guard ("0"..."9").contains(source[index]) || isSeparator else { break }
            if !isSeparator { text.unicodeScalars.append(source[index]) }
            index += 1
        }
        return text
    }

    private mutating func exponent() -> String? {
        guard index < source.count, source[index] == "e" || source[index] == "E" else { return nil }
        var place = index + 1
        var sign = ""
        if place < source.count, source[place] == "+" || source[place] == "-" {
            sign = String(source[place])
            place += 1
        }
        guard place < source.count, ("0"..."9").contains(source[place]) else { return nil }
        index = place
        return "e" + sign + digits()
    }

    /// Reads a string with Python's escapes.
    mutating func string() throws {
        let start = index
        let quote = source[index]
        index += 1
        var text = String.UnicodeScalarView()
        while index < source.count, source[index] != quote {
            if source[index] == "\\" {
                try escape(into: &text)
            } else {
                text.append(source[index])
                index += 1
            }
        }
        guard index < source.count else { throw fault("the string has no end (\(quote))", at: start) }
        index += 1
        add(.string(String(text)), at: start)
    }

    private static let simpleEscapes: [Unicode.Scalar: Unicode.Scalar] = [
        "n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", "\"": "\"", "a": "\u{7}", "b": "\u{8}", "f": "\u{C}",
        "v": "\u{B}",
    ]

    private mutating func escape(into text: inout String.UnicodeScalarView) throws {
        let start = index
        guard index + 1 < source.count else { throw fault("the string has no end", at: start) }
        let letter = source[index + 1]
        index += 2
        if let simple = JinjaLexer.simpleEscapes[letter] { return text.append(simple) }
        switch letter {
        case "\n": return
        case "x": try hexEscape(2, from: start, into: &text)
        case "u": try hexEscape(4, from: start, into: &text)
        case "U": try hexEscape(8, from: start, into: &text)
        case "0"..."7": octalEscape(into: &text)
        case "N": throw fault("\\N{...} names are not supported; write the character itself", at: start)
        default:
            text.append("\\")
            text.append(letter)
        }
    }

    private mutating func hexEscape(_ length: Int, from start: Int, into text: inout String.UnicodeScalarView) throws {
        var value: UInt32 = 0
        for _ in 0..<length {
            guard index < source.count, let digit = Character(source[index]).hexDigitValue, source[index].isASCII else {
                throw fault("the escape needs \(length) hexadecimal digits", at: start)
            }
            value = value << 4 | UInt32(digit)
            index += 1
        }
        guard value <= 0x10FFFF else { throw fault("the escape is beyond Unicode", at: start) }
        text.append(Unicode.Scalar(value) ?? "\u{FFFD}")
    }

    private mutating func octalEscape(into text: inout String.UnicodeScalarView) {
        index -= 1
        var value: UInt32 = 0
        var length = 0
        while length < 3, index < source.count, ("0"..."7").contains(source[index]) {
            value = value << 3 | (source[index].value - 0x30)
            index += 1
            length += 1
        }
        text.append(Unicode.Scalar(value) ?? "\u{FFFD}")
    }
}
