// One replica in virtual time: the twin of the live engine's loop, around the very same scheduler.
import CServeCore
import CServeCost
import CServeScheduling
import CServeWorkload

/// Sees what a replica does.
protocol ReplicaObserver {
    /// A piece of the scheduler's news. Of a skip ahead, the tokens of one branch come in one piece.
    mutating func note(_ event: SchedulerEvent, at now: Nanoseconds, skip: SkipSpan?)
    /// A step has ended that gave so many tokens.
    mutating func stepEnded(at now: Nanoseconds, tokens: Int)
    /// A step of a skip ahead, but for its first, gave each of so many branches a token this long after its last one.
    mutating func gap(_ span: Nanoseconds, times: Int)
    /// The loop has seen a request for the first time.
    mutating func taken(_ id: RequestID, at now: Nanoseconds)
}

/// When the first and the last step of a skip ahead ended.
struct SkipSpan: Equatable, Sendable {
    var first: Nanoseconds
    var last: Nanoseconds
}

/// Runs one scheduler. Its iteration is the engine's: arrivals, start work, advance, finish.
///
/// What is handed in waits in the inbox until the loop next looks, as it does in the engine: at the end of a step, or at
/// once if another micro-batch may be started.
struct ReplicaLoop: Sendable {
    /// What may be handed in.
    private enum Command: Sendable {
        case add(Request)
        case cancel(RequestID)
    }

    /// When something happens here without anything handed in meanwhile; `.max` if never. Stored, not computed: asking an
    /// element of an array would copy it, its scheduler with it.
    private(set) var nextEvent: Nanoseconds = .max
    /// What the server knows of the queue: its state after the last step, and all that has come since.
    private(set) var knownQueue = QueueLoad(requests: 0, tokens: 0, drainSeconds: 1)
    /// The checks that requests pass before they are handed in.
    let admission: AdmissionPolicy
    private(set) var scheduler: Scheduler
    private(set) var clock: ReplicaClock
    private let skips: Bool
    private let schedulesAhead: Bool
    /// When the last step began, and how much of the inbox has been seen: an engine that schedules ahead passes over what
    /// has come since then.
    private var stepStart: Nanoseconds = .min
    private var seen: Int = 0
    /// What a runner would sample; nil stands for ``WorkloadRequest/answerToken`` everywhere.
    private let sample: (@Sendable (MicroBatch.Entry) -> TokenID)?
    private var inbox: [(time: Nanoseconds, command: Command)] = []
    private var flying: [(batch: MicroBatch, end: Nanoseconds)] = []
    private var skip: (run: SteadyRun, span: SkipSpan)?
    /// Whether something has ended since the loop last started work.
    private var mayStart: Bool = false

    init(_ replica: ReplicaSpec, skips: Bool, sample: (@Sendable (MicroBatch.Entry) -> TokenID)? = nil) {
        admission = AdmissionPolicy(replica.scheduler)
        scheduler = Scheduler(replica.scheduler)
        clock = ReplicaClock(replica.timing)
        self.skips = skips && sample == nil
        schedulesAhead = replica.schedulesAhead && replica.scheduler.depth == 1
        self.sample = sample
    }

    /// Hands a request in; the scheduler may have it at `time`.
    mutating func add(_ request: Request, at time: Nanoseconds) {
        count(request)
        insert(.add(request), at: time)
    }

    /// Hands a cancellation in.
    mutating func cancel(_ id: RequestID, at time: Nanoseconds) { insert(.cancel(id), at: time) }

    /// The iteration's first half: finishes what has ended.
    mutating func finish(at now: Nanoseconds, _ observer: inout some ReplicaObserver) {
        defer { look() }
        if let (run, span) = skip {
            guard run.end <= now else { return }
            skip = nil
            for event in run.events { observer.note(event, at: now, skip: span) }
            learnQueue()
            mayStart = true
        }
        while let first = flying.first, first.end <= now {
            finish(first.batch, at: now, &observer)
            mayStart = true
        }
    }

    /// The iteration's second half: looks into the inbox and starts what may start.
    /// - Parameter deadline: the next time at which something may be handed in; skips start no step at or after it.
    mutating func proceed(at now: Nanoseconds, until deadline: Nanoseconds, _ observer: inout some ReplicaObserver) {
        defer { look() }
        mayStart = false
        guard skip == nil, scheduler.hasRoomInFlight else { return }
        // A step was scheduled when the one that has ended began: it has only what had come by then.
        open(at: now, until: schedulesAhead && !scheduler.isIdle ? stepStart : now, &observer)
        if skips, flying.isEmpty, skipAhead(from: now, until: min(deadline, inbox.first?.time ?? .max), &observer) {
            return
        }
        start(at: now, &observer)
        if flying.isEmpty, schedulesAhead, let first = inbox.first, first.time <= now {
            // What runs has to wait for something else: nothing is ahead of what has come.
            open(at: now, until: now, &observer)
            start(at: now, &observer)
        }
        clock.memory.hold(scheduler.usedBlocks, from: now)
    }

