// Names of requests: taken from the client where they are harmless, random otherwise.

import Foundation

/// Checks and makes request names.
enum RequestName {
    /// The client's name, if it can stand in a header and a log line.
    static func valid(_ name: String) -> String? {
        let allowed: Bool = name.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\"") }
        return !name.isEmpty && name.utf8.count <= 128 && allowed ? name : nil
    }

    /// 32 random hexadecimal digits.
    static func random() -> String {
        let high: String = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        let low: String = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        return String(repeating: "0", count: 16 - high.count) + high + String(repeating: "0", count: 16 - low.count)
            + low
    }
}

/// Seconds since 1970, for `created`.
enum WallClock {
    static func seconds() -> Int { Int(Date().timeIntervalSince1970) }
}
