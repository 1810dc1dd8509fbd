// A scheduler with a fake backend, virtual time and books of its own about every request.
import CServeCore
import Testing

@testable import CServeScheduling

/// What the world remembers of one request.
struct Book {
    var request: Request
    var answers: [[TokenID]]
    var ends: [FinishReason?]
    var stopTokens: [TokenID?]
    var failed: Bool = false
    var cancelled: Bool = false
    var started: Bool = false
    var scored: Set<Int> = []

    init(_ request: Request) {
        self.request = request
        answers = Array(repeating: [], count: request.sampling.branches)
        ends = Array(repeating: nil, count: request.sampling.branches)
        stopTokens = ends.map { _ in nil }
    }

    var isOver: Bool { failed || !ends.contains { $0 == nil } }
}

/// Drives a scheduler as an engine's loop would.
struct World {
    var scheduler: Scheduler
    var runner: FakeRunner
    var flying: [(batch: MicroBatch, outputs: [EntryOutput])] = []
    var books: [RequestID: Book] = [:]
    var startOrder: [RequestID] = []
    var log: [SchedulerEvent] = []
    var batches: [MicroBatch] = []
    var now: Nanoseconds = 0
    /// What a token costs beside 1000 ns for the whole pass.
    var tokenTime: Nanoseconds = 10
    var problem: String?

    init(_ configuration: SchedulerConfiguration, seed: UInt64 = 1, varies: Bool = false) {
        scheduler = Scheduler(configuration)
        runner = FakeRunner(configuration, seed: seed, varies: varies)
    }

    mutating func add(_ request: Request) {
        books[request.id] = Book(request)
        handle(scheduler.add(request, at: now))
    }

    mutating func cancel(_ id: RequestID, branch: Int? = nil, reason: FinishReason = .abort) {
        books[id]?.cancelled = true
        handle(scheduler.cancel(id, branch: branch, reason: reason, at: now))
    }

    /// Starts a micro-batch if one is due.
    @discardableResult
    mutating func launch() -> Bool {
        guard let batch = scheduler.nextMicroBatch(at: now) else {
            handle(scheduler.takeEvents())
            return false
        }
        flying.append((batch, runner.run(batch)))
        batches.append(batch)
        verify(batch)
        check()
        return true
    }

    /// Checks a micro-batch's size, and that every token and draft of it has a block.
    private mutating func verify(_ batch: MicroBatch) {
        let rows: Int = batch.entries.reduce(0) { $0 + $1.tokens.count + $1.drafts.count }
        if rows > scheduler.configuration.maxNumBatchedTokens { problem = "a pass of \(rows) tokens" }
        if rows != batch.load.tokens { problem = "a load of \(batch.load.tokens) for \(rows) tokens" }
        for entry in batch.entries {
            let end: Int = entry.start + entry.tokens.count + entry.drafts.count
            if entry.blocks.count * scheduler.configuration.blockSize < end { problem = "a token without a block" }
            if !entry.drafts.isEmpty, entry.sampledTokens != 1 + entry.drafts.count { problem = "an unchecked draft" }
            if entry.drafts.count > scheduler.configuration.draftTokens { problem = "too many drafts" }
        }
    }

    /// Lands the oldest micro-batch.
    @discardableResult
    mutating func land(failing: Bool = false) -> Bool {
        guard !flying.isEmpty else { return false }
        let (batch, outputs) = flying.removeFirst()
        now += 1000 + Nanoseconds(batch.load.tokens) * tokenTime + Nanoseconds(batch.load.context)
        if failing {
            handle(scheduler.fail(batch, message: "told to", at: now))
        } else {
            for entry in batch.entries where entry.wantsPromptLogprobs {
                books[entry.request]?.scored.formUnion(entry.start..<(entry.start + entry.tokens.count))
            }
            handle(scheduler.complete(batch, outputs: outputs, at: now))
        }
        return true
    }

