// What can be wrong with a workload, told with the place and what to write instead.
import CServeCore

/// Why a workload cannot be used.
public enum WorkloadError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file is not JSON.
    case notJSON(JSONError)
    /// A field has a value of another kind, or out of its range; `field` is its path in the file.
    case badField(field: String, found: String, expected: String)
    /// A field that is needed is not there.
    case missingField(field: String, expected: String)
    /// A field that does not exist.
    case unknownField(field: String, known: [String])
    /// No preset, shape or file has this name.
    case unknownName(String, presets: [String])
    /// The workload names a trace whose requests are not here.
    case traceNotLoaded(name: String)
    /// Another file than the one that the workload names.
    case otherTrace(name: String, expected: String, found: String)
    /// Times are asked for that the trace does not have.
    case noTimes(name: String)
    /// No request is left.
    case nothingSelected(name: String, requests: Int)
    /// Nothing says when it ends.
    case endless(arrivals: String)

    /// What happened, with which numbers, and what to do.
    public var description: String {
        switch self {
        case .notJSON(let error): "The workload is not JSON: \(error)."
        case .badField(let field, let found, let expected): "\(field) is \(found), but must be \(expected)."
        case .missingField(let field, let expected): "\(field) is missing. It is \(expected)."
        case .unknownField(let field, let known):
            "\(field) is no field of a workload. Here may stand: \(known.joined(separator: ", "))."
        case .unknownName(let name, let presets):
            "There is no workload \"\(name)\". Use a preset (\(presets.joined(separator: ", "))), lengths such as 1024/128, "
                + "or the path of a workload or trace file."
        case .traceNotLoaded(let name):
            "The workload replays the trace \(name), whose requests are not here. Give the trace file itself."
        case .otherTrace(let name, let expected, let found):
            "The trace \(name) has the digest \(found.prefix(12))..., but the workload was made with "
                + "\(expected.prefix(12)).... Use the file of then, or take the digest out of the workload."
        case .noTimes(let name):
            "The trace \(name) has no times (or only one), so it cannot be replayed as recorded. Give a rate or a concurrency."
        case .nothingSelected(let name, let requests):
            "Of the \(requests) requests of the trace \(name) none is left. Widen the slice or the sample."
        case .endless(let arrivals):
            "With \(arrivals) a duration ends nothing: say how many requests there are."
        }
    }
}
