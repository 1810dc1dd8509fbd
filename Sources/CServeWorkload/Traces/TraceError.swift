// What can be wrong with a trace file, told with its line.

/// Why a trace cannot be read.
public enum TraceError: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is nothing in the file.
    case empty(file: String)
    /// Nothing says what the file is.
    case unknownFormat(file: String, start: String)
    /// A line (or an element of a JSON array) is not what it should be.
    case malformed(file: String, line: Int, column: Int, found: String, expected: String)
    /// A value that cannot be used.
    case badValue(file: String, line: Int, field: String, found: String, expected: String)
    /// A field that is needed is not there.
    case missingField(file: String, line: Int, field: String, format: TraceFormat)
    /// A row that is longer or shorter than the header.
    case cellCount(file: String, line: Int, cells: Int, columns: Int)
    /// The header lacks columns.
    case missingColumns(file: String, format: TraceFormat, missing: [String], found: [String])
    /// The file was read, but no request can be taken from it.
    case noRequests(file: String, format: TraceFormat, entries: Int)

    /// What happened, with file and line, and what was expected.
    public var description: String {
        switch self {
        case .empty(let file): "\(file) is empty. A trace has at least one request."
        case .unknownFormat(let file, let start):
            "\(file) begins with \"\(start)\", which is no trace format that is known. Choose one of "
                + TraceFormat.allCases.map(\.rawValue).joined(separator: ", ") + " with --trace-format."
        case .malformed(let file, let line, let column, let found, let expected):
            "\(file), line \(line), column \(column): expected \(expected), found \(found)."
        case .badValue(let file, let line, let field, let found, let expected):
            "\(file), line \(line): \(field) is \(found), but must be \(expected)."
        case .missingField(let file, let line, let field, let format):
            "\(file), line \(line): there is no \(field), which the format \(format.rawValue) needs."
        case .cellCount(let file, let line, let cells, let columns):
            "\(file), line \(line) has \(cells) cells, but the header names \(columns) columns."
        case .missingColumns(let file, let format, let missing, let found):
            "\(file), line 1: the format \(format.rawValue) needs the columns \(missing.joined(separator: ", ")), but the "
                + "header names \(found.joined(separator: ", "))."
        case .noRequests(let file, let format, let entries):
            "\(file) has \(entries) entries but no request that can be replayed (format \(format.rawValue)). Is it the right "
                + "--trace-format?"
        }
    }
}
