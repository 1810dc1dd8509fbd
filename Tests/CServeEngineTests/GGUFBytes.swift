// Writes GGUF files for tests, right and wrong ones.

import Foundation

/// The bytes of a GGUF file.
struct GGUFBytes {
    /// The committed files (Tools/parity/make_gguf.py made them).
    static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/gguf").path

    private(set) var bytes: [UInt8] = []

    /// Appends a little-endian number.
    mutating func add<Number: FixedWidthInteger>(_ number: Number) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Appends a string with its length.
    mutating func add(_ text: String) {
        add(UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    /// Appends the first 24 bytes.
    mutating func head(magic: String = "GGUF", version: UInt32 = 3, tensors: UInt64, values: UInt64) {
        bytes.append(contentsOf: magic.utf8)
        add(version)
        add(tensors)
        add(values)
    }

    /// Appends a tensor's description; sizes as the file has them, the innermost first.
    mutating func tensor(_ name: String, _ sizes: [UInt64], type: UInt32, offset: UInt64) {
        add(name)
        add(UInt32(sizes.count))
        for size in sizes { add(size) }
        add(type)
        add(offset)
    }

    /// Fills up to a multiple of 32 and appends data.
    mutating func data(_ count: Int) {
        while bytes.count % 32 != 0 { bytes.append(0) }
        bytes.append(contentsOf: (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) })
    }
}
