// Why measurements or a fitted file cannot be used.
import CServeCore

/// Why measurements, a curve file or a profile cannot be used.
public enum CalibrationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A table that cannot be read.
    case table(file: String, CSVError)
    /// A cell with a value that makes no sense there.
    case value(file: String, line: Int, column: String, text: String, expected: String)
    /// A file that is not JSON.
    case notJSON(file: String, reason: String)
    /// A field that is missing or of another kind.
    case field(file: String, field: String, expected: String)
    /// A version that this program does not know.
    case version(file: String, found: String, known: String)
    /// No table of measured kernels in a folder.
    case noTables(folder: String, expected: String)
    /// A table of an accelerator that no data sheet names.
    case unknownAccelerator(file: String, name: String, known: [String])
    /// No engine of this name.
    case unknownEngine(String, known: [String])
    /// Too few measurements for a fit.
    case tooFew(what: String, found: Int, needed: Int)

    /// What happened, with its place, and what to do next.
    public var description: String {
        switch self {
        case .table(let file, let error): "\(file): \(error.description)"
        case .value(let file, let line, let column, let text, let expected):
            "\(file), line \(line), column \"\(column)\": \"\(text)\" is not \(expected). Correct or remove the row."
        case .notJSON(let file, let reason): "\(file) is not JSON: \(reason). Write it anew with cserve calibrate."
        case .field(let file, let field, let expected):
            "\(file): \"\(field)\" must be \(expected). Write the file anew with cserve calibrate."
        case .version(let file, let found, let known):
            "\(file) has the version \(found); this program reads \(known). Write it anew with cserve calibrate."
        case .noTables(let folder, let expected):
            "\(folder) holds no table of measured kernels. Expected \(expected)."
        case .unknownAccelerator(let file, let name, let known):
            "\(file) was measured on \"\(name)\", which no data sheet names. Add it to hardware/gpus.csv; there are "
                + known.joined(separator: ", ") + "."
        case .unknownEngine(let name, let known):
            "There is no engine \"\(name)\". Choose one of \(known.joined(separator: ", "))."
        case .tooFew(let what, let found, let needed):
            "\(found) measurements of \(what) are too few for a fit. Measure at least \(needed)."
        }
    }
}
