// What a scheduler reports: the news of a step, in order.
import CServeCore

/// One piece of news. Events of one branch come in order.
public enum SchedulerEvent: Hashable, Sendable {
    /// The request left the queue for the first time; so many prompt tokens came from the prefix cache.
    case started(RequestID, cachedTokens: Int, queuedFor: Nanoseconds)
    /// New tokens of a branch; an end or stop token is included, what came after it is not.
    case tokens(RequestID, branch: Int, TokenRun)
    /// A branch ended. Its slot, if it had one, is free when ``released(slot:)`` says so.
    case finished(RequestID, branch: Int, reason: FinishReason, stopToken: TokenID?, slot: Int?)
    /// A branch gave up its blocks and its slot; it waits at the front of its priority and loses nothing.
    case preempted(RequestID, branch: Int, slot: Int)
    /// The request failed: all of its branches are over.
    case failed(RequestID, message: String)
    /// No micro-batch in flight uses the slot any more; another branch may take it.
    case released(slot: Int)
}

/// Counters and gauges. Counters only grow.
public struct SchedulerStatistics: Hashable, Codable, Sendable {
    /// Branches that hold a slot and have not ended.
    public var running: Int = 0
    /// Requests (and preempted branches) that wait.
    public var waiting: Int = 0
    /// Prompt tokens of those.
    public var waitingTokens: Int = 0
    /// KV blocks in all.
    public var totalBlocks: Int = 0
    /// KV blocks that are free or hold only reusable prefixes.
    public var freeBlocks: Int = 0
    /// Micro-batches in flight.
    public var inFlight: Int = 0
    /// Prompt tokens looked up in the prefix cache, of admitted requests.
    public var prefixQueries: Int = 0
    /// Those found there.
    public var prefixHits: Int = 0
    /// Tokens that preempted branches found in the cache when they came back; not hits.
    public var reusedAfterPreemption: Int = 0
    /// Preemptions.
    public var preemptions: Int = 0
    /// Prompt tokens of admitted requests, computed or found in the cache.
    public var promptTokens: Int = 0
    /// Tokens generated.
    public var generationTokens: Int = 0
    /// Micro-batches completed.
    public var steps: Int = 0
    /// Micro-batches failed.
    public var failedSteps: Int = 0
    /// What became of drafts.
    public var speculation: SpeculationCounters = SpeculationCounters()
    /// Tokens computed, of completed micro-batches.
    public var computedTokens: Int = 0

    /// All zeros.
    public init() {}
}
