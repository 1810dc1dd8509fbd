// The live engine's heart: one thread that owns the scheduler, an inbox that any task may fill, streams that go out.

import CServeCore
import CServeScheduling

/// Runs requests on a thread of its own until it is stopped.
///
/// Tasks put commands into the inbox under a lock; the thread drains it once per step, sleeps when there is nothing to
/// do, and publishes a step's events as one batch per request. No task waits for a step, and no step for a reader.
final class EngineLoop: Sendable {
    /// The engine's settings.
    let configuration: EngineConfiguration
    /// The log of steps, where the settings ask for one.
    let profiler: StepProfiler?
    private let admission: AdmissionPolicy
    private let clock: @Sendable () -> Nanoseconds
    private let shared = Monitor(Shared())

    /// Prepares a loop; ``start(_:)`` runs it.
    init(
        _ configuration: EngineConfiguration, clock: @escaping @Sendable () -> Nanoseconds = MonotonicClock.now
    ) {
        self.configuration = configuration
        profiler = configuration.loggedSteps > 0 ? StepProfiler(capacity: configuration.loggedSteps) : nil
        self.clock = clock
        admission = AdmissionPolicy(configuration.scheduler)
    }

    // MARK: For tasks

    /// Queues a request, or says at once why not.
    func submit(_ request: Request) throws(SubmitRefusal) -> RequestStream {
        if let error = impossibility(of: request) { throw .invalid(error) }
        let (stream, continuation) = AsyncStream<[RequestEvent]>.makeStream()
        let live = LiveRequest(request, arrival: clock(), configuration: configuration, stream: continuation)
        try shared.withLock { (state) throws(SubmitRefusal) in
            guard !state.isDraining, !state.isStopping else { throw .shuttingDown }
            if let refusal = admission.refusal(of: request, queue: state.queue) { throw refusal }
            live.timings.arrival = clock()
            state.count(request)
            state.inbox.append(.submit(live))
        }
        continuation.onTermination = { [self, id = request.id] termination in
            if case .cancelled = termination { cancel(id, branch: nil, reason: .abort) }
        }
        shared.signal()
        return RequestStream(stream)
    }

    /// Ends a request or one of its branches at the next step's start.
    func cancel(_ id: RequestID, branch: Int?, reason: FinishReason) {
        shared.withLock { state in
            if !state.isStopping { state.inbox.append(.cancel(id, branch: branch, reason: reason)) }
        }
        shared.signal()
    }

    /// Takes no more requests and returns when the last one has ended.
    func drain() async {
        await withCheckedContinuation { (waiter: CheckedContinuation<Void, Never>) in
            let isDrained = shared.withLock { state in
                state.isDraining = true
                let isDrained = state.hasEnded || (!state.isBusy && state.inbox.isEmpty)
                if !isDrained { state.drained.append(waiter) }
                return isDrained
            }
            if isDrained { waiter.resume() }
        }
    }

    /// Fails every request and ends the thread after the step that runs now.
    func stop() {
        shared.withLock { $0.isStopping = true }
        shared.signal()
    }

    /// Takes no more requests, finishes those it has, and ends the thread then.
    func close() {
        shared.withLock { state in
            state.isDraining = true
            state.isClosing = true
        }
        shared.signal()
    }

    /// Commands that the thread has not taken yet.
    var waitingCommands: Int { shared.withLock { $0.inbox.count } }

    /// The counters of the last step, with what has arrived since.
    func snapshot() -> EngineSnapshot {
        let now = clock()
        return shared.withLock { state in
            var snapshot = state.snapshot
            snapshot.waiting = state.queue.requests
            snapshot.waitingTokens = state.queue.tokens
            snapshot.draining = state.isDraining || state.isStopping
            let isBusy = state.isBusy || !state.inbox.isEmpty
            snapshot.stalledFor = isBusy && !state.hasEnded ? max(0, now - state.lastProgress) : nil
            return snapshot
        }
    }

