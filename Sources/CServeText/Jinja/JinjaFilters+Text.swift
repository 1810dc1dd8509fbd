// Filters of one text.

extension JinjaFilters {
    static let texts: [String: Filter] = [
        "trim": { interpreter, value, arguments in try interpreter.trimmed(value, arguments) },
        "upper": { _, value, _ in .string(value.printed.uppercased) },
        "lower": { _, value, _ in .string(value.printed.lowercased) },
        "capitalize": { _, value, _ in .string(value.printed.capitalized) },
        "title": { _, value, _ in .string(value.printed.titleFiltered) },
        "replace": { interpreter, value, arguments in try interpreter.replaceFilter(value, arguments) },
        "indent": { interpreter, value, arguments in try interpreter.indented(value, arguments) },
        "wordcount": { _, value, _ in .integer(value.printed.wordCount) },
        "format": { interpreter, value, arguments in
            .string(try interpreter.percentFormat(value.printed, interpreter.formatValues(arguments)))
        },
        "truncate": { interpreter, value, arguments in try interpreter.truncated(value, arguments) },
        "wordwrap": { interpreter, value, arguments in try interpreter.wrapped(value, arguments) },
        "center": { interpreter, value, arguments in try interpreter.centred(value, arguments) },
        "urlencode": { interpreter, value, _ in try interpreter.urlEncoded(value) },
        "striptags": { _, value, _ in .string(value.printed.withoutTags) },
    ]
}

extension JinjaInterpreter {
    func trimmed(_ value: JinjaValue, _ arguments: JinjaArguments) throws -> JinjaValue {
        let bound = try arguments.bound(to: ["chars"], of: "trim")
        let isDefault = bound[0]?.isNone ?? true
        let characters = isDefault ? nil : try bound.text(0, default: .empty, "chars").scalars
        return .string(value.printed.stripped(characters))
    }

    func replaceFilter(_ value: JinjaValue, _ arguments: JinjaArguments) throws -> JinjaValue {
        let bound = try arguments.bound(to: ["old", "new", "count"], of: "replace")
        guard let old = bound[0], let new = bound[1] else {
            throw JinjaFault(.type("replace() needs the old and the new text"))
        }
        let isUnlimited = bound[2]?.isNone ?? true
        let limit = isUnlimited ? -1 : try bound.integer(2, default: -1, "count")
        guard old.text != nil, new.text != nil else {
            if case .undefined(let why) = new { throw why.fault }
            throw JinjaFault(.type("replace() argument must be str, not \((old.text == nil ? old : new).typeName)"))
        }
        return .string(try replacing(old.printed, with: new.printed, in: value.printed, limit: limit))
    }

    func formatValues(_ arguments: JinjaArguments) throws -> JinjaValue {
        if !arguments.keyword.isEmpty, !arguments.positional.isEmpty {
            throw JinjaFault(.type("can't handle positional and keyword arguments at the same time"))
        }
        guard arguments.keyword.isEmpty else {
            var members = JinjaDictionary()
            for (name, value) in arguments.keyword { try members.set(.untrusted(name), value) }
            return .dictionary(members)
        }
        return .tuple(arguments.positional)
    }

    func indented(_ value: JinjaValue, _ arguments: JinjaArguments) throws -> JinjaValue {
        let bound = try arguments.bound(to: ["width", "first", "blank"], of: "indent")
        guard let text = value.text ?? (value.isUndefined ? .empty : nil) else {
            throw JinjaFault(.type("indent needs a string, not \(value.typeName)"))
        }
        var prefix = JinjaText("    ", trusted: false)
        if let width = bound[0] {
            let count = try bound[0]?.text == nil ? bound.integer(0, default: 4, "width") : 0
            try charge(text: max(0, count))
            prefix = width.text ?? JinjaText(String(repeating: " ", count: max(0, count)), trusted: false)
        }
        var lines = text.splitLines()
        if text.isEmpty || text.scalars.last?.isPythonLineEnd == true { lines.append(.empty) }
        let size = prefix.count.multipliedReportingOverflow(by: lines.count)
        try charge(text: size.overflow ? .max : size.partialValue &+ text.count)
        var result = bound.flag(1, default: false) ? prefix : .empty
        for (place, line) in lines.enumerated() {
            if place > 0 {
                result.append(JinjaText("\n", trusted: false))
                if !line.isEmpty || bound.flag(2, default: false) { result.append(prefix) }
            }
            result.append(line)
        }
        return .string(result)
    }