    /// Runs until nothing is left to do.
    mutating func drain(limit: Int = 20_000) {
        for _ in 0..<limit {
            while launch() {}
            guard land() else { break }
        }
        if !scheduler.isIdle, problem == nil { problem = "some request never ended" }
    }

    mutating func handle(_ events: [SchedulerEvent]) {
        for event in events { handle(event) }
        if !events.isEmpty { check() }
    }

    private mutating func handle(_ event: SchedulerEvent) {
        log.append(event)
        switch event {
        case .started(let id, _, _):
            books[id]?.started = true
            startOrder.append(id)
        case .tokens(let id, let branch, let run):
            if books[id]?.ends[branch] != nil { problem = "tokens came after the end" }
            books[id]?.answers[branch] += run.array
        case .finished(let id, let branch, let reason, let stopToken, _):
            if books[id]?.ends[branch] != nil { problem = "a branch ended twice" }
            books[id]?.ends[branch] = reason
            books[id]?.stopTokens[branch] = stopToken
        case .failed(let id, _): books[id]?.failed = true
        case .preempted, .released: break
        }
    }

    private mutating func check() {
        if problem == nil, let broken = scheduler.brokenInvariant() { problem = broken }
    }

    /// Compares every answer with what the request gives alone.
    mutating func verifyAnswers() {
        for book in books.values where problem == nil {
            if !book.isOver { problem = "\(book.request.id) never ended" }
            let wanted: Int = book.request.sampling.promptLogprobs == nil ? 0 : book.request.promptTokens.count
            if !book.failed, !book.cancelled, !book.scored.isSuperset(of: 0..<wanted) {
                problem = "\(book.request.id)'s prompt was scored in part only"
            }
            for branch in book.answers.indices {
                let (answer, reason, stop) = aloneAnswer(book.request, branch, scheduler)
                let got = book.answers[branch]
                let isCut: Bool = book.failed || book.ends[branch] == .abort || book.cancelled
                if isCut, answer.starts(with: got) { continue }
                if got != answer { problem = "\(book.request.id) got \(got) instead of \(answer)" }
                if book.ends[branch] != reason || book.stopTokens[branch] != stop {
                    problem = "\(book.request.id) ended with \(String(describing: book.ends[branch]))"
                }
            }
        }
    }

    /// Compares the order of the starts with the order of arrival within each priority.
    mutating func verifyOrder() {
        for priority in Set(books.values.map(\.request.priority)) where problem == nil {
            let ids = startOrder.filter { books[$0]?.request.priority == priority }
            if ids != ids.sorted() { problem = "a request overtook another of its priority" }
        }
    }

    /// Checks that blocks and slots are back where they started.
    mutating func verifyEmpty() {
        let state = scheduler.statistics
        if state.freeBlocks != state.totalBlocks || state.running != 0 || state.waiting != 0 {
            problem = problem ?? "something is left: \(state)"
        }
    }
}

/// The answer of a request alone, straight from the rules.
func aloneAnswer(
    _ request: Request, _ branch: Int, _ scheduler: Scheduler
) -> (tokens: [TokenID], reason: FinishReason, stop: TokenID?) {
    let sampling = request.sampling
    let configuration = scheduler.configuration
    let prompt: Int = request.promptTokens.count
    let limit: Int = min(
        sampling.maxTokens, configuration.maxModelLength - prompt, configuration.capacity + 1 - prompt)
    var answer: [TokenID] = []
    while answer.count < limit {
        let token = successor(
            of: request.promptTokens + answer, branch: branch, repeats: configuration.draftTokens > 0)
        answer.append(token)
        let ends: Bool =
            sampling.stopTokenIDs.contains(token)
            || (!sampling.ignoreEOS && configuration.eosTokenIDs.contains(token))
        if ends, answer.count > sampling.minTokens { return (answer, .stop, token) }
    }
    return (answer, .length, nil)
}
