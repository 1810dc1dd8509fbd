// The table of filters: jinja2's own that make sense in a chat template, and transformers' `tojson`.

/// All filters by name.
enum JinjaFilters {
    typealias Filter = @Sendable (JinjaInterpreter, JinjaValue, JinjaArguments) throws -> JinjaValue

    /// Filters of one text, of lists, of numbers and of values in general.
    static let table: [String: Filter] = texts.merging(lists) { $1 }.merging(selections) { $1 }.merging(values) { $1 }

    private static let values: [String: Filter] = [
        "default": { interpreter, value, arguments in try interpreter.defaulted(value, arguments) },
        "d": { interpreter, value, arguments in try interpreter.defaulted(value, arguments) },
        "string": { _, value, _ in .string(value.text ?? value.printed) },
        "tojson": { interpreter, value, arguments in try interpreter.json(value, arguments) },
        "safe": { _, value, _ in .string(value.printed) },
        "escape": { _, value, _ in .string(value.printed.htmlEscaped) },
        "e": { _, value, _ in .string(value.printed.htmlEscaped) },
        "forceescape": { _, value, _ in .string(value.printed.htmlEscaped) },
        "int": { interpreter, value, arguments in try interpreter.whole(value, arguments) },
        "float": { interpreter, value, arguments in try interpreter.real(value, arguments) },
        "round": { interpreter, value, arguments in try interpreter.rounded(value, arguments) },
        "abs": { interpreter, value, _ in try interpreter.absolute(value) },
        "attr": { interpreter, value, arguments in try interpreter.attributeFilter(value, arguments) },
        "pprint": { _, value, _ in .string(value.representation) },
        "filesizeformat": { interpreter, value, arguments in try interpreter.fileSize(value, arguments) },
        "random": { _, _, _ in
            throw JinjaFault(.unsupported("the filter 'random' is not available: prompts must be reproducible"))
        },
    ]
}

extension JinjaInterpreter {
    /// Applies a filter.
    func filter(_ name: String, _ value: JinjaValue, _ arguments: JinjaArguments) throws -> JinjaValue {
        guard let filter = JinjaFilters.table[name] else { throw JinjaFault(.unknownFilter(name)) }
        if case .undefined(let why) = value, why.isForbidden { throw why.fault }
        return try checked(try filter(self, value, arguments))
    }

    func defaulted(_ value: JinjaValue, _ arguments: JinjaArguments) throws -> JinjaValue {
        let bound = try arguments.bound(to: ["default_value", "boolean"], of: "default")
        let isMissing = value.isUndefined || (bound.flag(1, default: false) && !value.isTrue)
        return isMissing ? bound[0] ?? .string(.empty) : value
    }

    func attributeFilter(_ value: JinjaValue, _ arguments: JinjaArguments) throws -> JinjaValue {
        let name = try arguments.bound(to: ["name"], of: "attr").text(0, default: .empty, "name").string
        if case .dictionary = value, !JinjaMethods.names(value).contains(name) {
            return .undefined(JinjaUndefined(message: "'dict object' has no attribute '\(name)'"))
        }
        return try attribute(name, of: value)
    }

    func whole(_ value: JinjaValue, _ arguments: JinjaArguments) throws -> JinjaValue {
        let bound = try arguments.bound(to: ["default", "base"], of: "int")
        let fallback = bound[0] ?? .integer(0)
        switch value {
        case .integer, .bigInteger: return value
        case .bool(let flag): return .integer(flag ? 1 : 0)
        case .float(let number):
            guard number.isFinite else { return fallback }
            guard let result = Int(exactly: number.rounded(.towardZero)) else { throw JinjaInterpreter.tooBig }
            return .integer(result)
        case .string(let text):
            return try JinjaInterpreter.parsed(text, base: try bound.integer(1, default: 10, "base")) ?? fallback
        case .undefined(let why): throw why.fault
        default: return fallback
        }
    }

    /// A text read as a whole number; a float's text is cut off.
    private static func parsed(_ text: JinjaText, base: Int) throws -> JinjaValue? {
        var digits = text.stripped().string
        guard base == 0 || (2...36).contains(base) else { return nil }
        let negative = digits.hasPrefix("-")
        if negative || digits.hasPrefix("+") { digits.removeFirst() }
        let body = withoutPrefix(digits.lowercased(), base: base)
        let groups = body.digits.split(separator: "_", omittingEmptySubsequences: false)
        if !groups.contains(""), !body.digits.hasPrefix("+"), !body.digits.hasPrefix("-") {
            if let result = Int((negative ? "-" : "") + groups.joined(), radix: body.base) { return .integer(result) }
            if groups.joined().allSatisfy({ $0.isNumber && $0.isASCII }), body.base == 10 { throw tooBig }
        }
        guard base == 10, let number = number(from: text) else { return nil }
        guard number.isFinite else { return nil }
        guard let result = Int(exactly: number.rounded(.towardZero)) else { throw tooBig }
        return .integer(result)
    }

