// Columns for a terminal: aligned, numbers to the right, no lines.

/// Rows of text under a header.
public struct TextTable: Sendable {
    /// The header and the rows below it.
    public private(set) var rows: [[String]]
    /// The columns that are aligned to the right.
    public let right: Set<Int>

    /// A table; `right` are the columns that are aligned to the right.
    public init(_ header: [String], right: Set<Int> = []) {
        rows = [header]
        self.right = right
    }

    /// Adds a row below.
    public mutating func add(_ row: [String]) { rows.append(row) }

    /// Whether there is only the header.
    public var isEmpty: Bool { rows.count == 1 }

    /// The lines, without blanks at their ends.
    public var text: String {
        let columns: Int = rows.map(\.count).max() ?? 0
        let widths: [Int] = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            var line: String = ""
            for (column, cell) in row.enumerated() {
                let blanks: String = String(repeating: " ", count: widths[column] - cell.count)
                line += (column > 0 ? "  " : "") + (right.contains(column) ? blanks + cell : cell + blanks)
            }
            return line.trimmed
        }.joined(separator: "\n")
    }
}

/// Numbers as people read them.
public enum FigureText {
    /// Three significant digits, without an exponent; `-` for what is not finite.
    public static func figure(_ value: Double) -> String {
        guard value.isFinite else { return "-" }
        var decimals: Int = 0
        var size: Double = abs(value)
        while size < 100, size > 0, decimals < 4 {
            size *= 10
            decimals += 1
        }
        var scale: Double = 1
        for _ in 0..<decimals { scale *= 10 }
        let rounded: Double = (value * scale).rounded() / scale
        return decimals == 0 || rounded == rounded.rounded() && size >= 1000 ? wide(rounded) : "\(rounded)"
    }

    /// A share in whole percent.
    public static func percent(_ share: Double) -> String {
        share.isFinite ? "\(Int((share * 100).rounded()))%" : "-"
    }

    /// A number of milliseconds in the unit that fits: `0.12 ms`, `35 ms`, `1.2 s`.
    public static func milliseconds(_ value: Double) -> String {
        abs(value) < 1000 ? figure(value) + " ms" : figure(value / 1000) + " s"
    }

    /// A whole number with commas between thousands.
    public static func count(_ value: Int) -> String {
        let digits: String = String(value.magnitude)
        var text: String = ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return (value < 0 ? "-" : "") + text
    }

    private static func wide(_ value: Double) -> String { Int(exactly: value).map { "\($0)" } ?? "\(value)" }
}

extension String {
    /// Without blanks at the end.
    fileprivate var trimmed: String {
        var text: Substring = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
