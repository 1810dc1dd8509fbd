// The flags about traces, and what can be wrong with flags of workloads.

import ArgumentParser
import CServeCore
import CServeWorkload

/// Flags about traces alone.
struct TraceFlags: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The trace's format when its first line does not tell: "
                + TraceFormat.allCases.map(\.rawValue).joined(separator: ", ") + "."))
    var traceFormat: String?

    @Option(help: "Replays a trace this many times as fast.")
    var speedup: Double?

    @Option(name: .customLong("from"), help: "Replays a trace from this time on: 10m.")
    var from: String?

    @Option(name: .customLong("to"), help: "Replays a trace up to this time.")
    var to: String?

    @Option(help: "Passes over this many requests of a trace.")
    var skip: Int?

    @Option(help: "Keeps this share of a trace's requests (conversations), 0 to 1.")
    var sample: Double?

    @Option(help: "Turns taken of each recorded conversation at most; 1 is what vllm bench serve does.")
    var maxTurns: Int?

    @Flag(name: .customLong("repeat"), help: "Starts the trace again when it ends before the requests or the duration.")
    var repeats: Bool = false

    /// How trace files are read.
    func choices() throws -> TraceChoices {
        var result = TraceChoices()
        if let traceFormat {
            guard let format = TraceFormat(rawValue: traceFormat.lowercased()) else {
                let known: String = TraceFormat.allCases.map(\.rawValue).joined(separator: ", ")
                throw WorkloadOptionError.badValue(
                    flag: "--trace-format", value: traceFormat, expected: "one of \(known)")
            }
            result.format = format
        }
        if let from { result.selection.from = try SpanFlag.span("--from", from) }
        result.selection.to = try to.map { try SpanFlag.span("--to", $0) }
        if let skip { result.selection.skip = skip }
        if let sample { result.selection.sample = sample }
        if let maxTurns { result.options.maxTurns = max(1, maxTurns) }
        result.repeats = repeats
        return result
    }
}

/// How trace files are read and which part is taken.
struct TraceChoices {
    var format: TraceFormat?
    var selection: TraceSelection = TraceSelection()
    var options: TraceOptions = TraceOptions()
    var repeats: Bool = false
}

/// Spans of time on the command line.
enum SpanFlag {
    static func span(_ flag: String, _ text: String) throws(WorkloadOptionError) -> Nanoseconds {
        // A bare number is seconds, as in other load generators.
        guard let span = SpanText.nanoseconds(text) ?? SpanText.nanoseconds(text + "s") else {
            throw .badValue(flag: flag, value: text, expected: "a span with its unit: 90s, 10m, 500ms")
        }
        return span
    }
}

/// Why flags do not make a workload.
enum WorkloadOptionError: Error, Hashable, CustomStringConvertible {
    /// A flag has a value that cannot be used.
    case badValue(flag: String, value: String, expected: String)
    /// Flags that exclude each other.
    case conflict(String, String)
    /// A file that cannot be read.
    case unreadable(file: String, reason: String)
    /// A file that is not what it should be.
    case invalid(file: String, reason: String)

    var description: String {
        switch self {
        case .badValue(let flag, let value, let expected): "\(flag) is \(value), but must be \(expected)."
        case .conflict(let flags, let others): "\(flags) cannot be used with \(others). Leave one of them out."
        case .unreadable(let file, let reason): "\(file) cannot be read: \(reason)."
        case .invalid(let file, let reason): "\(file): \(reason)"
        }
    }
}
