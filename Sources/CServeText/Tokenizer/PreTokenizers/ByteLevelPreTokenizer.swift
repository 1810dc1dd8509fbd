// GPT-2's pre-tokenizer: words, and each byte a printable character.

/// `ByteLevel`.
struct ByteLevelPreTokenizer: PreTokenizerStage {
    private let addsPrefixSpace: Bool
    private let usesRegex: Bool
    /// Whether the characters are written out; false where the model takes raw bytes as such characters.
    var writesCharacters = true

    init(json: JSONValue) {
        addsPrefixSpace = json["add_prefix_space"]?.boolean ?? true
        usesRegex = json["use_regex"]?.boolean ?? true
    }

    func apply(to list: inout PieceList) {
        if addsPrefixSpace {
            list.rewrite { text, piece, _, output in
                if text[piece.start] != 0x20 { output.append(0x20) }
                for index in piece.start..<piece.end { output.append(text[index]) }
            }
        }
        if usesRegex { list.refine { SplitScanner.gpt2.split($0, $1, into: &$2) } }
        if writesCharacters {
            list.rewrite { text, piece, _, output in
                for index in piece.start..<piece.end {
                    UTF8Bytes.append(ByteLevelAlphabet.scalars[Int(text[index])], to: &output)
                }
            }
        } else {
            list.isByteLevel = true
        }
    }
}
