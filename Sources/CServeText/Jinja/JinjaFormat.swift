// `"..." % values` and `"...".format(...)`: the template's text with values spliced in, each with its own origin.

extension JinjaInterpreter {
    // MARK: The percent operator

    /// Formats as Python's `%` operator on strings.
    func percentFormat(_ format: JinjaText, _ values: JinjaValue) throws -> JinjaText {
        var formatter = PercentFormatter(format: format, values: values)
        while formatter.index < format.count {
            try formatter.next()
            try charge(text: formatter.result.count)
        }
        try formatter.finish()
        return formatter.result
    }

    // MARK: The format method

    /// `str.format` with positional and keyword arguments.
    func formatted(_ format: JinjaText, _ arguments: JinjaArguments) throws -> JinjaText {
        var named = JinjaDictionary()
        for (name, value) in arguments.keyword { try named.set(.untrusted(name), value) }
        return try formatted(format, arguments.positional, named)
    }

    /// `str.format_map` with a dictionary.
    func formatMapped(_ format: JinjaText, _ arguments: JinjaArguments) throws -> JinjaText {
        guard case .dictionary(let named)? = try arguments.bound(to: ["mapping"], of: "format_map")[0] else {
            throw JinjaFault(.type("format_map() needs a mapping"))
        }
        return try formatted(format, [], named)
    }

    private func formatted(
        _ format: JinjaText, _ positional: [JinjaValue], _ named: JinjaDictionary
    ) throws -> JinjaText {
        var result = JinjaText.empty
        var index = 0
        var automatic = 0
        while index < format.count {
            let scalar = format.scalars[index]
            guard scalar == "{" || scalar == "}" else {
                let start = index
                while index < format.count, format.scalars[index] != "{", format.scalars[index] != "}" { index += 1 }
                result.append(format[start..<index])
                continue
            }
            if index + 1 < format.count, format.scalars[index + 1] == scalar {
                result.append(format[index..<index + 1])
                index += 2
                continue
            }
            guard scalar == "{", let end = fieldEnd(format, from: index) else {
                throw JinjaFault(.value("Single '\(scalar)' encountered in format string"))
            }
            result.append(try field(format[index + 1..<end], positional, named, &automatic))
            try charge(text: result.count)
            index = end + 1
        }
        return result
    }

    private func fieldEnd(_ format: JinjaText, from start: Int) -> Int? {
        var depth = 0
        for place in start..<format.count {
            if format.scalars[place] == "{" { depth += 1 }
            if format.scalars[place] == "}" { depth -= 1 }
            if depth == 0 { return place }
        }
        return nil
    }

    private func field(
        _ field: JinjaText, _ positional: [JinjaValue], _ named: JinjaDictionary, _ automatic: inout Int
    ) throws -> JinjaText {
        let colon = field.firstIndex(of: [":"]) ?? field.count
        var reference = Array(field.scalars[..<colon])
        var specification = colon < field.count ? Array(field.scalars[(colon + 1)...]) : []
        var conversion: Unicode.Scalar?
        if reference.count > 1, reference[reference.count - 2] == "!" {
            conversion = reference.removeLast()
            reference.removeLast()
        }
        var value = try referenced(reference, positional, named, &automatic)
        if specification.contains("{") {
            let inner = JinjaText(scalars: specification, trusted: false)
            guard inner.occurrences(of: ["{"]) == 1, let end = inner.firstIndex(of: ["}"]),
                let start = inner.firstIndex(of: ["{"]), start < end
            else { throw JinjaFault(.value("Max string recursion exceeded")) }
            let width = try referenced(Array(inner.scalars[(start + 1)..<end]), positional, named, &automatic)
            specification = inner.scalars[..<start] + width.printed.scalars + inner.scalars[(end + 1)...]
        }
        if conversion == "r" { value = .string(value.representation) }
        if conversion == "s" { value = .string(value.printed) }
        if case .undefined(let why) = value, !specification.isEmpty { throw why.fault }
        return try FormatSpecification(parsing: specification).applied(to: value)
    }

    /// The value that a field names: `0`, `name`, `name.attribute`, `name[item]`.
    private func referenced(
        _ reference: [Unicode.Scalar], _ positional: [JinjaValue], _ named: JinjaDictionary, _ automatic: inout Int
    ) throws -> JinjaValue {
        var rest = reference[...]
        let first = JinjaText(scalars: Array(rest.prefix { $0 != "." && $0 != "[" }), trusted: false).string
        rest = rest.dropFirst(first.unicodeScalars.count)
        var value: JinjaValue
        if first.isEmpty || Int(first) != nil {
            let place = Int(first) ?? automatic
            if first.isEmpty { automatic += 1 }
            guard positional.indices.contains(place) else {
                throw JinjaFault(.value("Replacement index \(place) out of range for positional args tuple"))
            }
            value = positional[place]
        } else {
            guard let member = named[first] else {
                throw JinjaFault(.value("the format names '\(first)', which is missing"))
            }
            value = member
        }
        while let mark = rest.popFirst() {
            let name = Array(rest.prefix { mark == "." ? $0 != "." && $0 != "[" : $0 != "]" })
            rest = rest.dropFirst(name.count + (mark == "[" ? 1 : 0))
            let text = JinjaText(scalars: name, trusted: false)
            value =
                mark == "."
                ? try attribute(text.string, of: value)
                : try item(Int(text.string).map { .integer($0) } ?? .string(text), of: value)
        }
        return value
    }
}

/// The state of one `%` formatting.
struct PercentFormatter {
    let format: JinjaText
    let values: [JinjaValue]
    let mapping: JinjaDictionary?
    private let isTuple: Bool
    var index = 0
    var used = 0
    var result = JinjaText.empty
    private var usedMapping = false

