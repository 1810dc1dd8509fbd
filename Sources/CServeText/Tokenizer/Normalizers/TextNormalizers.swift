// The normalizers that insert, replace and strip text.

/// `Prepend`.
struct PrependNormalizer: NormalizerStage {
    private let text: [UInt8]

    init(json: JSONValue) throws(TokenizerError) {
        guard let text = json["prepend"]?.text else {
            throw .malformed(key: "normalizer.Prepend.prepend", expected: "a string")
        }
        self.text = Array(text.utf8)
    }

    func normalize(_ source: SourcedText) -> SourcedText {
        if source.bytes.isEmpty { return source }
        var builder = SourcedTextBuilder(source)
        builder.replace(0..<0, with: text)
        builder.copy(0..<source.bytes.count)
        return builder.finish()
    }
}

/// What a replacement looks for: a plain string or a regular expression.
enum ReplacementPattern: Sendable {
    case literal([UInt8])
    case regex(RegexProgram)

    init(json: JSONValue?, stage: String) throws(TokenizerError) {
        if let text = json?["String"]?.text {
            self = .literal(Array(text.utf8))
        } else if let text = json?["Regex"]?.text {
            self = .regex(try RegexProgram(text))
        } else {
            throw .malformed(key: "\(stage).pattern", expected: "{\"String\": ...} or {\"Regex\": ...}")
        }
    }

    /// Calls back for every match in a text.
    func forEachMatch(in text: [UInt8], _ body: (Piece) -> Void) {
        let whole = Piece(start: 0, end: text.count)
        if text.isEmpty { return }
        switch self {
        case .literal(let literal): LiteralSearch.forEachMatch(literal, text.span, whole, body)
        case .regex(let program):
            var matcher = RegexMatcher(program, textLength: text.count)
            matcher.forEachMatch(text.span, whole, body)
        }
    }
}

/// `Replace`.
struct ReplaceNormalizer: NormalizerStage {
    private let pattern: ReplacementPattern
    private let content: [UInt8]

    init(json: JSONValue) throws(TokenizerError) {
        pattern = try ReplacementPattern(json: json["pattern"], stage: "normalizer.Replace")
        guard let text = json["content"]?.text else {
            throw .malformed(key: "normalizer.Replace.content", expected: "a string")
        }
        content = Array(text.utf8)
    }

    func normalize(_ source: SourcedText) -> SourcedText {
        var builder = SourcedTextBuilder(source)
        var copied = 0
        pattern.forEachMatch(in: source.bytes) { match in
            builder.copy(copied..<match.start)
            builder.replace(match.start..<match.end, with: content)
            copied = match.end
        }
        builder.copy(copied..<source.bytes.count)
        return builder.finish()
    }
}

/// `Strip`.
struct StripNormalizer: NormalizerStage {
    private let left: Bool
    private let right: Bool

    init(json: JSONValue) {
        left = json["strip_left"]?.boolean ?? false
        right = json["strip_right"]?.boolean ?? false
    }

    func normalize(_ source: SourcedText) -> SourcedText {
        let table = UnicodeTable.shared
        let text = source.bytes.span
        var (start, end) = (0, text.count)
        while left, start < end {
            let (scalar, length) = UTF8Bytes.decode(text, at: start)
            if !table.isWhitespace(scalar) { break }
            start += length
        }
        while right, end > start {
            let (scalar, length) = UTF8Bytes.decodeBackward(text, before: end)
            if !table.isWhitespace(scalar) { break }
            end -= length
        }
        var builder = SourcedTextBuilder(source)
        builder.copy(start..<end)
        return builder.finish()
    }
}
