// Numbers and texts laid out as Python's format language asks: width, sign, precision and type.

import Foundation

/// Powers of ten for rounding.
enum PowerOfTen {
    static func value(_ exponent: Int) -> Double { pow(10, Double(exponent)) }
}

/// `[[fill]align][sign][#][0][width][grouping][.precision][type]`, also what a `%` directive says.
struct FormatSpecification {
    var fill: Unicode.Scalar = " "
    var align: Unicode.Scalar?
    var sign: Unicode.Scalar = "-"
    var alternate = false
    var width = 0
    var grouping: Unicode.Scalar?
    var precision: Int?
    var type: Unicode.Scalar?

    /// The widest field and the longest precision that are laid out.
    static let longest = 100_000

    init() {}

    /// Reads the part behind the colon of a replacement field.
    init(parsing text: [Unicode.Scalar]) throws {
        var rest = text[...]
        if rest.count > 1, "<>=^".unicodeScalars.contains(rest[rest.startIndex + 1]) {
            fill = rest.removeFirst()
            align = rest.removeFirst()
        } else if let first = rest.first, "<>=^".unicodeScalars.contains(first) {
            align = rest.removeFirst()
        }
        if let first = rest.first, "+- ".unicodeScalars.contains(first) { sign = rest.removeFirst() }
        if rest.first == "#" {
            alternate = true
            rest.removeFirst()
        }
        if rest.first == "0", align == nil {
            fill = "0"
            align = "="
        }
        width = try FormatSpecification.number(&rest) ?? 0
        if rest.first == "," || rest.first == "_" { grouping = rest.removeFirst() }
        if rest.first == "." {
            rest.removeFirst()
            guard let digits = try FormatSpecification.number(&rest) else {
                throw JinjaFault(.value("Format specifier missing precision"))
            }
            precision = digits
        }
        type = rest.popFirst()
        guard rest.isEmpty else { throw JinjaFault(.value("Invalid format specifier")) }
    }

    /// Digits as a bounded number; nil without digits.
    static func number(_ rest: inout ArraySlice<Unicode.Scalar>) throws -> Int? {
        var value: Int?
        while let digit = rest.first, ("0"..."9").contains(digit) {
            value = (value ?? 0) * 10 + Int(digit.value - 0x30)
            guard value ?? 0 <= longest else {
                throw JinjaFault(.value("a width or precision beyond \(longest) is not laid out"))
            }
            rest.removeFirst()
        }
        return value
    }

    /// Lays out a value.
    func applied(to value: JinjaValue) throws -> JinjaText {
        switch value {
        case .string(let text): return try laidOut(text)
        case .integer, .bool, .bigInteger:
            if case .bool = value, type == nil { return try laidOut(value.printed) }
            return try laidOut(integer: value)
        case .float(let number): return padded(try digits(of: number), defaultAlign: ">")
        default:
            guard type == nil, width == 0, precision == nil else {
                throw JinjaFault(.type("unsupported format string passed to \(value.typeName).__format__"))
            }
            return value.printed
        }
    }

    private func laidOut(_ text: JinjaText) throws -> JinjaText {
        guard type == nil || type == "s", align != "=" || fill == "0" else {
            throw JinjaFault(.value("Unknown format code for object of type 'str'"))
        }
        return padded(precision.map { text[0..<min($0, text.count)] } ?? text, defaultAlign: "<")
    }

    private func laidOut(integer value: JinjaValue) throws -> JinjaText {
        guard let number = value.integer else { return padded(value.printed, defaultAlign: ">") }
        let radices: [Unicode.Scalar: (Int, String)] = [
            "x": (16, "0x"), "X": (16, "0X"), "o": (8, "0o"), "b": (2, "0b"),
        ]
        if let type, let (radix, prefix) = radices[type] {
            let digits = String(number.magnitude, radix: radix, uppercase: type == "X")
            return padded(signed((alternate ? prefix : "") + digits, negative: number < 0), defaultAlign: ">")
        }
        switch type {
        case nil, "d", "n":
            guard precision == nil else {
                throw JinjaFault(.value("Precision not allowed in integer format specifier"))
            }
            return padded(signed(grouped(String(number.magnitude)), negative: number < 0), defaultAlign: ">")
        case "c":
            guard let scalar = UInt32(exactly: number).flatMap(Unicode.Scalar.init) else {
                throw JinjaFault(.value("%c arg not in range(0x110000)"))
            }
            return padded(JinjaText(scalars: [scalar], trusted: false), defaultAlign: "<")
        default: return padded(try digits(of: Double(number)), defaultAlign: ">")
        }
    }

