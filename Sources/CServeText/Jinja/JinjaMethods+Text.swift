// Python's string methods; every character of a result keeps its origin, padding counts as a user's.

extension JinjaInterpreter {
    /// Calls a string method.
    func callTextMethod(_ name: String, of text: JinjaText, _ arguments: JinjaArguments) throws -> JinjaValue {
        try charge(text: text.count)
        switch name {
        case "strip", "lstrip", "rstrip": return .string(try stripped(name, text, arguments))
        case "split", "rsplit", "splitlines": return try split(name, text, arguments)
        case "startswith", "endswith": return .bool(try hasAffix(name, text, arguments))
        case "find", "rfind", "index", "rindex", "count": return .integer(try found(name, text, arguments))
        case "replace": return .string(try replaced(text, arguments))
        case "join": return .string(try joined(text, arguments))
        case "partition", "rpartition": return try partitioned(name, text, arguments)
        case "zfill", "ljust", "rjust", "center": return .string(try padded(name, text, arguments))
        case "removeprefix", "removesuffix": return .string(try withoutAffix(name, text, arguments))
        case "expandtabs":
            return .string(
                try expanded(text, try arguments.bound(to: ["tabsize"], of: name).integer(0, default: 8, name)))
        case "format": return .string(try formatted(text, arguments))
        case "format_map": return .string(try formatMapped(text, arguments))
        default:
            _ = try arguments.bound(to: [], of: name)
            return try plainTextMethod(name, text)
        }
    }

    private func plainTextMethod(_ name: String, _ text: JinjaText) throws -> JinjaValue {
        switch name {
        case "upper": .string(text.uppercased)
        case "lower": .string(text.lowercased)
        case "casefold": .string(text.lowercased.mapped { $0 == "ß" ? "ss" : $0 == "ς" ? "σ" : String($0) })
        case "title": .string(text.titlecased)
        case "capitalize": .string(text.capitalized)
        case "swapcase": .string(text.swappedCase)
        case "isdigit": .bool(text.all { $0.isPythonDigit })
        case "isdecimal": .bool(text.all { $0.isPythonDecimal })
        case "isnumeric": .bool(text.all { $0.isPythonNumeric })
        case "isalpha": .bool(text.all { $0.isPythonAlpha })
        case "isalnum": .bool(text.all { $0.isPythonAlpha || $0.isPythonNumeric })
        case "isspace": .bool(!text.isEmpty && text.scalars.allSatisfy(\.isPythonSpace))
        case "isascii": .bool(text.scalars.allSatisfy(\.isASCII))
        case "isupper": .bool(text.isUpper)
        case "islower": .bool(text.isLower)
        case "istitle": .bool(text.isTitle)
        case "isidentifier": .bool(JinjaInterpreter.isIdentifier(text))
        case "isprintable": .bool(text.scalars.allSatisfy(JinjaText.isPrintable))
        default:
            throw JinjaFault(.unsupported("the string method '\(name)' is not available in chat templates"))
        }
    }

    private static func isIdentifier(_ text: JinjaText) -> Bool {
        guard let first = text.scalars.first, first == "_" || first.properties.isXIDStart else { return false }
        return text.scalars.dropFirst().allSatisfy { $0 == "_" || $0.properties.isXIDContinue }
    }

    private func stripped(_ name: String, _ text: JinjaText, _ arguments: JinjaArguments) throws -> JinjaText {
        let bound = try arguments.bound(to: ["chars"], of: name)
        let isDefault = bound[0]?.isNone ?? true
        let characters = isDefault ? nil : try bound.text(0, default: .empty, "chars").scalars
        return text.stripped(characters, left: name != "rstrip", right: name != "lstrip")
    }

    private func split(_ name: String, _ text: JinjaText, _ arguments: JinjaArguments) throws -> JinjaValue {
        if name == "splitlines" {
            let bound = try arguments.bound(to: ["keepends"], of: name)
            return try texts(text.splitLines(keepEnds: bound.flag(0, default: false)))
        }
        let bound = try arguments.bound(to: ["sep", "maxsplit"], of: name)
        let limit = try bound.integer(1, default: -1, "maxsplit")
        if bound[0]?.isNone ?? true {
            return try texts(name == "split" ? text.splitAtSpace(limit: limit) : text.splitAtSpaceFromEnd(limit: limit))
        }
        let separator = try bound.text(0, default: .empty, "sep").scalars
        guard !separator.isEmpty else { throw JinjaFault(.value("empty separator")) }
        return try texts(
            name == "split"
                ? text.split(by: separator, limit: limit) : text.splitFromEnd(by: separator, limit: limit))
    }

