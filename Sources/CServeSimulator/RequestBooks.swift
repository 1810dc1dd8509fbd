// What is known of every request, as its client sees it.
import CServeCore
import CServeScheduling
import CServeWorkload

/// Takes in a cluster's news, and keeps the latencies of what has ended: 32 bytes a request.
struct RequestBooks: ReplicaObserver {
    /// A request on its way.
    private struct Book {
        var record: RequestRecord
        var isInConversation: Bool
        var lastToken: Nanoseconds = .min

        /// Counts tokens; returns when the one before them came, `.min` if they are the first.
        @inline(__always)
        mutating func take(_ count: Int, last: Nanoseconds) -> Nanoseconds {
            let before: Nanoseconds = lastToken
            lastToken = last
            record.outputTokens += count
            return before
        }
    }

    /// What the loop must hear of a request that has ended.
    struct Ending {
        var index: Int
        var replica: Int
        var promptTokens: Int
        var time: Nanoseconds
        var failed: Bool
        var mayHaveTurns: Bool
    }

    /// How far the client's view lags behind the replica whose news come.
    var egress: Nanoseconds = 0
    private(set) var gaps = GapHistogram()
    private(set) var timeline = ThroughputTimeline()
    private(set) var tally: RequestTally
    /// Of requests that ended since they were last taken.
    private var endings: [Ending] = []
    private(set) var preemptions: Int = 0
    private var live: [Book] = []
    private var vacant: [Int] = []
    private var serial: UInt64 = 0
    private let keepsTokenTimes: Bool

    init(_ options: SimulationOptions) {
        tally = RequestTally(options)
        keepsTokenTimes = options.keepsTokenTimes
    }

    /// Opens a book. A request's name is its place among the live ones, below a number that is never used again.
    mutating func open(_ request: WorkloadRequest, at arrival: Nanoseconds, on replica: Int) -> RequestID {
        var record = RequestRecord(request, arrival: arrival)
        record.replica = replica
        let book = Book(record: record, isInConversation: request.session != nil)
        let place: Int = vacant.popLast() ?? live.count
        if place == live.count { live.append(book) } else { live[place] = book }
        tally.sent(at: arrival)
        serial += 1
        return RequestID(serial << 32 | UInt64(place))
    }

    /// Ends a request that no scheduler has.
    mutating func refuse(_ id: RequestID, _ failure: RequestFailure, at now: Nanoseconds) { fail(id, failure, at: now) }

    /// Counts a turn that is never sent.
    mutating func lose(_ request: WorkloadRequest, at now: Nanoseconds) {
        var record = RequestRecord(request, arrival: now)
        record.failure = .answerBeforeMissing
        tally.count(record)
    }

    /// Takes the requests that have ended.
    mutating func takeEndings() -> [Ending] {
        guard !endings.isEmpty else { return [] }
        defer { endings.removeAll(keepingCapacity: true) }
        return endings
    }

    // MARK: News

    mutating func note(_ event: SchedulerEvent, at now: Nanoseconds, skip: SkipSpan?) {
        switch event {
        case .tokens(let id, _, let run): take(run.count, of: id, from: skip?.first ?? now, to: skip?.last ?? now)
        case .started(let id, let cachedTokens, let queued):
            live[place(id)].record.queueTime = queued
            live[place(id)].record.cachedTokens = cachedTokens
        case .finished(let id, _, _, _, _): finish(id)
        case .failed(let id, _): fail(id, .failedInEngine, at: now)
        case .preempted(let id, _, _):
            live[place(id)].record.preemptions += 1
            preemptions += 1
        case .released: break
        }
    }

    mutating func stepEnded(at now: Nanoseconds, tokens: Int) { timeline.addTokens(tokens, at: now + egress) }

    mutating func gap(_ span: Nanoseconds, times: Int) { gaps.add(span, times: times) }

    mutating func taken(_ id: RequestID, at now: Nanoseconds) { live[place(id)].record.taken = now }

    @inline(__always)
    private func place(_ id: RequestID) -> Int { Int(id.value & 0xFFFF_FFFF) }

    @inline(__always)
    private mutating func take(_ count: Int, of id: RequestID, from first: Nanoseconds, to last: Nanoseconds) {
        let place: Int = place(id)
        let before: Nanoseconds = live[place].take(count, last: last)
        if keepsTokenTimes { live[place].record.tokenTimes.append(last + egress) }
        if before == .min {
            live[place].record.firstToken = first + egress
            timeline.addPrompt(live[place].record.promptTokens, at: first + egress)
        } else {
            gaps.add(first - before)
        }
    }

    private mutating func finish(_ id: RequestID) {
        let book = live[place(id)]
        var record = book.record
        record.end = book.lastToken + egress
        timeline.addRequest(at: record.end)
        close(id, record, book.isInConversation)
    }

    private mutating func fail(_ id: RequestID, _ failure: RequestFailure, at now: Nanoseconds) {
        let book = live[place(id)]
        var record = book.record
        record.failure = failure
        record.end = now + egress
        close(id, record, book.isInConversation)
    }

    private mutating func close(_ id: RequestID, _ record: RequestRecord, _ isInConversation: Bool) {
        tally.count(record)
        endings.append(
            Ending(
                index: record.index, replica: record.replica, promptTokens: record.promptTokens, time: record.end,
                failed: record.failure != nil, mayHaveTurns: isInConversation))
        vacant.append(place(id))
    }
}
