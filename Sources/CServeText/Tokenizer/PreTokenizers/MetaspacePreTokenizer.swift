// SentencePiece's way with spaces: each becomes a visible character, one may be put in front, and words begin with it.

/// `Metaspace`.
struct MetaspacePreTokenizer: PreTokenizerStage {
    enum PrependScheme: String, CaseIterable, Sendable {
        case first
        case never
        case always
    }

    private let replacement: [UInt8]
    private let scheme: PrependScheme
    private let splits: Bool

    init(json: JSONValue) throws(TokenizerError) {
        let stage = "pre_tokenizer.Metaspace"
        guard let text = json["replacement"]?.text, text.unicodeScalars.count == 1 else {
            throw .malformed(key: "\(stage).replacement", expected: "one character")
        }
        replacement = Array(text.utf8)
        scheme = try MetaspacePreTokenizer.scheme(json, stage: stage)
        splits = json["split"]?.boolean ?? true
    }

    /// The scheme, also as old files write it (`add_prefix_space`).
    static func scheme(_ json: JSONValue, stage: String) throws(TokenizerError) -> PrependScheme {
        var scheme = PrependScheme.always
        if let name = json["prepend_scheme"]?.text {
            guard let known = PrependScheme(rawValue: name) else {
                let names = PrependScheme.allCases.map(\.rawValue).joined(separator: ", ")
                throw .malformed(key: "\(stage).prepend_scheme", expected: "one of \(names)")
            }
            scheme = known
        }
        guard json["add_prefix_space"]?.boolean == false else { return scheme }
        let isDeclared = json["prepend_scheme"]?.text != nil
        if isDeclared, scheme != .never {
            throw .malformed(key: "\(stage).prepend_scheme", expected: "\"never\", because add_prefix_space is false")
        }
        return .never
    }

    func apply(to list: inout PieceList) {
        let beginsText = list.beginsText
        list.rewrite { text, piece, isFirst, output in
            if prepends(isTextStart: isFirst && beginsText), !startsWithSpace(text, piece) {
                output.append(contentsOf: replacement)
            }
            for index in piece.start..<piece.end {
                if text[index] == 0x20 { output.append(contentsOf: replacement) } else { output.append(text[index]) }
            }
        }
        guard splits else { return }
        list.refine { text, piece, pieces in cut(text, piece, into: &pieces) }
    }

    private func prepends(isTextStart: Bool) -> Bool { scheme == .always || (scheme == .first && isTextStart) }

    private func startsWithSpace(_ text: Span<UInt8>, _ piece: Piece) -> Bool {
        text[piece.start] == 0x20 || isReplacement(text, piece.start, piece.end)
    }

    @inline(__always)
    private func isReplacement(_ text: Span<UInt8>, _ position: Int, _ end: Int) -> Bool {
        guard text[position] == replacement[0], position &+ replacement.count <= end else { return false }
        for offset in replacement.indices where text[position &+ offset] != replacement[offset] { return false }
        return true
    }

    /// Each replacement begins a piece.
    private func cut(_ text: Span<UInt8>, _ piece: Piece, into pieces: inout ContiguousArray<Piece>) {
        var start = piece.start
        var position = piece.start
        while position < piece.end {
            if isReplacement(text, position, piece.end), position > start {
                pieces.append(Piece(start: start, end: position))
                start = position
            }
            position &+= UTF8Bytes.length(first: text[position])
        }
        pieces.append(Piece(start: start, end: piece.end))
    }
}
