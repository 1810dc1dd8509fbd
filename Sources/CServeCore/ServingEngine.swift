// The seam between a server and whatever runs requests behind it: one engine, several replicas, or a remote one.

/// Takes requests in token ids and answers with events.
public protocol ServingEngine: Sendable {
    /// The largest prompt plus answer, in tokens.
    var maxModelLength: Int { get }
    /// The number of token ids that the model's head scores (at least the tokenizer's).
    var vocabularySize: Int { get }
    /// The most branches that one request may have.
    var maxBranches: Int { get }

    /// A name for the next request.
    func nextRequestID() -> RequestID

    /// Hands a request in and returns its events as they come.
    ///
    /// Dropping the stream, or cancelling the task that iterates it, cancels the request: its blocks are free within
    /// a step. Events of one step arrive together, so a reader wakes once per step.
    /// - Throws: ``SubmitRefusal``; nothing was queued then.
    func submit(_ request: Request) throws(SubmitRefusal) -> RequestStream

    /// Ends a request early, or one branch of it (a stop string was found: `reason` is `.stop`).
    func cancel(_ id: RequestID, branch: Int?, reason: FinishReason)

    /// The engine's counters and gauges now.
    func snapshot() -> EngineSnapshot

    /// The logged steps after the one of a number, oldest first; nil where none are logged.
    func steps(after id: UInt64) -> [StepRecord]?

    /// Takes no more requests, finishes those it has, and returns when the last one ended.
    func drain() async
}

extension ServingEngine {
    /// Logs none.
    public func steps(after id: UInt64) -> [StepRecord]? { nil }
}

/// The events of one request, in batches: one element per engine step in which something happened.
public struct RequestStream: AsyncSequence, Sendable {
    /// A step's events.
    public typealias Element = [RequestEvent]

    private let stream: AsyncStream<[RequestEvent]>

    /// Wraps the engine's stream.
    public init(_ stream: AsyncStream<[RequestEvent]>) {
        self.stream = stream
    }

    /// Iterates over the steps' events.
    public func makeAsyncIterator() -> AsyncStream<[RequestEvent]>.AsyncIterator {
        stream.makeAsyncIterator()
    }
}
