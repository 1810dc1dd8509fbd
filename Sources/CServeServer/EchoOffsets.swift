// Where a prompt's tokens stand in its echo, although not every token is part of the text and not every space its own.

import CServeCore

/// Finds tokens in the text that they came from.
enum EchoOffsets {
    /// Offsets in Unicode scalars, never decreasing and never beyond the text.
    ///
    /// A special token that the tokenizer added itself has no width; nor has the space that it puts before a text.
    static func offsets(of tokens: [TokenID], in echo: String, _ codec: any TextCodec) -> [Int] {
        let text: [UInt8] = Array(echo.utf8)
        var place: Int = 0
        var offset: Int = 0
        return tokens.map { token in
            let start: Int = offset
            let end: Int = min(text.count, place + width(of: token, codec, text[place...]))
            offset += text[place..<end].count { $0 & 0xC0 != 0x80 }
            place = end
            return start
        }
    }

    /// Bytes of the rest of the text that a token stands for.
    private static func width(of token: TokenID, _ codec: any TextCodec, _ rest: ArraySlice<UInt8>) -> Int {
        let bytes: [UInt8] = codec.tokenBytes(token)
        if bytes.isEmpty {
            let name: [UInt8] = Array((codec.token(token) ?? "").utf8)
            return rest.starts(with: name) ? name.count : 0
        }
        let space: UInt8 = UInt8(ascii: " ")
        let addsSpace: Bool = bytes.first == space && rest.first != space
        return addsSpace ? bytes.count - 1 : bytes.count
    }
}
