import CServeCore
import Testing

@Suite("SHA-256")
struct SHA256Tests {
    @Test("NIST's example messages have their digests")
    func examples() {
        // Origin: FIPS 180-2 appendix B (one block, two blocks, a million letters) and NIST's byte vectors (empty message).
        let vectors: [(String, String)] = [
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (
                String(repeating: "a", count: 1_000_000),
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
            ),
        ]
        for (message, digest) in vectors { #expect(SHA256.hexadecimal(of: Array(message.utf8)) == digest) }
    }

    @Test("pieces give the digest of the whole")
    func pieces() {
        let message: [UInt8] = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        let whole: String = SHA256.hexadecimal(of: message)
        for size in [1, 3, 63, 64, 65, 128, 500] {
            var digest = SHA256()
            for start in stride(from: 0, to: message.count, by: size) {
                digest.update(message[start..<min(start + size, message.count)])
            }
            #expect(digest.finish() == whole)
        }
    }
}