    private func texts(_ pieces: [JinjaText]) throws -> JinjaValue {
        try charge(list: pieces.count)
        return .list(pieces.map { .string($0) })
    }

    /// The range of characters that optional start and end arguments mean.
    private func window(_ bound: [JinjaValue?], _ count: Int) throws -> (start: Int, end: Int) {
        func place(_ index: Int, _ fallback: Int) throws -> Int {
            guard let value = bound[index], !value.isNone else { return fallback }
            let number = try bound.integer(index, default: fallback, "start")
            return number < 0 ? max(0, number + count) : number
        }
        return (try place(1, 0), min(count, try place(2, count)))
    }

    private func hasAffix(_ name: String, _ text: JinjaText, _ arguments: JinjaArguments) throws -> Bool {
        let bound = try arguments.bound(to: ["affix", "start", "end"], of: name)
        let (start, end) = try window(bound, text.count)
        var choices: [JinjaValue] = [bound[0] ?? .none]
        if case .tuple(let list) = choices[0] { choices = list.items }
        return try choices.contains { choice in
            if case .undefined(let why) = choice { throw why.fault }
            guard let affix = choice.text?.scalars else {
                throw JinjaFault(.type("\(name) first arg must be str or a tuple of str, not \(choice.typeName)"))
            }
            guard start <= end, affix.count <= end - start else { return false }
            return text.matches(affix, at: name == "startswith" ? start : end - affix.count)
        }
    }

    private func found(_ name: String, _ text: JinjaText, _ arguments: JinjaArguments) throws -> Int {
        let bound = try arguments.bound(to: ["sub", "start", "end"], of: name)
        guard bound[0] != nil else { throw JinjaFault(.type("\(name)() takes at least 1 argument (0 given)")) }
        let needle = try bound.text(0, default: .empty, "sub").scalars
        let (start, end) = try window(bound, text.count)
        if name == "count" { return text.occurrences(of: needle, from: start, to: end) }
        let place =
            name.hasPrefix("r")
            ? text.lastIndex(of: needle, from: start, to: end) : text.firstIndex(of: needle, from: start, to: end)
        if place == nil, name.hasSuffix("index") { throw JinjaFault(.value("substring not found")) }
        return place ?? -1
    }

    private func replaced(_ text: JinjaText, _ arguments: JinjaArguments) throws -> JinjaText {
        let bound = try arguments.bound(to: ["old", "new", "count"], of: "replace")
        guard bound[0] != nil, bound[1] != nil else {
            throw JinjaFault(.type("replace expected at least 2 arguments, got \(arguments.positional.count)"))
        }
        let old = try bound.text(0, default: .empty, "old")
        let new = try bound.text(1, default: .empty, "new")
        return try replacing(old, with: new, in: text, limit: try bound.integer(2, default: -1, "count"))
    }

    /// Replaces with the size of the result checked beforehand.
    func replacing(_ old: JinjaText, with new: JinjaText, in text: JinjaText, limit: Int) throws -> JinjaText {
        let places = text.occurrences(of: old.scalars)
        let size = new.count.multipliedReportingOverflow(by: limit < 0 ? places : min(limit, places))
        try charge(text: size.overflow ? .max : size.partialValue.addingReportingOverflow(text.count).partialValue)
        return text.replacing(old.scalars, with: new, limit: limit)
    }

    private func joined(_ text: JinjaText, _ arguments: JinjaArguments) throws -> JinjaText {
        let bound = try arguments.bound(to: ["iterable"], of: "join")
        guard let source = bound[0] else { throw JinjaFault(.type("join() takes exactly one argument (0 given)")) }
        let pieces = try items(of: source).enumerated().map { place, item in
            guard let piece = item.text else {
                throw JinjaFault(.type("sequence item \(place): expected str instance, \(item.typeName) found"))
            }
            return piece
        }
        return try joined(pieces, with: text)
    }

