// `tojson` as transformers defines it: Python's json.dumps without HTML escapes, origins of characters kept.

import CServeCore

/// Options of `json.dumps`.
struct JinjaJSONWriter {
    var isASCII = false
    var indent: JinjaText?
    var comma = JinjaText(", ", trusted: false)
    var colon = JinjaText(": ", trusted: false)
    var sortsKeys = false
    var output = JinjaText.empty

    mutating func write(_ value: JinjaValue, level: Int) throws {
        switch value {
        case .none: put("null")
        case .bool(let flag): put(flag ? "true" : "false")
        case .integer(let number): put(String(number))
        case .bigInteger(let digits): put(digits)
        case .float(let number): put(JinjaJSONWriter.text(of: number))
        case .string(let text): write(text)
        case .list(let list), .tuple(let list):
            try writeGroup("[", "]", list.items, level) { try $0.write($1, level: level + 1) }
        case .dictionary(let members): try write(members, level: level)
        case .undefined(let why) where why.isForbidden: throw why.fault
        default: throw JinjaFault(.type("Object of type \(value.typeName) is not JSON serializable"))
        }
    }

    private static func text(of number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
        return number.pythonDescription
    }

    private mutating func write(_ dictionary: JinjaDictionary, level: Int) throws {
        var members = dictionary.members
        if sortsKeys { members = try members.sorted { try JinjaValue.less($0.key, $1.key) } }
        try writeGroup("{", "}", members, level) { writer, member in
            writer.write(try JinjaJSONWriter.keyText(member.key))
            writer.output.append(writer.colon)
            try writer.write(member.value, level: level + 1)
        }
    }

    private static func keyText(_ key: JinjaValue) throws -> JinjaText {
        switch key {
        case .string(let text): return text
        case .none: return JinjaText("null", trusted: false)
        case .bool(let flag): return JinjaText(flag ? "true" : "false", trusted: false)
        case .integer, .bigInteger: return key.printed
        case .float(let number): return JinjaText(text(of: number), trusted: false)
        default: throw JinjaFault(.type("keys must be str, int, float, bool or None, not \(key.typeName)"))
        }
    }

    private mutating func writeGroup<Element>(
        _ open: String, _ close: String, _ elements: [Element], _ level: Int,
        _ write: (inout JinjaJSONWriter, Element) throws -> Void
    ) throws {
        put(open)
        for (place, element) in elements.enumerated() {
            if place > 0 { output.append(comma) }
            newLine(level + 1)
            try write(&self, element)
        }
        if !elements.isEmpty { newLine(level) }
        put(close)
    }

    private mutating func newLine(_ level: Int) {
        guard let indent else { return }
        put("\n")
        for _ in 0..<level { output.append(indent) }
    }

    private mutating func put(_ text: String) { output.append(JinjaText(text, trusted: false)) }

    private mutating func write(_ text: JinjaText) {
        put("\"")
        let escapesAll = isASCII
        output.append(text.mapped { JinjaJSONWriter.escape($0, escapesAll) })
        put("\"")
    }

    private static func escape(_ scalar: Unicode.Scalar, _ escapesAll: Bool) -> String {
        if scalar.value < 0x80 {
            if scalar.value == 0x7F { return String(scalar) }
            return JSONEscape.text(of: UInt8(scalar.value)) ?? String(scalar)
        }
        guard escapesAll else { return String(scalar) }
        return String(scalar).utf16.map { unit in
            let digits = String(unit, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }.joined()
    }
}

extension JinjaInterpreter {
    /// The filter `tojson(ensure_ascii=False, indent=None, separators=None, sort_keys=False)`.
    func json(_ value: JinjaValue, _ arguments: JinjaArguments) throws -> JinjaValue {
        let names = ["ensure_ascii", "indent", "separators", "sort_keys"]
        let bound = try arguments.bound(to: names, of: "tojson")
        var writer = JinjaJSONWriter()
        writer.isASCII = bound.flag(0, default: false)
        writer.sortsKeys = bound.flag(3, default: false)
        if let indent = bound[1], !indent.isNone {
            let width = indent.text == nil ? try bound.integer(1, default: 0, "indent") : 0
            guard width <= 256 else {
                throw JinjaFault(.value("tojson: an indent of \(width) is too wide; use at most 256"))
            }
            writer.indent = indent.text ?? JinjaText(String(repeating: " ", count: max(0, width)), trusted: false)
            writer.comma = JinjaText(",", trusted: false)
        }
        if let separators = bound[2], !separators.isNone {
            let pair = try items(of: separators)
            guard pair.count == 2, let comma = pair[0].text, let colon = pair[1].text else {
                throw JinjaFault(.type("tojson: separators must be two strings"))
            }
            writer.comma = comma
            writer.colon = colon
        }
        try writer.write(value, level: 0)
        try charge(text: writer.output.count)
        return .string(writer.output)
    }
}
