// Decides, step by step, which tokens of which requests are computed next: the live engine and the simulator run this
// very value.
import CServeCore

/// Continuous batching over a paged, prefix-cached KV cache.
///
/// A pure value with one owner: no clock, thread, file, tensor or random source; time is handed in and must not run
/// backwards. The same calls give the same schedule.
///
/// ```
/// while let batch = scheduler.nextMicroBatch(at: now) { start(batch) }      // until stages + lookAhead are in flight
/// let events = scheduler.complete(batch, outputs: outputs, at: now)         // oldest first
/// ```
///
/// Micro-batches complete in the order in which they were made. A step costs time in proportion to the branches in it.
public struct Scheduler: Sendable, Equatable {
    /// The settings.
    public let configuration: SchedulerConfiguration
    /// The checks that requests pass before they queue.
    public let admissionPolicy: AdmissionPolicy
    /// Predicts stage times.
    public let stepTime: StepTimeModel

    var memory: KVCacheManager
    var requests: [RequestID: RequestState] = [:]
    /// By slot.
    var branches: [BranchState]
    var freeSlots: [Int]
    /// Slots of the running branches, by rank.
    var running: [Int] = []
    var waiting: WaitingQueue = WaitingQueue()
    /// Oldest first.
    var inFlight: [PassInFlight] = []
    var reserve: GrowthReserve = GrowthReserve()
    var estimator: StepTimeEstimator = StepTimeEstimator()
    /// Learns from passes without prompts what a row costs beside decodes; only where drafts may be made.
    var decodeTimes: StepTimeEstimator = StepTimeEstimator(resolution: 0.1)
    /// Passes with drafts so far.
    var draftedPasses: Int = 0
    /// The share of drafts that were right, over all branches.
    var draftRate: Double = DraftPolicy.firstRate
    var counters: SchedulerStatistics = SchedulerStatistics()
    /// News that no call has returned yet.
    var news: [SchedulerEvent] = []
    var nextSequence: UInt64 = 0
    var nextBatch: UInt64 = 1
    var lastCompletion: Nanoseconds = .min
    let endTokens: [TokenID]

    /// A scheduler without requests.
    public init(_ configuration: SchedulerConfiguration, stepTime: StepTimeModel = .measured) {
        precondition(configuration.blockSize > 0 && configuration.blockCount > 0, "a cache without room")
        precondition(configuration.maxNumSeqs > 0 && configuration.maxNumBatchedTokens > 0, "a batch without room")
        precondition(configuration.stages > 0 && configuration.lookAhead >= 0 && configuration.draftTokens >= 0)
        precondition(configuration.draftLookup.lowerBound > 0, "n-grams of no tokens")
        precondition((configuration.chunkedPrefillSize ?? 1) > 0, "chunks of no tokens")
        self.configuration = configuration
        self.stepTime = stepTime
        admissionPolicy = AdmissionPolicy(configuration)
        memory = KVCacheManager(configuration)
        branches = Array(repeating: BranchState(), count: configuration.maxNumSeqs)
        freeSlots = Array((0..<configuration.maxNumSeqs).reversed())
        endTokens = configuration.eosTokenIDs.sorted()
        counters.speculation.acceptedPerPosition = Array(repeating: 0, count: configuration.draftTokens)
    }

    /// Queues a request. One that could never run fails at once.
    public mutating func add(_ request: Request, at now: Nanoseconds) -> [SchedulerEvent] {
        precondition(requests[request.id] == nil, "\(request.id) was added twice")
        if let error = admissionPolicy.impossibility(of: request) {
            news.append(.failed(request.id, message: error.description))
            return takeEvents()
        }
        let state = RequestState(request, sequence: nextSequence, addedAt: now)
        nextSequence += 1
        requests[request.id] = state
        waiting.insert(
            WaitingRequest(
                request: request.id, rank: state.rank(branch: 0), branches: Array(0..<state.places.count),
                promptCount: request.promptTokens.count))
        return takeEvents()
    }

    /// Why a request would not be taken now, or nil. Changes nothing.
    public func admission(of request: Request) -> SubmitRefusal? {
        admissionPolicy.refusal(of: request, queue: queueLoad)
    }

    /// The next forward pass; nil when as many are in flight as may be, or when nothing can be computed now.
    public mutating func nextMicroBatch(at now: Nanoseconds) -> MicroBatch? {
        guard inFlight.count < configuration.depth, !running.isEmpty || !waiting.isEmpty else { return nil }
        var pass = Pass(budget: configuration.maxNumBatchedTokens, expected: running.count)
        scheduleDecodes(&pass)
        scheduleDrafts(&pass)
        if !pass.prompts.isEmpty || !waiting.isEmpty {
            pass.promptBudget = promptBudget(beside: pass)
            schedulePrompts(&pass)
            admit(&pass, at: now)
        }
        forkFollowers(of: pass)
        return launch(pass, at: now)
    }

    /// News that has not been returned by another call: starts and preemptions of the last ``nextMicroBatch(at:)``.
    public mutating func takeEvents() -> [SchedulerEvent] {
        guard !news.isEmpty else { return [] }
        let taken = news
        news = []
        return taken
    }

    /// Whether no request waits or runs and nothing is in flight.
    public var isIdle: Bool { requests.isEmpty && inFlight.isEmpty }

    /// KV blocks that branches hold now; blocks that only keep reusable prefixes are free.
    public var usedBlocks: Int { configuration.blockCount - memory.freeCount }

    /// Whether another micro-batch may be asked for.
    public var hasRoomInFlight: Bool { inFlight.count < configuration.depth }

    /// The branches of a request that have not ended, for owners that keep books of their own.
    public func isAlive(_ id: RequestID) -> Bool { requests[id] != nil }

    /// Counters and gauges now.
    public var statistics: SchedulerStatistics {
        var result = counters
        result.running = configuration.maxNumSeqs - freeSlots.count - branches.count { $0.phase == .ended }
        result.waiting = waiting.count
        result.waitingTokens = waiting.promptTokens
        result.totalBlocks = configuration.blockCount
        result.freeBlocks = memory.freeCount
        result.inFlight = inFlight.count
        return result
    }

    /// How full the queue is, and when it is about drained at the measured speed.
    public var queueLoad: QueueLoad {
        QueueLoad(requests: waiting.count, tokens: waiting.promptTokens, drainSeconds: drainSeconds)
    }
}

/// A micro-batch that has not completed.
struct PassInFlight: Equatable, Sendable {
    let id: UInt64
    let issuedAt: Nanoseconds
    let load: BatchLoad
    let predicted: Nanoseconds
}

/// A micro-batch in the making.
struct Pass {
    var entries: [MicroBatch.Entry] = []
    var copies: [BlockCopy] = []
    var load: BatchLoad = BatchLoad()
    /// Tokens that still fit.
    var budget: Int
    /// Prompt tokens that may still join.
    var promptBudget: Int = 0
    /// Running branches with more than one token to compute.
    var prompts: [Int] = []
    /// Branches whose prompt is scheduled to its end and whose followers may start.
    var forks: [Int] = []
    /// Somebody found no block, or a prompt did not fit: nobody new may start.
    var isClosed: Bool = false

    init(budget: Int, expected: Int) {
        self.budget = budget
        entries.reserveCapacity(expected + 4)
    }
}