    /// Joins with the size of the result checked beforehand.
    func joined(_ pieces: [JinjaText], with separator: JinjaText) throws -> JinjaText {
        let gaps = separator.count.multipliedReportingOverflow(by: max(0, pieces.count - 1))
        var size = gaps.overflow ? Int.max / 2 : gaps.partialValue
        for piece in pieces where size < Int.max / 2 { size += piece.count }
        try charge(text: size)
        return separator.joining(pieces)
    }

    private func partitioned(_ name: String, _ text: JinjaText, _ arguments: JinjaArguments) throws -> JinjaValue {
        let separator = try arguments.bound(to: ["sep"], of: name).text(0, default: .empty, "sep").scalars
        guard !separator.isEmpty else { throw JinjaFault(.value("empty separator")) }
        let isLast = name == "rpartition"
        guard let place = isLast ? text.lastIndex(of: separator) : text.firstIndex(of: separator) else {
            let parts = isLast ? [JinjaText.empty, .empty, text] : [text, .empty, .empty]
            return .tuple(parts.map { .string($0) })
        }
        let end = place + separator.count
        return .tuple([text[0..<place], text[place..<end], text[end..<text.count]].map { .string($0) })
    }

    private func padded(_ name: String, _ text: JinjaText, _ arguments: JinjaArguments) throws -> JinjaText {
        let bound = try arguments.bound(to: ["width", "fillchar"], of: name)
        let width = try bound.integer(0, default: 0, "width")
        try charge(text: max(width, text.count))
        let space = JinjaText(" ", trusted: false)
        let fill = name == "zfill" ? JinjaText("0", trusted: false) : try bound.text(1, default: space, "fillchar")
        guard fill.count == 1 else { throw JinjaFault(.type("the fill character must be exactly one character long")) }
        let missing = max(0, width - text.count)
        switch name {
        case "ljust": return padded(text, fill, left: 0, right: missing)
        case "rjust": return padded(text, fill, left: missing, right: 0)
        case "center":
            let left = missing / 2 + (missing & width & 1)
            return padded(text, fill, left: left, right: missing - left)
        default:
            let signed = text.scalars.first == "-" || text.scalars.first == "+" ? 1 : 0
            var result = text[0..<signed]
            result.append(padded(text[signed..<text.count], fill, left: missing, right: 0))
            return result
        }
    }

    /// A text between repeated fill characters.
    func padded(_ text: JinjaText, _ fill: JinjaText, left: Int, right: Int) -> JinjaText {
        func run(_ count: Int) -> JinjaText {
            JinjaText(scalars: Array(repeating: fill.scalars[0], count: count), trusted: fill.isTrusted(at: 0))
        }
        var result = run(left)
        result.append(text)
        result.append(run(right))
        return result
    }

    private func withoutAffix(_ name: String, _ text: JinjaText, _ arguments: JinjaArguments) throws -> JinjaText {
        let affix = try arguments.bound(to: ["affix"], of: name).text(0, default: .empty, "affix").scalars
        guard affix.count <= text.count else { return text }
        if name == "removeprefix" { return text.matches(affix, at: 0) ? text[affix.count..<text.count] : text }
        let place = text.count - affix.count
        return text.matches(affix, at: place) ? text[0..<place] : text
    }

    private func expanded(_ text: JinjaText, _ size: Int) throws -> JinjaText {
        try charge(text: text.count.multipliedReportingOverflow(by: max(1, size)).overflow ? .max : text.count)
        var result = JinjaText.empty
        var column = 0
        for place in text.scalars.indices {
            let scalar = text.scalars[place]
            if scalar == "\t" {
                let width = size > 0 ? size - column % size : 0
                try charge(text: result.count + width)
                result.append(padded(.empty, JinjaText(" ", trusted: false), left: width, right: 0))
                column += width
            } else {
                result.append(scalar, trusted: text.isTrusted(at: place))
                column = scalar == "\n" || scalar == "\r" ? 0 : column + 1
            }
        }
        return result
    }
}
