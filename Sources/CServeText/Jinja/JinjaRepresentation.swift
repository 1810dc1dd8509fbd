// How values print: Python's `str` and `repr`, with the origin of every character kept.

import CServeCore

extension JinjaValue {
    /// `str(value)`: what `{{ value }}` prints.
    var printed: JinjaText {
        if case .string(let text) = self { return text }
        if case .undefined = self { return .empty }
        return representation
    }

    /// `repr(value)`.
    var representation: JinjaText {
        switch self {
        case .undefined: return JinjaText("Undefined", trusted: false)
        case .none: return JinjaText("None", trusted: false)
        case .bool(let flag): return JinjaText(flag ? "True" : "False", trusted: false)
        case .integer(let value): return JinjaText(String(value), trusted: false)
        case .bigInteger(let digits): return JinjaText(digits, trusted: false)
        case .float(let value): return JinjaText(value.pythonDescription, trusted: false)
        case .string(let text): return text.quoted
        case .list(let list): return JinjaValue.bracketed(list.items, "[", "]")
        case .tuple(let list): return JinjaValue.bracketed(list.items, "(", list.items.count == 1 ? ",)" : ")")
        case .view(let view, let list): return JinjaValue.viewed(view, list)
        case .dictionary(let dictionary): return dictionary.representation
        case .object(let object): return object.representation
        case .function(let name): return JinjaText("<function \(name)>", trusted: false)
        case .method(let method):
            return JinjaText("<built-in method \(method.name) of \(method.receiver.typeName) object>", trusted: false)
        }
    }

    private static func bracketed(_ items: [JinjaValue], _ open: String, _ close: String) -> JinjaText {
        var result = JinjaText(open, trusted: false)
        result.append(JinjaText(", ", trusted: false).joining(items.map(\.representation)))
        result.append(JinjaText(close, trusted: false))
        return result
    }

    private static func viewed(_ view: JinjaView, _ list: JinjaList) -> JinjaText {
        switch view {
        case .generator: return JinjaText("<generator object>", trusted: false)
        case .range:
            let first = list.items.first?.integer ?? 0
            let last = list.items.last?.integer ?? -1
            let step = list.items.count > 1 ? (list.items[1].integer ?? 0) - first : 1
            let suffix = step == 1 ? "" : ", \(step)"
            return JinjaText("range(\(first), \(last + step)\(suffix))", trusted: false)
        default:
            var result = JinjaText(view.rawValue + "(", trusted: false)
            result.append(bracketed(list.items, "[", "]"))
            result.append(JinjaText(")", trusted: false))
            return result
        }
    }
}

extension JinjaDictionary {
    var representation: JinjaText {
        var result = JinjaText("{", trusted: false)
        for (place, member) in members.enumerated() {
            if place > 0 { result.append(JinjaText(", ", trusted: false)) }
            result.append(member.key.representation)
            result.append(JinjaText(": ", trusted: false))
            result.append(member.value.representation)
        }
        result.append(JinjaText("}", trusted: false))
        return result
    }
}

extension JinjaObject {
    /// What Python prints for the object; a namespace's members are left out, as they may hold the namespace itself.
    var representation: JinjaText {
        switch self {
        case let loop as JinjaLoop:
            JinjaText("<LoopContext \(loop.index + 1)/\(loop.items.count)>", trusted: false)
        case let macro as JinjaMacro:
            JinjaText("<Macro \(macro.definition.name.map { "'\($0)'" } ?? "anonymous")>", trusted: false)
        default: JinjaText("<\(typeName)>", trusted: false)
        }
    }
}

extension JinjaText {
    /// `repr` of a string: single quotes unless only double ones avoid escapes.
    var quoted: JinjaText {
        let quote: Unicode.Scalar = scalars.contains("'") && !scalars.contains("\"") ? "\"" : "'"
        var result = JinjaText(scalars: [quote], trusted: false)
        result.append(mapped { scalar in JinjaText.pythonEscape(scalar, quote: quote) })
        result.append(JinjaText(scalars: [quote], trusted: false))
        return result
    }

    private static func pythonEscape(_ scalar: Unicode.Scalar, quote: Unicode.Scalar) -> String {
        switch scalar {
        case quote, "\\": return "\\" + String(scalar)
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        default: break
        }
        if isPrintable(scalar) { return String(scalar) }
        let digits = String(scalar.value, radix: 16)
        let (letter, width) = scalar.value <= 0xFF ? ("x", 2) : scalar.value <= 0xFFFF ? ("u", 4) : ("U", 8)
        return "\\\(letter)" + String(repeating: "0", count: width - digits.count) + digits
    }

    /// What `repr` shows as it is.
    static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        case .spaceSeparator: scalar == " "
        default: true
        }
    }
}
