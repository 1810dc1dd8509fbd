// BERT's WordPiece: the longest known piece, again and again.
import CServeCore

/// A WordPiece model.
struct WordPieceModel: TokenModel {
    let vocabulary: Vocabulary
    private let prefix: [UInt8]
    private let unknownID: TokenID
    private let maximumCharacters: Int

    init(json: JSONValue) throws(TokenizerError) {
        vocabulary = try Vocabulary(json: json["vocab"], key: "model.vocab")
        prefix = Array((json["continuing_subword_prefix"]?.text ?? "##").utf8)
        maximumCharacters = json["max_input_chars_per_word"]?.integer ?? 100
        let unknown = json["unk_token"]?.text ?? "[UNK]"
        guard let id = vocabulary.id(unknown) else {
            throw .tokenOutOfVocabulary(token: unknown, neededBy: "model.unk_token")
        }
        unknownID = id
    }

    func tokenize(_ list: PieceList, workspace: inout ModelWorkspace, into ids: inout [TokenID]) {
        let bytes = list.bytes.span
        for piece in list.pieces {
            let start = ids.count
            if !appendPieces(bytes, piece, into: &ids) {
                ids.removeLast(ids.count - start)
                ids.append(unknownID)
            }
        }
    }

    /// Appends the pieces of a word; false where it is too long or some of it is not known.
    private func appendPieces(_ bytes: Span<UInt8>, _ piece: Piece, into ids: inout [TokenID]) -> Bool {
        var characters = 0
        for index in piece.start..<piece.end where !UTF8Bytes.isContinuation(bytes[index]) { characters += 1 }
        if characters > maximumCharacters { return false }
        var start = piece.start
        while start < piece.end {
            guard let (id, end) = longest(bytes, start, piece) else { return false }
            ids.append(id)
            start = end
        }
        return true
    }

    private func longest(_ bytes: Span<UInt8>, _ start: Int, _ piece: Piece) -> (TokenID, Int)? {
        var text = start > piece.start ? prefix : []
        for index in start..<piece.end { text.append(bytes[index]) }
        var end = piece.end
        while end > start {
            if let id = vocabulary.id(text) { return (id, end) }
            repeat {
                end -= 1
                text.removeLast()
            } while end > start && UTF8Bytes.isContinuation(bytes[end])
        }
        return nil
    }
}
