// Reads the script data once.

/// The ranges of each script by its name.
enum ScriptRanges {
    /// Script names in lower case to ranges, both ends included.
    static let table: [String: [(UInt32, UInt32)]] = ScriptTable.text.mapValues { text in
        text.split(separator: " ").compactMap { range in
            let ends = range.split(separator: "-").compactMap { UInt32($0, radix: 16) }
            return ends.isEmpty ? nil : (ends[0], ends[ends.count - 1])
        }
    }
}
