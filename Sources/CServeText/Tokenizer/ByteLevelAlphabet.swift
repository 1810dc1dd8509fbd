// GPT-2's trick: each byte has a printable character, so that a vocabulary of text can hold any bytes.

/// The 256 characters that stand for bytes.
enum ByteLevelAlphabet {
    /// The scalar of each byte: itself where it prints, else 256 and up in order.
    static let scalars: [UInt32] = {
        var scalars = [UInt32](repeating: 0, count: 256)
        var next: UInt32 = 256
        for byte in UInt32(0)..<256 {
            let prints = (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || (0xAE...0xFF).contains(byte)
            scalars[Int(byte)] = prints ? byte : next
            if !prints { next += 1 }
        }
        return scalars
    }()

    /// The byte of each scalar below 324; -1 for the others.
    private static let byteOfScalar: [Int16] = {
        var table = [Int16](repeating: -1, count: 324)
        for (byte, scalar) in scalars.enumerated() { table[Int(scalar)] = Int16(byte) }
        return table
    }()

    /// The UTF-8 of a byte's character.
    static func character(of byte: UInt8) -> [UInt8] { UTF8Bytes.encode(scalars[Int(byte)]) }

    /// The bytes that a text of such characters stands for; nil where another character is in it.
    static func bytes(of text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            guard scalar.value < 324, byteOfScalar[Int(scalar.value)] >= 0 else { return nil }
            bytes.append(UInt8(byteOfScalar[Int(scalar.value)]))
        }
        return bytes
    }
}

/// SentencePiece's tokens for single bytes, `<0x00>` to `<0xFF>`.
enum ByteFallback {
    /// The token of a byte.
    static func token(_ byte: UInt8) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return Array("<0x".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)], UInt8(ascii: ">")]
    }

    /// The byte of a token, where it is such a token.
    static func byte(_ token: String) -> UInt8? {
        guard token.utf8.count == 6, token.utf8.starts(with: "<0x".utf8), token.utf8.last == UInt8(ascii: ">") else {
            return nil
        }
        let digits = token.utf8.dropFirst(3).dropLast()
        guard digits.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }) else { return nil }
        return UInt8(String(decoding: Array(digits), as: UTF8.self), radix: 16)
    }
}
