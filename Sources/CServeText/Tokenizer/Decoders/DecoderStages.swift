// The decoders, each as Hugging Face defines it.

/// `ByteLevel`: characters that stand for bytes become those bytes, all tokens together.
struct ByteLevelDecoder: DecoderStage {
    func decode(_ tokens: [String]) -> [String] {
        let bytes = tokens.flatMap { ByteLevelAlphabet.bytes(of: $0) ?? Array($0.utf8) }
        return [String(decoding: bytes, as: UTF8.self)]
    }
}

/// `Metaspace`: the visible character becomes a space, and goes at the text's beginning.
struct MetaspaceDecoder: DecoderStage {
    private let replacement: Unicode.Scalar
    private let dropsFirst: Bool

    init(json: JSONValue) throws(TokenizerError) {
        guard let text = json["replacement"]?.text, let scalar = text.unicodeScalars.first else {
            throw .malformed(key: "decoder.Metaspace.replacement", expected: "one character")
        }
        replacement = scalar
        dropsFirst = try MetaspacePreTokenizer.scheme(json, stage: "decoder.Metaspace") != .never
    }

    func decode(_ tokens: [String]) -> [String] {
        tokens.enumerated().map { index, token in
            var text = String.UnicodeScalarView()
            for scalar in token.unicodeScalars {
                if scalar != replacement {
                    text.append(scalar)
                } else if index > 0 || !dropsFirst {
                    text.append(" ")
                }
            }
            return String(text)
        }
    }
}

/// `ByteFallback`: runs of `<0xNN>` become text where they are UTF-8, and one replacement character each elsewhere.
struct ByteFallbackDecoder: DecoderStage {
    func decode(_ tokens: [String]) -> [String] {
        var result: [String] = []
        var bytes: [UInt8] = []
        for token in tokens {
            if let byte = ByteFallback.byte(token) {
                bytes.append(byte)
            } else {
                flush(&bytes, into: &result)
                result.append(token)
            }
        }
        flush(&bytes, into: &result)
        return result
    }

    private func flush(_ bytes: inout [UInt8], into result: inout [String]) {
        if bytes.isEmpty { return }
        if let text = String(validating: bytes, as: UTF8.self) {
            result.append(text)
        } else {
            result.append(contentsOf: repeatElement("\u{FFFD}", count: bytes.count))
        }
        bytes.removeAll()
    }
}

/// `Fuse`: all tokens become one.
struct FuseDecoder: DecoderStage {
    func decode(_ tokens: [String]) -> [String] { [tokens.joined()] }
}

/// `Strip`: up to so many of one character go from each token's beginning and end.
struct StripDecoder: DecoderStage {
    private let content: Unicode.Scalar
    private let start: Int
    private let stop: Int

    init(json: JSONValue) throws(TokenizerError) {
        guard let text = json["content"]?.text, let scalar = text.unicodeScalars.first else {
            throw .malformed(key: "decoder.Strip.content", expected: "one character")
        }
        content = scalar
        start = json["start"]?.integer ?? 0
        stop = json["stop"]?.integer ?? 0
    }

    func decode(_ tokens: [String]) -> [String] {
        tokens.map { token in
            var scalars = Substring(token).unicodeScalars
            var left = start
            while left > 0, scalars.first == content {
                scalars.removeFirst()
                left -= 1
            }
            left = stop
            while left > 0, scalars.last == content {
                scalars.removeLast()
                left -= 1
            }
            return String(scalars)
        }
    }
}

/// `Replace`.
struct ReplaceDecoder: DecoderStage {
    private let pattern: ReplacementPattern
    private let content: [UInt8]

    init(json: JSONValue) throws(TokenizerError) {
        pattern = try ReplacementPattern(json: json["pattern"], stage: "decoder.Replace")
        guard let text = json["content"]?.text else {
            throw .malformed(key: "decoder.Replace.content", expected: "a string")
        }
        content = Array(text.utf8)
    }

    func decode(_ tokens: [String]) -> [String] {
        tokens.map { token in
            let bytes = Array(token.utf8)
            var output: [UInt8] = []
            var copied = 0
            pattern.forEachMatch(in: bytes) { match in
                output.append(contentsOf: bytes[copied..<match.start])
                output.append(contentsOf: content)
                copied = match.end
            }
            output.append(contentsOf: bytes[copied...])
            return String(decoding: output, as: UTF8.self)
        }
    }
}

/// `WordPiece`: continued pieces join, others get a space; spaces before punctuation may go.
struct WordPieceDecoder: DecoderStage {
    private let prefix: String
    private let cleansUp: Bool

    init(json: JSONValue) {
        prefix = json["prefix"]?.text ?? "##"
        cleansUp = json["cleanup"]?.boolean ?? true
    }

    func decode(_ tokens: [String]) -> [String] {
        tokens.enumerated().map { index, token in
            var text = token
            if index > 0 {
                let continues = token.utf8.starts(with: prefix.utf8)
                text = continues ? String(decoding: Array(token.utf8.dropFirst(prefix.utf8.count)), as: UTF8.self) : " " + token
            }
            return cleansUp ? WordPieceDecoder.cleanedUp(text) : text
        }
    }

    private static let cleanups: [(String, String)] = [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
        (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ]

    private static func cleanedUp(_ text: String) -> String {
        cleanups.reduce(text) { ByteReplacement.replacing($1.0, with: $1.1, in: $0) }
    }
}

/// `BPEDecoder`: the end-of-word suffix becomes a space, except at the end of the text.
struct SuffixDecoder: DecoderStage {
    private let suffix: String

    init(json: JSONValue) { suffix = json["suffix"]?.text ?? "</w>" }

    func decode(_ tokens: [String]) -> [String] {
        tokens.enumerated().map { index, token in
            ByteReplacement.replacing(suffix, with: index == tokens.count - 1 ? "" : " ", in: token)
        }
    }
}

/// Replaces text by its exact bytes (String's own search unites canonically equivalent text).
enum ByteReplacement {
    static func replacing(_ old: String, with new: String, in text: String) -> String {
        let bytes = Array(text.utf8)
        var output: [UInt8] = []
        var copied = 0
        LiteralSearch.forEachMatch(Array(old.utf8), bytes.span, Piece(start: 0, end: bytes.count)) { match in
            output.append(contentsOf: bytes[copied..<match.start])
            output.append(contentsOf: Array(new.utf8))
            copied = match.end
        }
        output.append(contentsOf: bytes[copied...])
        return String(decoding: output, as: UTF8.self)
    }
}