    func truncated(_ value: JinjaValue, _ arguments: JinjaArguments) throws -> JinjaValue {
        let bound = try arguments.bound(to: ["length", "killwords", "end", "leeway"], of: "truncate")
        let text = value.printed
        let end = try bound.text(2, default: JinjaText("...", trusted: true), "end")
        let length = try bound.integer(0, default: 255, "length")
        let leeway = bound[3]?.isNone ?? true ? 5 : try bound.integer(3, default: 5, "leeway")
        guard length >= end.count, leeway >= 0 else {
            throw JinjaFault(.value("truncate expects a length of at least \(end.count) and no negative leeway"))
        }
        if text.count <= length.addingReportingOverflow(leeway).partialValue || length > text.count {
            return .string(text)
        }
        var cut = text[0..<(length - end.count)]
        if !bound.flag(1, default: false), let space = cut.lastIndex(of: [" "]) { cut = cut[0..<space] }
        cut.append(end)
        return .string(cut)
    }

    func centred(_ value: JinjaValue, _ arguments: JinjaArguments) throws -> JinjaValue {
        let width = try arguments.bound(to: ["width"], of: "center").integer(0, default: 80, "width")
        var padded = JinjaArguments()
        padded.positional = [.integer(width)]
        return try callTextMethod("center", of: value.printed, padded)
    }

    func urlEncoded(_ value: JinjaValue) throws -> JinjaValue {
        switch value {
        case .dictionary(let members):
            return .string(try encodedPairs(members.members.map { [$0.key, $0.value] }))
        case .list(let list), .tuple(let list), .view(_, let list):
            return .string(try encodedPairs(try list.items.map { try items(of: $0) }))
        default: return .string(value.printed.percentEncoded(keepsSlash: true))
        }
    }

    private func encodedPairs(_ pairs: [[JinjaValue]]) throws -> JinjaText {
        let pieces = try pairs.map { pair in
            guard pair.count == 2 else { throw JinjaFault(.value("urlencode needs pairs of key and value")) }
            var piece = pair[0].printed.percentEncoded(keepsSlash: false)
            piece.append("=", trusted: false)
            piece.append(pair[1].printed.percentEncoded(keepsSlash: false))
            return piece
        }
        return try joined(pieces, with: JinjaText("&", trusted: false))
    }

    /// `wordwrap`: lines of at most `width` characters, broken at spaces and hyphens.
    func wrapped(_ value: JinjaValue, _ arguments: JinjaArguments) throws -> JinjaValue {
        let names = ["width", "break_long_words", "wrapstring", "break_on_hyphens"]
        let bound = try arguments.bound(to: names, of: "wordwrap")
        let width = try bound.integer(0, default: 79, "width")
        guard width > 0 else { throw JinjaFault(.value("invalid width \(width) (must be > 0)")) }
        let wrapper = TextWrapper(
            width: width, breaksLongWords: bound.flag(1, default: true), breaksOnHyphens: bound.flag(3, default: true))
        let separator = try bound.text(2, default: JinjaText("\n", trusted: false), "wrapstring")
        var lines: [JinjaText] = []
        for line in value.printed.splitLines() { lines.append(contentsOf: try joined(line, wrapper, separator)) }
        return .string(try joined(lines, with: separator))
    }

    private func joined(_ line: JinjaText, _ wrapper: TextWrapper, _ separator: JinjaText) throws -> [JinjaText] {
        [try joined(wrapper.lines(of: line), with: separator)]
    }
}

/// Python's `textwrap.TextWrapper` with white space kept as it is.
struct TextWrapper {
    let width: Int
    let breaksLongWords: Bool
    let breaksOnHyphens: Bool

