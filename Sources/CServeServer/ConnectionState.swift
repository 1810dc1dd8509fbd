// The life of one HTTP/1.1 connection as a pure state machine: what is being read, what is owed, when to close.

/// Decides what a connection's handler does; knows no sockets and no clock.
struct ConnectionState: Hashable, Sendable {
    /// Requests read whose answer is not complete.
    private(set) var owed: Int = 0
    /// Whether a request's body is still arriving.
    private(set) var isReading: Bool = false
    /// Whether what still arrives is thrown away because the connection is about to close.
    private(set) var isDiscarding: Bool = false
    private var closesAfterAnswer: Bool = false

    /// What to do when a part of a request arrives.
    enum ReadAction: Hashable, Sendable {
        case forward, forwardAndStartTimer, forwardAndStopTimer, drop
    }

    mutating func readHead() -> ReadAction {
        guard !isDiscarding else { return .drop }
        owed += 1
        isReading = true
        return .forwardAndStartTimer
    }

    func readBody() -> ReadAction { isDiscarding ? .drop : .forward }

    mutating func readEnd() -> ReadAction {
        guard !isDiscarding else { return .drop }
        isReading = false
        return .forwardAndStopTimer
    }

    /// The head of an answer is written.
    mutating func writeHead(closes: Bool) {
        closesAfterAnswer = closesAfterAnswer || closes
    }

    /// The end of an answer is written; true if the connection is to be closed once it has left.
    mutating func writeEnd() -> Bool {
        owed = max(0, owed - 1)
        guard closesAfterAnswer else { return false }
        isDiscarding = true
        return true
    }

    /// The body did not arrive in time; true if an error can be written, false if an answer is already under way.
    mutating func readTimedOut() -> Bool { refuse(owing: 1) }

    /// The bytes are no HTTP; true if an error can be written because no answer is owed before it.
    mutating func parserFailed() -> Bool { refuse(owing: isReading ? 1 : 0) }

    private mutating func refuse(owing: Int) -> Bool {
        guard !isDiscarding, owed <= owing else { return false }
        isDiscarding = true
        return true
    }
}
