// Ids that sort by time, can be made by several processes at once, and are typed by their first few letters.

import Foundation

/// Ids of records: UTC time to the second, then six hexadecimal digits of chance (`20261125-013205-7f3a2c`).
///
/// A record is named by the whole, by its beginning, or by the beginning of its digits, as git names commits.
public enum RecordID {
    /// The length of the part that is time, with its dash.
    static let timeLength: Int = 16

    /// A new id.
    static func make(at milliseconds: Int) -> String {
        let digits: String = String(UInt32.random(in: 0..<(1 << 24)), radix: 16)
        return RecordClock.compact(milliseconds) + "-" + String(repeating: "0", count: 6 - digits.count) + digits
    }

    /// The digits of chance.
    public static func digits(of id: String) -> Substring { id.dropFirst(timeLength) }

    /// The shortest beginning of an id's digits, four at least, that no other id has; the whole id where none is.
    public static func short(_ id: String, among others: [String]) -> String {
        let own: Substring = digits(of: id)
        for length in 4...6 {
            let prefix: Substring = own.prefix(length)
            let same: Int = others.count { $0 == id || digits(of: $0).hasPrefix(prefix) || $0.hasPrefix(prefix) }
            if same <= 1 { return String(prefix) }
        }
        return id
    }

    /// Whether a text can be the beginning of an id or of its digits.
    static func canBegin(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
            }
    }
}

/// Times of the book.
public enum RecordClock {
    /// Now, in milliseconds since 1970.
    public static var milliseconds: Int { Int((Date().timeIntervalSince1970 * 1000).rounded(.down)) }

    /// `2026-11-25 01:32:05`, in UTC.
    public static func text(_ milliseconds: Int) -> String {
        let parts: [String] = iso(milliseconds)
        return parts[0] + " " + parts[1]
    }

    /// `20261125-013205`, in UTC.
    static func compact(_ milliseconds: Int) -> String {
        iso(milliseconds).joined(separator: "-").filter { $0 != ":" }.replacing("-", with: "", maxReplacements: 2)
    }

    private static func iso(_ milliseconds: Int) -> [String] {
        let date: Date = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
        return date.formatted(.iso8601).dropLast().split(separator: "T").map(String.init)
    }
}