    init(format: JinjaText, values: JinjaValue) {
        self.format = format
        if case .tuple(let list) = values {
            self.values = list.items
            isTuple = true
            mapping = nil
        } else {
            self.values = [values]
            isTuple = false
            if case .dictionary(let members) = values { mapping = members } else { mapping = nil }
        }
    }

    /// Copies text up to the next directive and applies that.
    mutating func next() throws {
        let start = index
        while index < format.count, format.scalars[index] != "%" { index += 1 }
        result.append(format[start..<index])
        guard index < format.count else { return }
        let percent = index
        index += 1
        let key = try mappingKey()
        var specification = try directive()
        guard index < format.count else { throw JinjaFault(.value("incomplete format")) }
        let letter = format.scalars[index]
        index += 1
        if letter == "%" {
            result.append(format[percent..<percent + 1])
            return
        }
        result.append(try converted(try argument(key), letter, &specification))
    }

    private mutating func mappingKey() throws -> JinjaText? {
        guard index < format.count, format.scalars[index] == "(" else { return nil }
        guard let end = format.firstIndex(of: [")"], from: index) else {
            throw JinjaFault(.value("incomplete format key"))
        }
        defer { index = end + 1 }
        return format[index + 1..<end]
    }

    private mutating func directive() throws -> FormatSpecification {
        var specification = FormatSpecification()
        specification.align = ">"
        var zero = false
        flags: while index < format.count {
            switch format.scalars[index] {
            case "-": specification.align = "<"
            case "0": zero = true
            case "+": specification.sign = "+"
            case " ": if specification.sign != "+" { specification.sign = " " }
            case "#": specification.alternate = true
            default: break flags
            }
            index += 1
        }
        specification.width = try size() ?? 0
        if specification.width < 0 {
            specification.align = "<"
            specification.width = -specification.width
        }
        if index < format.count, format.scalars[index] == "." {
            index += 1
            specification.precision = max(0, try size() ?? 0)
        }
        if zero, specification.align == ">" { (specification.fill, specification.align) = ("0", "=") }
        return specification
    }

    private mutating func size() throws -> Int? {
        if index < format.count, format.scalars[index] == "*" {
            index += 1
            guard let width = try argument(nil).integer, abs(max(width, -Int.max)) <= FormatSpecification.longest else {
                throw JinjaFault(.type("* wants an int of at most \(FormatSpecification.longest)"))
            }
            return width
        }
        var rest = format.scalars[index...]
        let number = try FormatSpecification.number(&rest)
        index = rest.startIndex
        return number
    }

    private mutating func argument(_ key: JinjaText?) throws -> JinjaValue {
        if let key {
            guard let mapping else { throw JinjaFault(.type("format requires a mapping")) }
            usedMapping = true
            guard let value = try mapping.value(of: .string(key)) else {
                throw JinjaFault(.value("the format names '\(key.string)', which is missing"))
            }
            return value
        }
        guard used < values.count else { throw JinjaFault(.type("not enough arguments for format string")) }
        defer { used += 1 }
        return values[used]
    }

    private func converted(
        _ value: JinjaValue, _ letter: Unicode.Scalar, _ specification: inout FormatSpecification
    ) throws -> JinjaText {
        switch letter {
        case "s", "r", "a":
            if specification.align == "=" { (specification.fill, specification.align) = (" ", ">") }
            return try specification.applied(to: .string(letter == "s" ? value.printed : value.representation))
        case "d", "i", "u", "x", "X", "o": return try wholeConverted(value, letter, &specification)
        case "c":
            if let text = value.text, text.count == 1 { return try specification.applied(to: value) }
            specification.type = "c"
            guard value.integer != nil else { throw JinjaFault(.type("%c requires int or char")) }
            return try specification.applied(to: value)
        case "e", "E", "f", "F", "g", "G":
            specification.type = letter
            if case .undefined(let why) = value { throw why.fault }
            guard let number = value.number else {
                throw JinjaFault(.type("must be real number, not \(value.typeName)"))
            }
            return try specification.applied(to: .float(number))
        default: throw JinjaFault(.value("unsupported format character '\(letter)'"))
        }
    }

    private func wholeConverted(
        _ value: JinjaValue, _ letter: Unicode.Scalar, _ specification: inout FormatSpecification
    ) throws -> JinjaText {
        if case .undefined(let why) = value { throw why.fault }
        specification.type = letter == "i" || letter == "u" ? "d" : letter
        var number = value
        if case .float(let real) = value, specification.type == "d" {
            guard let whole = Int(exactly: real.rounded(.towardZero)) else { throw JinjaInterpreter.tooBig }
            number = .integer(whole)
        }
        guard let whole = number.integer else {
            throw JinjaFault(.type("%\(letter) format: a real number is required, not \(value.typeName)"))
        }
        if let precision = specification.precision {
            guard precision <= 400 else { throw JinjaFault(.value("a precision beyond 400 is not laid out")) }
            let digits = String(whole.magnitude, radix: letter == "x" || letter == "X" ? 16 : letter == "o" ? 8 : 10)
            let zeros = String(repeating: "0", count: max(0, precision - digits.count))
            specification.precision = nil
            specification.type = nil
            let sign = whole < 0 ? "-" : specification.sign == "-" ? "" : String(specification.sign)
            return try specification.applied(to: .untrusted(sign + zeros + digits))
        }
        return try specification.applied(to: .integer(whole))
    }

    /// Checks that every argument was used.
    func finish() throws {
        if mapping != nil || (!isTuple && usedMapping) { return }
        if case .list? = values.first, !isTuple, used == 0 { return }
        guard used >= values.count else {
            throw JinjaFault(.type("not all arguments converted during string formatting"))
        }
    }
}
