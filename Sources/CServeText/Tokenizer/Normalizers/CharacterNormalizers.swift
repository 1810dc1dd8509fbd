// The normalizers that look at one character at a time.

/// What becomes of a character.
enum CharacterChange {
    case keep
    case drop
    case become([UInt32])
}

/// Rewrites a text character by character.
func mapCharacters(_ source: SourcedText, _ change: (UInt32) -> CharacterChange) -> SourcedText {
    let text = source.bytes.span
    var builder = SourcedTextBuilder(source)
    var position = 0
    var copied = 0
    while position < text.count {
        let (scalar, length) = UTF8Bytes.decode(text, at: position)
        let end = position + length
        switch change(scalar) {
        case .keep: break
        case .drop:
            builder.copy(copied..<position)
            copied = end
        case .become(let scalars):
            builder.copy(copied..<position)
            builder.replace(position..<end, with: scalars.flatMap { UTF8Bytes.encode($0) })
            copied = end
        }
        position = end
    }
    if copied == 0 { return source }
    builder.copy(copied..<text.count)
    return builder.finish()
}

/// The lower case of a character, without regard to its neighbours; nil where it is its own.
private func lowercase(_ scalar: UInt32) -> [UInt32]? {
    if scalar < 0x80 { return (0x41...0x5A).contains(scalar) ? [scalar + 0x20] : nil }
    guard let properties = Unicode.Scalar(scalar)?.properties else { return nil }
    let mapped = properties.lowercaseMapping.unicodeScalars.map(\.value)
    return mapped == [scalar] ? nil : mapped
}

/// `Lowercase`.
struct LowercaseNormalizer: NormalizerStage {
    func normalize(_ source: SourcedText) -> SourcedText {
        mapCharacters(source) { lowercase($0).map { .become($0) } ?? .keep }
    }
}

/// `StripAccents`.
struct StripAccentsNormalizer: NormalizerStage {
    func normalize(_ source: SourcedText) -> SourcedText {
        let table = UnicodeTable.shared
        return mapCharacters(source) { $0 >= 0x300 && table.has($0, .mark) ? .drop : .keep }
    }
}

/// `Nmt`: control characters go, unusual spaces become spaces.
struct NmtNormalizer: NormalizerStage {
    func normalize(_ source: SourcedText) -> SourcedText {
        mapCharacters(source) { scalar in
            switch scalar {
            case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: .drop
            case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD:
                .become([0x20])
            default: .keep
            }
        }
    }
}

/// `ByteLevel`: each byte becomes a printable character.
struct ByteLevelNormalizer: NormalizerStage {
    func normalize(_ source: SourcedText) -> SourcedText {
        var builder = SourcedTextBuilder(source)
        for index in source.bytes.indices {
            builder.replace(index..<(index + 1), with: ByteLevelAlphabet.character(of: source.bytes[index]))
        }
        return builder.finish()
    }
}

/// `BertNormalizer`.
struct BertNormalizer: NormalizerStage {
    private let cleansText: Bool
    private let separatesIdeographs: Bool
    private let stripsAccents: Bool
    private let lowercases: Bool

    init(json: JSONValue) {
        cleansText = json["clean_text"]?.boolean ?? true
        separatesIdeographs = json["handle_chinese_chars"]?.boolean ?? true
        lowercases = json["lowercase"]?.boolean ?? true
        stripsAccents = json["strip_accents"]?.boolean ?? lowercases
    }

    func normalize(_ source: SourcedText) -> SourcedText {
        let table = UnicodeTable.shared
        var text = source
        if cleansText { text = mapCharacters(text) { BertNormalizer.clean($0, table) } }
        if separatesIdeographs {
            text = mapCharacters(text) { BertNormalizer.isIdeograph($0) ? .become([0x20, $0, 0x20]) : .keep }
        }
        if stripsAccents {
            text = UnicodeNormalizer(form: .nfd).normalize(text)
            text = mapCharacters(text) { table.has($0, .one(.nonspacingMark)) ? .drop : .keep }
        }
        return lowercases ? LowercaseNormalizer().normalize(text) : text
    }

    private static func clean(_ scalar: UInt32, _ table: UnicodeTable) -> CharacterChange {
        if scalar == 0x09 || scalar == 0x0A || scalar == 0x0D { return .become([0x20]) }
        if scalar == 0 || scalar == 0xFFFD || table.has(scalar, .other) { return .drop }
        return table.isWhitespace(scalar) && scalar != 0x20 ? .become([0x20]) : .keep
    }

    private static func isIdeograph(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
            0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
            true
        default: false
        }
    }
}
