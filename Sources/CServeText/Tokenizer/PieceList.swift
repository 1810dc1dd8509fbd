// What flows between the stages: a buffer of text and the ranges of it that are words.

/// A range of a buffer.
struct Piece: Hashable, Sendable {
    var start: Int
    var end: Int
}

/// Text cut into pieces, each of which the next stage treats on its own.
struct PieceList: Sendable {
    var bytes: [UInt8]
    var pieces: ContiguousArray<Piece>
    /// Whether the first piece begins where the whole text begins (Metaspace's "first" asks).
    var beginsText: Bool
    /// Whether each byte stands for a byte-level character that nobody has written out.
    var isByteLevel = false

    /// The whole buffer as one piece.
    init(bytes: [UInt8], beginsText: Bool) {
        self.bytes = bytes
        self.beginsText = beginsText
        pieces = bytes.isEmpty ? [] : [Piece(start: 0, end: bytes.count)]
    }

    /// Replaces each piece by the pieces that a function finds in it; empty pieces are dropped.
    mutating func refine(_ cut: (Span<UInt8>, Piece, inout ContiguousArray<Piece>) -> Void) {
        let result = refined(cut)
        if let before = pieces.first, result.first?.start != before.start { beginsText = false }
        pieces = result
    }

    private func refined(_ cut: (Span<UInt8>, Piece, inout ContiguousArray<Piece>) -> Void) -> ContiguousArray<Piece> {
        var result: ContiguousArray<Piece> = []
        result.reserveCapacity(max(pieces.count, bytes.count / 4))
        let text = bytes.span
        for piece in pieces { cut(text, piece, &result) }
        return result
    }

    /// Rewrites each piece into a new buffer; the function appends the new text of a piece.
    mutating func rewrite(_ write: (Span<UInt8>, Piece, _ isFirst: Bool, inout [UInt8]) -> Void) {
        (bytes, pieces) = rewritten(write)
    }

    private func rewritten(
        _ write: (Span<UInt8>, Piece, _ isFirst: Bool, inout [UInt8]) -> Void
    ) -> ([UInt8], ContiguousArray<Piece>) {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count + bytes.count / 2)
        var result = pieces
        let text = bytes.span
        for index in pieces.indices {
            let start = output.count
            write(text, pieces[index], index == 0, &output)
            result[index] = Piece(start: start, end: output.count)
        }
        return (output, result)
    }
}
