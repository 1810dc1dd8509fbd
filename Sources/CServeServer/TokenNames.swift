// How a token is spelled in logprobs: as text, as bytes, or as its id.

import CServeCore

/// Spells tokens for one request.
struct TokenNames: Sendable {
    let codec: any TextCodec
    let asIDs: Bool

    /// The bytes that the token stands for; special tokens stand for their own name.
    func bytes(_ token: TokenID) -> [UInt8] {
        let bytes: [UInt8] = codec.tokenBytes(token)
        return bytes.isEmpty ? Array((codec.token(token) ?? "").utf8) : bytes
    }

    /// The token as chat responses write it; broken characters show as U+FFFD, the bytes stand beside it.
    func name(_ token: TokenID) -> String {
        asIDs ? "token_id:\(token)" : String(decoding: bytes(token), as: UTF8.self)
    }

    /// The token as a key: parts of characters are spelled `bytes:\xe4\xb8`, as OpenAI does, so that keys differ.
    func key(_ token: TokenID) -> String {
        guard !asIDs else { return "token_id:\(token)" }
        let bytes: [UInt8] = bytes(token)
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        return "bytes:"
            + bytes.map { byte in
                let hex: String = String(byte, radix: 16)
                return "\\x" + (hex.count == 1 ? "0" + hex : hex)
            }.joined()
    }
}