    func lines(of text: JinjaText) -> [JinjaText] {
        var chunks = Array(self.chunks(of: text).reversed())
        var lines: [JinjaText] = []
        while !chunks.isEmpty {
            if !lines.isEmpty, chunks.last?.stripped().isEmpty == true { chunks.removeLast() }
            var line = JinjaText.empty
            while let chunk = chunks.last, line.count + chunk.count <= width {
                line.append(chunk)
                chunks.removeLast()
            }
            if let chunk = chunks.last, chunk.count > width { takeLong(chunk, into: &line, &chunks) }
            line = line.stripped(left: false)
            if !line.isEmpty { lines.append(line) }
        }
        return lines
    }

    private func takeLong(_ chunk: JinjaText, into line: inout JinjaText, _ chunks: inout [JinjaText]) {
        if breaksLongWords {
            let room = max(1, width - line.count)
            var cut = room
            if breaksOnHyphens, chunk.count > room,
                let hyphen = chunk.lastIndex(of: ["-"], to: room), hyphen > 0,
                chunk.scalars[..<hyphen].contains(where: { $0 != "-" })
            {
                cut = hyphen + 1
            }
            line.append(chunk[0..<cut])
            chunks[chunks.count - 1] = chunk[cut..<chunk.count]
        } else if line.isEmpty {
            line.append(chunk)
            chunks.removeLast()
        }
    }

    /// Words and white space in turn; words end behind a hyphen between letters.
    private func chunks(of text: JinjaText) -> [JinjaText] {
        var result: [JinjaText] = []
        var start = 0
        for place in 0..<text.count {
            let isLast = place + 1 == text.count
            let changes = !isLast && text.scalars[place].isPythonSpace != text.scalars[place + 1].isPythonSpace
            if isLast || changes || (breaksOnHyphens && endsAtHyphen(text, place, from: start)) {
                result.append(text[start..<place + 1])
                start = place + 1
            }
        }
        return result
    }

    private func endsAtHyphen(_ text: JinjaText, _ place: Int, from start: Int) -> Bool {
        guard text.scalars[place] == "-", place >= start + 2, place + 2 < text.count else { return false }
        func isLetter(_ index: Int) -> Bool { text.scalars[index].properties.isPythonAlpha }
        return isLetter(place - 1) && isLetter(place - 2) && isLetter(place + 1) && isLetter(place + 2)
    }
}

extension JinjaText {
    /// jinja2's `title`: every word's first letter in upper case, the rest in lower case.
    var titleFiltered: JinjaText {
        var result = JinjaText.empty
        var start = 0
        func isBreak(_ scalar: Unicode.Scalar) -> Bool {
            scalar.isPythonSpace || "-({[<".unicodeScalars.contains(scalar)
        }
        for place in 0...count {
            guard place == count || (place > start && isBreak(scalars[place]) != isBreak(scalars[start])) else {
                continue
            }
            if place > start {
                result.append(self[start..<start + 1].uppercased)
                result.append(self[start + 1..<place].lowercased)
            }
            start = place
        }
        return result
    }

    /// How many words: runs of letters, digits and underscores.
    var wordCount: Int {
        var count = 0
        var isInside = false
        for scalar in scalars {
            let properties = scalar.properties
            let isWord = scalar == "_" || properties.isPythonAlpha || properties.isPythonNumeric
            if isWord, !isInside { count += 1 }
            isInside = isWord
        }
        return count
    }

    /// `urllib.parse.quote`.
    func percentEncoded(keepsSlash: Bool) -> JinjaText {
        mapped { scalar in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "_", ".", "-", "~": return String(scalar)
            case "/" where keepsSlash: return "/"
            case " " where !keepsSlash: return "+"
            default:
                return String(scalar).utf8.map { byte in
                    "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
                }.joined()
            }
        }
    }

    /// Without comments and tags, white space in runs made one space; entities stay as they are.
    var withoutTags: JinjaText {
        var kept = JinjaText.empty
        var place = 0
        while place < count {
            if matches(Array("<!--".unicodeScalars), at: place),
                let end = firstIndex(of: Array("-->".unicodeScalars), from: place)
            {
                place = end + 3
            } else if scalars[place] == "<", let end = firstIndex(of: [">"], from: place) {
                place = end + 1
            } else {
                kept.append(scalars[place], trusted: isTrusted(at: place))
                place += 1
            }
        }
        return JinjaText(" ", trusted: false).joining(kept.splitAtSpace(limit: -1))
    }
}
