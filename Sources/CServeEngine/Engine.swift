// The engine's face: requests in token ids go in, events come out, whatever runs behind.

import CServeCore
import CServeScheduling
import Synchronization

/// A running model that serves requests until it is stopped. Released, it finishes what it has and ends its thread.
///
/// Every method may be called from any task; none blocks.
public final class Engine: ServingEngine {
    /// The settings that it runs with.
    public let configuration: EngineConfiguration
    /// What was loaded; nil for engines without a checkpoint.
    public let model: LoadedModel?
    let loop: EngineLoop
    private let lastID = Atomic<UInt64>(0)

    /// The largest prompt plus answer, in tokens.
    public var maxModelLength: Int { configuration.scheduler.maxModelLength }
    /// The number of token ids that the model's head scores.
    public var vocabularySize: Int { configuration.vocabularySize }
    /// The most branches that one request may have.
    public var maxBranches: Int { configuration.scheduler.maxNumSeqs }

    /// Starts an engine on a model.
    /// - Parameter executor: Handed over: nobody else may use it afterwards.
    /// - Throws: ``EngineStartError``.
    public convenience init(
        _ configuration: EngineConfiguration, executor: sending any ModelExecutor
    ) throws(EngineStartError) {
        try self.init(configuration, runner: ModelStepRunner(executor))
    }

    /// Starts an engine on a runner that nobody else uses.
    init(
        _ configuration: EngineConfiguration, runner: any StepRunner, model: LoadedModel? = nil,
        clock: @escaping @Sendable () -> Nanoseconds = MonotonicClock.now
    ) throws(EngineStartError) {
        self.configuration = configuration
        self.model = model
        loop = EngineLoop(configuration, clock: clock)
        try loop.start(runner)
    }

    deinit { loop.close() }

    /// A name for the next request: 1, 2, 3, ...
    public func nextRequestID() -> RequestID {
        RequestID(lastID.add(1, ordering: .relaxed).newValue)
    }

    /// Hands a request in and returns its events as they come; the last one is ``RequestEvent/timed(_:)``.
    /// - Throws: ``SubmitRefusal``.
    public func submit(_ request: Request) throws(SubmitRefusal) -> RequestStream {
        try loop.submit(request)
    }

    /// Ends a request early, or one branch of it.
    public func cancel(_ id: RequestID, branch: Int?, reason: FinishReason) {
        loop.cancel(id, branch: branch, reason: reason)
    }

    /// The counters and gauges of the last step.
    public func snapshot() -> EngineSnapshot { loop.snapshot() }

    /// The logged steps after the one of a number, oldest first; nil where none are logged.
    public func steps(after id: UInt64) -> [StepRecord]? { loop.profiler?.steps(after: id) }

    /// Takes no more requests, finishes those it has, and returns when the last one ended.
    public func drain() async { await loop.drain() }

    /// Fails all requests at once and ends; the engine takes no more.
    public func stop() { loop.stop() }
}