    private func signed(_ digits: String, negative: Bool) -> JinjaText {
        JinjaText((negative ? "-" : sign == "-" ? "" : String(sign)) + digits, trusted: false)
    }

    private func grouped(_ digits: String) -> String {
        guard let grouping else { return digits }
        var result = ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place) % 3 == 0 { result.unicodeScalars.append(grouping) }
            result.append(digit)
        }
        return result
    }

    private func digits(of number: Double) throws -> JinjaText {
        let negative = number.sign == .minus && !number.isNaN
        if !number.isFinite { return signed(number.isNaN ? "nan" : "inf", negative: negative) }
        let size = number.magnitude
        switch type {
        case "f", "F": return signed(groupedFloat(FormatSpecification.fixed(size, precision ?? 6)), negative: negative)
        case "%": return signed(FormatSpecification.fixed(size * 100, precision ?? 6) + "%", negative: negative)
        case "e", "E": return signed(printf(size, type == "e" ? "e" : "E"), negative: negative)
        case "g", "G": return signed(printf(size, type == "g" ? "g" : "G"), negative: negative)
        case nil:
            guard precision != nil else { return signed(groupedFloat(size.pythonDescription), negative: negative) }
            let short = printf(size, "g")
            return signed(short.contains(where: { $0 == "." || $0 == "e" }) ? short : short + ".0", negative: negative)
        default: throw JinjaFault(.value("Unknown format code '\(type.map(String.init) ?? "")' for a float"))
        }
    }

    private func printf(_ number: Double, _ letter: String) -> String {
        String(format: "%.\(min(precision ?? 6, 400))\(letter)", number)
    }

    private func groupedFloat(_ text: String) -> String {
        let parts = text.split(separator: ".", maxSplits: 1)
        guard let whole = parts.first, grouping != nil, !text.contains("e") else { return text }
        return grouped(String(whole)) + (parts.count > 1 ? "." + parts[1] : "")
    }

    /// A number with so many digits behind the point.
    static func fixed(_ number: Double, _ digits: Int) -> String {
        String(format: "%.\(min(digits, 400))f", number)
    }

    /// Python's `round`: exact decimal rounding.
    static func rounded(_ number: Double, _ digits: Int) -> Double {
        guard number.isFinite else { return number }
        if digits >= 0 { return Double(fixed(number, digits)) ?? number }
        let factor = PowerOfTen.value(-digits)
        return (number / factor).rounded(.toNearestOrEven) * factor
    }

    private func padded(_ text: JinjaText, defaultAlign: Unicode.Scalar) -> JinjaText {
        let missing = max(0, width - text.count)
        guard missing > 0 else { return text }
        func run(_ count: Int) -> JinjaText { JinjaText(scalars: Array(repeating: fill, count: count), trusted: false) }
        var result = JinjaText.empty
        let align = align == "=" && defaultAlign == "<" ? "<" : align ?? defaultAlign
        switch align {
        case "<": for piece in [text, run(missing)] { result.append(piece) }
        case "^": for piece in [run(missing / 2), text, run(missing - missing / 2)] { result.append(piece) }
        case "=":
            let signs = text.scalars.first.map { "+- ".unicodeScalars.contains($0) } == true ? 1 : 0
            for piece in [text[0..<signs], run(missing), text[signs..<text.count]] { result.append(piece) }
        default: for piece in [run(missing), text] { result.append(piece) }
        }
        return result
    }
}
