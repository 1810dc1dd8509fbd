// Failures by kind, with an example: what a table can show of a thousand broken answers.
import CServeCore

extension BenchFailure {
    /// The kind: `status_429`, `timeout`, ...
    public var kind: String {
        switch self {
        case .connection: "connection"
        case .status(let code, _): "status_\(code)"
        case .closedEarly: "closed_early"
        case .malformed: "malformed"
        case .errorEvent: "error_event"
        case .timeout: "timeout"
        case .interrupted: "interrupted"
        case .answerBeforeMissing: "answer_before_missing"
        }
    }

    /// What happened, in words.
    public var text: String {
        switch self {
        case .connection(let reason): "no connection: \(reason)"
        case .status(let code, let body): "HTTP \(code)" + (body.isEmpty ? "" : ": \(body)")
        case .closedEarly: "the connection was closed before the answer's end"
        case .malformed(let what): "the answer cannot be read: \(what)"
        case .errorEvent(let message): "the server sent an error: \(message)"
        case .timeout: "no whole answer within the time that a request has"
        case .interrupted: "the benchmark ended first"
        case .answerBeforeMissing: "the answer that it continues never came"
        }
    }

    /// Whether the server had no chance to answer.
    var isNoAnswer: Bool { self == .interrupted }
    /// Whether the request never went out.
    var isUnsent: Bool {
        switch self {
        case .connection, .answerBeforeMissing: true
        default: false
        }
    }
}

/// Requests that failed alike.
public struct BenchFailureCount: Hashable, Codable, Sendable {
    /// The kind.
    public var kind: String
    /// How many.
    public var count: Int
    /// The first one's story, shortened, without control characters.
    public var example: String

    /// Characters of an example that are kept.
    static let longest: Int = 160

    /// Counts failures by kind, the most frequent first.
    static func count(_ failures: some Sequence<BenchFailure>) -> [BenchFailureCount] {
        var found: [String: BenchFailureCount] = [:]
        for failure in failures {
            let kind: String = failure.kind
            found[kind, default: BenchFailureCount(kind: kind, count: 0, example: plain(failure.text))].count += 1
        }
        return found.values.sorted { ($1.count, $0.kind) < ($0.count, $1.kind) }
    }

    /// Text from a server as a terminal may show it.
    static func plain(_ text: String) -> String {
        var plain: String = ""
        for scalar in text.unicodeScalars.prefix(longest) {
            plain.unicodeScalars.append(isShown(scalar) ? scalar : " ")
        }
        return plain + (text.unicodeScalars.count > longest ? "…" : "")
    }

    /// Neither a control character nor one that turns the direction of text.
    private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
}
