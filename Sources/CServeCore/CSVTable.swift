// Tables as comma-separated text: traces and measured kernels come so. Every cell knows its line, for error messages.

/// A table with a header (RFC 4180: quotes, doubled quotes, line breaks within quotes; LF or CRLF).
public struct CSVTable: Sendable {
    /// Names of the columns, trimmed.
    public let columns: [String]
    /// The rows; every row has as many cells as there are columns.
    public let rows: [Row]
    private let places: [String: Int]

    /// One row.
    public struct Row: Sendable {
        /// Where the row begins; the header is line 1.
        public let line: Int
        /// Its cells, as written.
        public let cells: [String]
    }

    /// Reads a table; empty lines are passed over.
    /// - Throws: ``CSVError``.
    public init(parsing bytes: some Sequence<UInt8>, separator: Character = ",") throws(CSVError) {
        var reader = CSVReader(separator: separator.asciiValue ?? UInt8(ascii: ","))
        for byte in bytes { reader.take(byte) }
        let records: [Row] = try reader.finish()
        guard let header = records.first else { throw .empty }
        columns = header.cells.map { String($0.trimmed) }
        places = Dictionary(columns.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        for row in records where row.cells.count != columns.count {
            throw .cellCount(line: row.line, cells: row.cells.count, columns: columns.count)
        }
        rows = Array(records.dropFirst())
    }

    /// The place of a column.
    /// - Throws: ``CSVError/missingColumn(_:columns:)``.
    public func place(of column: String) throws(CSVError) -> Int {
        guard let place = places[column] else { throw .missingColumn(column, columns: columns) }
        return place
    }

    /// Whether there is such a column.
    public func has(_ column: String) -> Bool { places[column] != nil }

    /// The cell of a row, trimmed; empty where there is no such column.
    public func text(_ row: Row, _ column: String) -> String {
        places[column].map { String(row.cells[$0].trimmed) } ?? ""
    }

    /// A cell as a finite number.
    /// - Throws: ``CSVError`` with the line.
    public func number(_ row: Row, _ column: String) throws(CSVError) -> Double {
        let text: Substring = row.cells[try place(of: column)].trimmed
        guard let value = Double(text), value.isFinite else {
            throw .notANumber(line: row.line, column: column, text: String(text))
        }
        return value
    }

    /// A cell as a whole number (`1024` or `1024.0`).
    /// - Throws: ``CSVError`` with the line.
    public func integer(_ row: Row, _ column: String) throws(CSVError) -> Int {
        let value: Double = try number(row, column)
        guard let whole = Int(exactly: value) else {
            throw .notANumber(line: row.line, column: column, text: text(row, column))
        }
        return whole
    }
}

/// Why a table cannot be read.
public enum CSVError: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is not even a header.
    case empty
    /// A quote that is never closed.
    case openQuote(line: Int)
    /// A row that is longer or shorter than the header.
    case cellCount(line: Int, cells: Int, columns: Int)
    /// A column that is needed is not there.
    case missingColumn(String, columns: [String])
    /// A cell that should be a number.
    case notANumber(line: Int, column: String, text: String)

    /// What happened, with its line.
    public var description: String {
        switch self {
        case .empty: "The table is empty: its first line must name the columns."
        case .openQuote(let line): "Line \(line): a quote is opened and never closed."
        case .cellCount(let line, let cells, let columns):
            "Line \(line) has \(cells) cells, but the header names \(columns) columns."
        case .missingColumn(let name, let columns):
            "There is no column \"\(name)\"; the columns are \(columns.joined(separator: ", "))."
        case .notANumber(let line, let column, let text):
            "Line \(line), column \"\(column)\": \"\(text)\" is not a number that can be used here."
        }
    }
}

/// Takes a table apart byte by byte.
private struct CSVReader {
    let separator: UInt8
    private var records: [CSVTable.Row] = []
    private var cells: [String] = []
    private var cell: [UInt8] = []
    private var line: Int = 1
    private var firstLine: Int = 1
    private var isQuoted: Bool = false
    private var wasQuoted: Bool = false
    private var quoteLine: Int = 1

    init(separator: UInt8) { self.separator = separator }

    mutating func take(_ byte: UInt8) {
        let quote = UInt8(ascii: "\"")
        if isQuoted {
            if byte == quote { isQuoted = false } else { cell.append(byte) }
            if byte == UInt8(ascii: "\n") { line += 1 }
        } else if byte == quote {
            // A quote right behind a closing one stands for itself.
            if wasQuoted { cell.append(quote) }
            isQuoted = true
            wasQuoted = true
            quoteLine = line
        } else if byte == separator {
            endCell()
        } else if byte == UInt8(ascii: "\n") {
            endRow()
            line += 1
            firstLine = line
        } else if byte != UInt8(ascii: "\r") {
            cell.append(byte)
        }
    }

    mutating func finish() throws(CSVError) -> [CSVTable.Row] {
        guard !isQuoted else { throw .openQuote(line: quoteLine) }
        endRow()
        return records
    }

    private mutating func endCell() {
        cells.append(String(decoding: cell, as: UTF8.self))
        cell.removeAll(keepingCapacity: true)
        wasQuoted = false
    }

    private mutating func endRow() {
        guard !cells.isEmpty || !cell.isEmpty || wasQuoted else { return }
        endCell()
        records.append(CSVTable.Row(line: firstLine, cells: cells))
        cells.removeAll(keepingCapacity: true)
    }
}

extension String {
    /// Without spaces, tabs and a byte order mark at its ends.
    fileprivate var trimmed: Substring {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\u{FEFF}" }
        var text: Substring = drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return text
    }
}
