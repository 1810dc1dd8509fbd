// Checks a file on disk against what the hub names, piece by piece.

import CServeCore
import Foundation

/// The running digest of one file: SHA-256 for large ones, git's id for small ones.
struct FileDigest {
    private var sha256 = SHA256()
    private var sha1 = SHA1()
    private let isLarge: Bool

    init(_ file: HubFile) {
        isLarge = file.sha256 != nil
        if !isLarge { sha1.update(Array("blob \(file.size)\0".utf8)[...]) }
    }

    mutating func update(_ bytes: ArraySlice<UInt8>) {
        if isLarge { sha256.update(bytes) } else { sha1.update(bytes) }
    }

    mutating func finish() -> String { isLarge ? sha256.finish() : sha1.finish() }

    /// Reads what a file holds so far; its length.
    mutating func take(_ path: String) throws -> Int {
        let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? handle.close() }
        var length: Int = 0
        while let data = try handle.read(upToCount: 1 << 20), !data.isEmpty {
            update([UInt8](data)[...])
            length += data.count
        }
        return length
    }
}
