// Why an engine did not start, apart from its recipe and its checkpoint.

/// A failure to start an engine.
public enum EngineStartError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The system gave no thread.
    case noThread(code: Int)

    /// What is wrong and what to do next.
    public var description: String {
        switch self {
        case .noThread(let code):
            "The system refused a thread for the engine (error \(code)). Raise the limit on processes (ulimit -u) or "
                + "free memory."
        }
    }
}
