// The loop's iteration without its thread: the scheduler's single owner, and the simulator's twin.

import CServeCore
import CServeScheduling

/// Drives one scheduler with one runner. Owned by one thread at a time.
///
/// The steps of an iteration are those of the simulator's: arrivals, start work, advance, finish; here a step starts and
/// ends within ``step()``, since a CPU has nothing else to do meanwhile.
final class EngineCore {
    private(set) var scheduler: Scheduler
    private(set) var histogram = StepHistogram()
    private var stepTime: Nanoseconds = 0
    private var forwardTime: Nanoseconds = 0
    private let runner: any StepRunner
    private let clock: @Sendable () -> Nanoseconds
    private let slots: SlotTable
    private let blockSize: Int
    private var live: [RequestID: LiveRequest] = [:]
    private var touched: [LiveRequest] = []
    /// Logs the steps; nil where nobody asked.
    private let profiler: StepProfiler?
    /// When the last step ended, if the loop has not slept since.
    private var lastEnd: Nanoseconds?
    /// Sees every scheduler event; tests compare them with a simulation's.
    var trace: ((SchedulerEvent) -> Void)?

    /// Owns a fresh scheduler.
    init(
        _ configuration: SchedulerConfiguration, runner: any StepRunner, profiler: StepProfiler? = nil,
        clock: @escaping @Sendable () -> Nanoseconds
    ) {
        scheduler = Scheduler(configuration)
        self.runner = runner
        self.profiler = profiler
        self.clock = clock
        slots = SlotTable(slots: configuration.maxNumSeqs)
        blockSize = configuration.blockSize
    }

    /// What waits.
    var queueLoad: QueueLoad { scheduler.queueLoad }
    /// Whether requests are waiting or running.
    var isBusy: Bool { !live.isEmpty }

    /// Queues a request.
    func add(_ request: LiveRequest) {
        live[request.request.id] = request
        handle(scheduler.add(request.request, at: request.timings.arrival))
    }

    /// Ends a request or one branch of it; unknown names are those of requests that have just ended.
    func cancel(_ id: RequestID, branch: Int?, reason: FinishReason) {
        guard live[id] != nil else { return }
        handle(scheduler.cancel(id, branch: branch, reason: reason, at: clock()))
    }

    /// Schedules, runs and completes one micro-batch; returns whether there was one.
    func step() -> Bool {
        let began = MonotonicClock.now()
        defer { stepTime += MonotonicClock.now() - began }
        guard let batch = scheduler.nextMicroBatch(at: clock()) else {
            publish()
            lastEnd = nil
            return false
        }
        start(batch)
        do {
            let result = try runner.run(batch, slots: slots)
            finish(batch, result)
            publish()
            log(batch, result, began: began)
            return true
        } catch {
            handle(scheduler.fail(batch, message: "The engine's step failed: \(error)", at: clock()))
        }
        publish()
        return true
    }

    private func log(_ batch: MicroBatch, _ result: StepResult, began: Nanoseconds) {
        guard let profiler else { return }
        var record = StepRecord(batch)
        record.ended = MonotonicClock.now()
        record.cycle = record.ended - (lastEnd ?? began)
        record.forward = result.forwardTime
        record.sampling = result.samplingTime
        lastEnd = record.ended
        profiler.add(record)
    }

    /// Ends every request.
    func failAll(_ message: String) {
        for id in live.keys.sorted() { note(.failed(message: message), of: id) }
        publish()
    }

    /// The counters and gauges now, without what only the loop knows.
    func snapshot() -> EngineSnapshot {
        let statistics = scheduler.statistics
        var snapshot = EngineSnapshot()
        snapshot.running = statistics.running
        snapshot.waiting = statistics.waiting
        snapshot.waitingTokens = statistics.waitingTokens
        snapshot.totalBlocks = statistics.totalBlocks
        snapshot.freeBlocks = statistics.freeBlocks
        snapshot.blockSize = blockSize
        snapshot.prefixCacheQueries = statistics.prefixQueries
        snapshot.prefixCacheHits = statistics.prefixHits
        snapshot.preemptions = statistics.preemptions
        snapshot.promptTokens = statistics.promptTokens
        snapshot.generationTokens = statistics.generationTokens
        snapshot.steps = statistics.steps
        snapshot.failedSteps = statistics.failedSteps
        snapshot.stepTime = stepTime
        snapshot.forwardTime = forwardTime
        if scheduler.configuration.draftTokens > 0 { snapshot.speculation = statistics.speculation }
        snapshot.iterationTokenCounts = histogram.counts
        snapshot.iterationTokenSum = histogram.sum
        return snapshot
    }

    private func start(_ batch: MicroBatch) {
        handle(scheduler.takeEvents())
        for entry in batch.entries where entry.isFirst {
            guard let request = live[entry.request] else { continue }
            slots[entry.slot] = SlotTable.Holder(request: request, branch: request.branches[entry.branch])
            if request.timings.firstToken == nil { request.timings.scheduled = clock() }
        }
    }

    private func finish(_ batch: MicroBatch, _ result: StepResult) {
        histogram.count(batch.load.tokens)
        forwardTime += result.forwardTime
        let events = scheduler.complete(batch, outputs: result.outputs, at: clock())
        for entry in batch.entries where entry.wantsPromptLogprobs {
            if let request = live[entry.request], let scores = request.takePromptScores() {
                note(.promptScored(scores), of: entry.request)
            }
        }
        // First: a request that ends in this very step has failed, not finished.
        for failure in result.failures { fail(failure.request, failure.message) }
        handle(events)
    }

    /// Ends one request whose row could not be sampled.
    private func fail(_ id: RequestID, _ message: String) {
        guard live[id] != nil else { return }
        note(.failed(message: message), of: id)
        live[id] = nil
        handle(scheduler.cancel(id, branch: nil, reason: .error, at: clock()))
    }

    private func handle(_ events: [SchedulerEvent]) {
        for event in events {
            trace?(event)
            switch event {
            case .started(let id, let cachedTokens, _): note(.started(cachedTokens: cachedTokens), of: id)
            case .tokens(let id, let branch, let tokens): takeTokens(id, branch, tokens)
            case .finished(let id, let branch, let reason, let stopToken, _):
                note(.finished(branch: branch, reason: reason, stopToken: stopToken), of: id)
            case .failed(let id, let message): note(.failed(message: message), of: id)
            case .released(let slot): slots[slot] = nil
            case .preempted: break
            }
        }
    }

    private func takeTokens(_ id: RequestID, _ branch: Int, _ tokens: TokenRun) {
        guard let request = live[id] else { return }
        let now = clock()
        if request.timings.firstToken == nil { request.timings.firstToken = now }
        request.timings.lastToken = now
        let holder = request.branches[branch]
        let scored =
            holder.fresh.isEmpty ? tokens.map { ScoredToken(token: $0) } : Array(holder.fresh.prefix(tokens.count))
        holder.fresh.removeAll(keepingCapacity: true)
        note(.tokens(branch: branch, scored), of: id)
    }

    private func note(_ event: RequestEvent, of id: RequestID) {
        guard let request = live[id] else { return }
        if request.note(event) { touched.append(request) }
        if request.openBranches == 0 { live[id] = nil }
    }

    private func publish() {
        for request in touched { request.publish() }
        touched.removeAll(keepingCapacity: true)
    }
}