    private static func withoutPrefix(_ digits: String, base: Int) -> (digits: String, base: Int) {
        for (prefix, value) in [("0x", 16), ("0o", 8), ("0b", 2)] where digits.hasPrefix(prefix) {
            if base == value || base == 0 { return (String(digits.dropFirst(2)), value) }
        }
        return (digits, base == 0 ? 10 : base)
    }

    /// A text read as a float, as Python's `float` reads it.
    static func number(from text: JinjaText) -> Double? {
        let digits = text.stripped().string.lowercased()
        let unsigned = digits.hasPrefix("-") || digits.hasPrefix("+") ? String(digits.dropFirst()) : digits
        if ["nan", "inf", "infinity"].contains(unsigned) { return Double(digits) }
        guard let first = unsigned.first, first.isASCII, first.isNumber || first == "." else { return nil }
        guard !unsigned.contains("x"), !unsigned.contains("p") else { return nil }
        if unsigned.hasPrefix("_") || unsigned.hasSuffix("_") || unsigned.contains("__") { return nil }
        let plain = digits.replacing("_", with: "")
        let padded = plain.replacing(".e", with: ".0e") + (plain.hasSuffix(".") ? "0" : "")
        if padded == "." || padded == "-." || padded == "+." { return nil }
        return Double(padded)
    }

    func real(_ value: JinjaValue, _ arguments: JinjaArguments) throws -> JinjaValue {
        let fallback = try arguments.bound(to: ["default"], of: "float")[0] ?? .float(0)
        if case .undefined(let why) = value { throw why.fault }
        if let number = value.number { return .float(number) }
        guard let text = value.text else { return fallback }
        return JinjaInterpreter.number(from: text).map { .float($0) } ?? fallback
    }

    func absolute(_ value: JinjaValue) throws -> JinjaValue {
        if case .float(let number) = value { return .float(abs(number)) }
        if let number = value.integer {
            guard number != Int.min else { throw JinjaInterpreter.tooBig }
            return .integer(abs(number))
        }
        if case .undefined(let why) = value { throw why.fault }
        throw JinjaFault(.type("bad operand type for abs(): '\(value.typeName)'"))
    }

    func rounded(_ value: JinjaValue, _ arguments: JinjaArguments) throws -> JinjaValue {
        let bound = try arguments.bound(to: ["precision", "method"], of: "round")
        let precision = try bound.integer(0, default: 0, "precision")
        let method = try bound.text(1, default: JinjaText("common", trusted: true), "method").string
        guard ["common", "ceil", "floor"].contains(method) else {
            throw JinjaFault(.value("method must be common, ceil or floor"))
        }
        if case .undefined(let why) = value { throw why.fault }
        guard let number = value.number, abs(precision) <= 300 else {
            throw JinjaFault(.type("'\(value.typeName)' object cannot be rounded"))
        }
        if method == "common" {
            if let whole = value.integer, precision >= 0 { return .integer(whole) }
            return .float(FormatSpecification.rounded(number, precision))
        }
        let factor = PowerOfTen.value(precision)
        return .float((method == "ceil" ? (number * factor).rounded(.up) : (number * factor).rounded(.down)) / factor)
    }

    func fileSize(_ value: JinjaValue, _ arguments: JinjaArguments) throws -> JinjaValue {
        let binary = try arguments.bound(to: ["binary"], of: "filesizeformat").flag(0, default: false)
        guard let size = value.number ?? value.text.flatMap(JinjaInterpreter.number) else {
            throw JinjaFault(.type("'\(value.typeName)' object is not a size"))
        }
        let base: Double = binary ? 1024 : 1000
        if size == 1 { return .untrusted("1 Byte") }
        if size < base { return .untrusted("\(Int(size)) Bytes") }
        let units = binary ? ["KiB", "MiB", "GiB", "TiB", "PiB"] : ["kB", "MB", "GB", "TB", "PB"]
        var scaled = size / base
        var unit = 0
        while scaled >= base, unit < units.count - 1 {
            scaled /= base
            unit += 1
        }
        return .untrusted(FormatSpecification.fixed(scaled, 1) + " " + units[unit])
    }
}

extension JinjaText {
    /// `markupsafe.escape`.
    var htmlEscaped: JinjaText {
        mapped { scalar in
            switch scalar {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            case "'": "&#39;"
            case "\"": "&#34;"
            default: String(scalar)
            }
        }
    }
}