    private mutating func insert(_ command: Command, at time: Nanoseconds) {
        var place: Int = inbox.count
        while place > 0, inbox[place - 1].time > time { place -= 1 }
        inbox.insert((time, command), at: place)
        look()
    }

    /// Finds out when something happens next.
    private mutating func look() {
        if mayStart {
            nextEvent = .min
        } else if let skip {
            nextEvent = skip.run.end
        } else {
            let arrival: Nanoseconds = inbox.first?.time ?? .max
            let end: Nanoseconds = flying.first?.end ?? .max
            nextEvent = end == .max || scheduler.hasRoomInFlight ? min(end, arrival) : end
        }
    }

    private mutating func count(_ request: Request) {
        knownQueue.requests += 1
        knownQueue.tokens += request.promptTokens.count
    }

    // MARK: Finish

    private mutating func finish(
        _ batch: MicroBatch, at now: Nanoseconds, _ observer: inout some ReplicaObserver
    ) {
        let events = scheduler.complete(batch, outputs: outputs(of: batch), at: now)
        flying.removeFirst()
        var tokens: Int = 0
        for event in events {
            if case .tokens(_, _, let run) = event { tokens += run.count }
            observer.note(event, at: now, skip: nil)
        }
        observer.stepEnded(at: now, tokens: tokens)
        learnQueue()
    }

    private func outputs(of batch: MicroBatch) -> [EntryOutput] {
        guard let sample else {
            // What is returned for an inner piece of a prompt is not looked at.
            let token = EntryOutput(tokens: TokenRun(WorkloadRequest.answerToken))
            return Array(repeating: token, count: batch.entries.count)
        }
        return batch.entries.map { (entry: MicroBatch.Entry) -> EntryOutput in
            EntryOutput(tokens: entry.sampledTokens == 0 ? TokenRun() : TokenRun(sample(entry)))
        }
    }

    private mutating func learnQueue() {
        knownQueue = scheduler.queueLoad
        for (_, command) in inbox {
            if case .add(let request) = command { count(request) }
        }
    }

    // MARK: Arrivals

    private mutating func open(
        at now: Nanoseconds, until latest: Nanoseconds, _ observer: inout some ReplicaObserver
    ) {
        while seen < inbox.count, inbox[seen].time <= now {
            if case .add(let request) = inbox[seen].command { observer.taken(request.id, at: now) }
            seen += 1
        }
        var taken: Int = 0
        while taken < seen, inbox[taken].time <= latest {
            let (time, command) = inbox[taken]
            taken += 1
            let events: [SchedulerEvent] =
                switch command {
                case .add(let request): scheduler.add(request, at: time)
                case .cancel(let id): scheduler.cancel(id, at: now)
                }
            for event in events { observer.note(event, at: now, skip: nil) }
        }
        inbox.removeFirst(taken)
        seen -= taken
    }

    // MARK: Start work

    private mutating func start(at now: Nanoseconds, _ observer: inout some ReplicaObserver) {
        while scheduler.hasRoomInFlight {
            let batch = scheduler.nextMicroBatch(at: now)
            for event in scheduler.takeEvents() { observer.note(event, at: now, skip: nil) }
            guard let batch else { return }
            stepStart = now
            flying.append((batch, clock.run(batch, at: now)))
        }
    }

    /// Takes all steps that are alike at once; false if the next one is not.
    private mutating func skipAhead(
        from now: Nanoseconds, until deadline: Nanoseconds, _ observer: inout some ReplicaObserver
    ) -> Bool {
        skip = ReplicaLoop.skip(&scheduler, &clock, from: now, until: deadline, &observer)
        guard let skip else { return false }
        // The last step began before the deadline and before its end; nothing comes in between.
        stepStart = min(deadline, skip.run.end) - 1
        // The server hears of the queue at the end of every step; what comes may come during the last one.
        if skip.run.steps > 1 { learnQueue() }
        return true
    }

    private static func skip(
        _ scheduler: inout Scheduler, _ clock: inout ReplicaClock, from now: Nanoseconds,
        until deadline: Nanoseconds, _ observer: inout some ReplicaObserver
    ) -> (SteadyRun, SkipSpan)? {
        var first: Nanoseconds?
        var start: Nanoseconds = now
        let run: SteadyRun = scheduler.advance(
            steps: .max, from: now, until: deadline, token: WorkloadRequest.answerToken
        ) { (step: SteadyStep) -> Nanoseconds in
            let end: Nanoseconds = clock.run(step, at: start)
            let span: Nanoseconds = end - start
            if first == nil { first = end } else { observer.gap(span, times: step.load.decodes) }
            observer.stepEnded(at: end, tokens: step.load.decodes)
            start = end
            return span
        }
        return first.map { (run, SkipSpan(first: $0, last: run.end)) }
    }
}
