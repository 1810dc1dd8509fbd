// Reads tables of ranges, written as text, once.

/// The ranges of each script by its name.
enum ScriptRanges {
    /// Script names in lower case to ranges, both ends included.
    static let table: [String: [(UInt32, UInt32)]] = ScriptTable.text.mapValues(ranges)

    /// Reads `1F00-1F15 1F18 ...`.
    static func ranges(_ text: String) -> [(UInt32, UInt32)] {
        text.split(separator: " ").compactMap { range in
            let ends = range.split(separator: "-").compactMap { UInt32($0, radix: 16) }
            return ends.isEmpty ? nil : (ends[0], ends[ends.count - 1])
        }
    }

    /// All characters of such a table.
    static func members(_ text: String) -> Set<UInt32> {
        Set(ranges(text).flatMap { $0.0...$0.1 })
    }
}
