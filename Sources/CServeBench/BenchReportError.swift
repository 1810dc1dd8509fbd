// What a user can ask of a report that cannot be given.
import CServeCore

/// Why there is no report.
public enum BenchReportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Warm-up and cool-down leave no request.
    case nothingLeft(warmup: Nanoseconds, cooldown: Nanoseconds, sending: Nanoseconds)

    /// What happened, and what to do.
    public var description: String {
        switch self {
        case .nothingLeft(let warmup, let cooldown, let sending):
            "A warm-up of \(SpanText.text(warmup)) and a cool-down of \(SpanText.text(cooldown)) leave nothing of the "
                + "\(SpanText.text(sending)) in which requests were sent. Shorten them, or send for longer."
        }
    }
}
