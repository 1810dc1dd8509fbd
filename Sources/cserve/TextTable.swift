// Columns for a terminal: aligned, numbers to the right, no lines.

/// Rows of text under a header.
struct TextTable {
    private var rows: [[String]]
    private let rightAligned: Set<Int>

    /// A table; `right` are the columns that are aligned to the right.
    init(_ header: [String], right: Set<Int> = []) {
        rows = [header]
        rightAligned = right
    }

    mutating func add(_ row: [String]) { rows.append(row) }

    var isEmpty: Bool { rows.count == 1 }

    /// The lines, without blanks at their ends.
    var text: String {
        let columns: Int = rows.map(\.count).max() ?? 0
        let widths: [Int] = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            var line: String = ""
            for (column, cell) in row.enumerated() {
                let blanks: String = String(repeating: " ", count: widths[column] - cell.count)
                line += (column > 0 ? "  " : "") + (rightAligned.contains(column) ? blanks + cell : cell + blanks)
            }
            return line.trimmed
        }.joined(separator: "\n")
    }
}

extension String {
    /// Without blanks at the end.
    fileprivate var trimmed: String {
        var text: Substring = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