    private func impossibility(of request: Request) -> RequestError? {
        let prompt = request.promptTokens.count
        let sampling = request.sampling
        do throws(RequestError) {
            try sampling.validate(
                vocabularySize: configuration.vocabularySize, maxBranches: configuration.scheduler.maxNumSeqs)
        } catch {
            return error
        }
        for token in request.promptTokens where token < 0 || Int(token) >= configuration.vocabularySize {
            return .tokenOutOfVocabulary(
                parameter: "prompt", token: Int(token), vocabulary: configuration.vocabularySize)
        }
        let (length, overflows) = prompt.addingReportingOverflow(sampling.maxTokens)
        if prompt > 0, overflows || length > admission.maxModelLength {
            return .contextExceeded(
                prompt: prompt, maxTokens: min(sampling.maxTokens, Int(Int32.max)),
                maxModelLength: admission.maxModelLength)
        }
        return admission.impossibility(of: request)
    }

    // MARK: The thread

    /// Starts the thread, which owns the runner from now on.
    func start(_ runner: any StepRunner) throws(EngineStartError) {
        let core = core(runner: runner)
        shared.withLock { $0.update(from: core) }
        let handover = Handover(core)
        try DedicatedThread.start { [self] in run(handover.core) }
    }

    /// A core with this loop's settings and clock.
    func core(runner: any StepRunner) -> EngineCore {
        EngineCore(configuration.scheduler, runner: runner, profiler: profiler, clock: clock)
    }

    private func run(_ core: EngineCore) {
        var mayRun = false
        while true {
            let (commands, isEnding) = nextCommands(waiting: !mayRun)
            apply(commands, to: core)
            if isEnding { break }
            mayRun = core.step()
            publish(core)
        }
        core.failAll("The engine was stopped.")
        shared.withLock { $0.hasEnded = true }
        publish(core)
    }

    /// Drains the inbox; sleeps until something is in it when the last iteration had nothing to run.
    private func nextCommands(waiting: Bool) -> ([Command], isEnding: Bool) {
        shared.withLock(
            when: { !waiting || !$0.inbox.isEmpty || $0.isEnding },
            { state in
                if state.isEnding { return (state.takeCommands(), true) }
                if !state.isBusy { state.lastProgress = clock() }
                state.isBusy = true
                return (state.takeCommands(), false)
            })
    }

    private func apply(_ commands: [Command], to core: EngineCore) {
        for command in commands {
            switch command {
            case .submit(let request): core.add(request)
            case .cancel(let id, let branch, let reason): core.cancel(id, branch: branch, reason: reason)
            }
        }
    }

    /// Publishes the counters and wakes whoever waits for the end of a drain.
    private func publish(_ core: EngineCore) {
        let now = clock()
        let drained: [CheckedContinuation<Void, Never>] = shared.withLock { state in
            state.update(from: core)
            state.lastProgress = now
            guard state.hasEnded || !(state.isBusy || !state.inbox.isEmpty) else { return [] }
            defer { state.drained = [] }
            return state.drained
        }
        for waiter in drained { waiter.resume() }
    }
}

/// Carries a core to its thread; nobody else holds it afterwards.
private struct Handover: @unchecked Sendable {
    let core: EngineCore
    init(_ core: EngineCore) { self.core = core }
}

extension EngineLoop {
    fileprivate enum Command {
        case submit(LiveRequest)
        case cancel(RequestID, branch: Int?, reason: FinishReason)
    }

    /// What tasks and the thread share under the lock.
    fileprivate struct Shared {
        var inbox: [Command] = []
        /// What waits: the scheduler's queue after the last step, and all that arrived since.
        var queue = QueueLoad(requests: 0, tokens: 0, drainSeconds: 1)
        var snapshot = EngineSnapshot()
        var lastProgress: Nanoseconds = 0
        var isBusy = false
        var isDraining = false
        var isStopping = false
        var isClosing = false
        var hasEnded = false
        var drained: [CheckedContinuation<Void, Never>] = []

        /// Whether the thread has nothing left to do: it was stopped, or closed and is idle.
        var isEnding: Bool { isStopping || (isClosing && !isBusy && inbox.isEmpty) }

        mutating func takeCommands() -> [Command] {
            defer { inbox.removeAll() }
            return inbox
        }

        mutating func count(_ request: Request) {
            queue.requests += 1
            queue.tokens += request.promptTokens.count
        }

        mutating func update(from core: EngineCore) {
            snapshot = core.snapshot()
            queue = core.queueLoad
            for case .submit(let request) in inbox { count(request.request) }
            isBusy = core.isBusy
        }
    }
}
