// What a scheduler remembers of a request and of each of its branches.
import CServeCore

/// The order of service: lower priority values first, then first come first served, then the branch's number.
struct Rank: Hashable, Comparable, Sendable {
    var priority: Int
    var sequence: UInt64
    var branch: Int

    static func < (left: Rank, right: Rank) -> Bool {
        if left.priority != right.priority { return left.priority < right.priority }
        if left.sequence != right.sequence { return left.sequence < right.sequence }
        return left.branch < right.branch
    }
}

/// A request that has not ended yet.
struct RequestState: Equatable, Sendable {
    enum Place: Equatable, Sendable {
        case waiting
        case slot(Int)
        case ended
    }

    let request: Request
    let sequence: UInt64
    let addedAt: Nanoseconds
    /// Where each branch is.
    var places: [Place]
    var alive: Int
    var hasStarted: Bool = false
    /// Whether the prompt's log-probabilities have been computed to the end.
    var isPromptScored: Bool = false

    init(_ request: Request, sequence: UInt64, addedAt: Nanoseconds) {
        self.request = request
        self.sequence = sequence
        self.addedAt = addedAt
        places = Array(repeating: .waiting, count: request.sampling.branches)
        alive = places.count
    }

    /// Whether every position of the prompt is still to be computed for its log-probabilities.
    var wantsPromptScored: Bool { request.sampling.promptLogprobs != nil && !isPromptScored }

    func rank(branch: Int) -> Rank {
        Rank(priority: request.priority, sequence: sequence, branch: branch)
    }
}

/// What taking in an entry's output needs of the entry.
struct EntryWork {
    var slot: Int
    /// The position behind the last token computed.
    var end: Int
    var sampledTokens: Int
    var epoch: UInt32
}

/// A branch that holds a slot.
///
/// Positions below `computed` are in the cache, those below `scheduled` are in flight too. No prefill and decode
/// phases: a branch is due as long as `scheduled` lags behind the tokens it has (and those about to be sampled).
struct BranchState: Equatable, Sendable {
    enum Phase: Equatable, Sendable {
        /// Nobody holds the slot.
        case vacant
        /// Waits for the first branch of its request to compute the prompt.
        case parked
        case running
        /// Cancelled, but computes the prompt on for the branches that wait for it.
        case ghost
        /// Waits for its micro-batches in flight.
        case ended
    }

    var phase: Phase = .vacant
    var request: RequestID = RequestID(0)
    var rank: Rank = Rank(priority: 0, sequence: 0, branch: 0)
    var prompt: [TokenID] = []
    var answer: [TokenID] = []
    /// Tokens that end the answer.
    var ends: [TokenID] = []
    var minTokens: Int = 0
    /// The answer's length at which it ends.
    var limit: Int = 0
    var wantsPromptLogprobs: Bool = false

    var table: BlockTable = BlockTable()
    /// A block shared with the branch that computed the prompt, to be copied before this branch writes.
    var source: BlockID?
    var computed: Int = 0
    var scheduled: Int = 0
    /// Sampling entries in flight whose tokens are still expected.
    var outstanding: Int = 0
    /// All entries in flight.
    var inFlight: Int = 0
    var epoch: UInt32 = 0
    var isFirst: Bool = true
    /// Whether the last micro-batch of a pipeline left this branch to the next one.
    var wasPassedOver: Bool = false
    /// Slots of the branches that wait for this one's prompt.
    var followers: [Int] = []

    /// Full blocks known to the prefix cache, the last one's hash, and the hashes known beforehand.
    var remembered: Int = 0
    var lastHash: BlockHash = BlockHash(salt: nil, adapter: nil)
    var hashes: [BlockHash] = []

    /// Guesses the next tokens.
    var index: NGramIndex = NGramIndex()
    /// How many of them to try.
    var drafting: DraftPolicy = DraftPolicy()

    var branch: Int { rank.branch }
    var known: Int { prompt.count + answer.count }
    var samples: Bool { limit > 0 && phase != .ghost }
    /// Tokens the answer may still grow by.
    var growth: Int { max(0, limit - answer.count) }

    /// Tokens that may be computed now.
    @inline(__always)
    func due(lookAhead: Int) -> Int {
        if outstanding == 0 { return known - scheduled }
        guard outstanding <= lookAhead, answer.count + outstanding < limit else { return 0 }
        return known + outstanding - scheduled
    }

    /// Tokens at the next positions, placeholders included.
    @inline(__always)
    func nextTokens(_ count: Int) -> TokenRun {
        if count == 1 {
            let index: Int = scheduled - prompt.count
            if index < 0 { return TokenRun(prompt[scheduled]) }
            return TokenRun(index < answer.count ? answer[index] : MicroBatch.placeholder)
        }
        let end: Int = scheduled + count
        if end <= prompt.count { return TokenRun(Array(prompt[scheduled..<end])) }
        if scheduled >= prompt.count {
            return TokenRun(Array(answer[(scheduled - prompt.count)..<(end - prompt.count)]))
        }
        return TokenRun(Array(prompt[scheduled...]) + answer[..<(end - prompt.count)])
    }

    /// Makes an entry of the next `count` tokens, and counts it in flight.
    @inline(__always)
    mutating func makeEntry(slot: Int, count: Int) -> MicroBatch.Entry {
        let reachesEnd: Bool = scheduled + count >= known + outstanding
        let sampled: Int = reachesEnd && samples ? 1 : 0
        let entry = MicroBatch.Entry(
            request: request, branch: rank.branch, slot: slot, start: scheduled, tokens: nextTokens(count),
            blocks: table, sampledTokens: sampled, isFirst: isFirst,
            wantsPromptLogprobs: wantsPromptLogprobs && scheduled < prompt.count, epoch: epoch)
        scheduled += count
        inFlight += 1
        if sampled > 0 { outstanding += 1 }
        isFirst = false
        return entry
    }

    /// Takes in sampled tokens until one of them ends the answer; returns how many were taken, and why it ended.
    @inline(__always)
    mutating func append(_ tokens: TokenRun) -> (taken: Int, end: FinishReason?, stopToken: TokenID?) {
        let count: Int = tokens.count
        var taken: Int = 0
        while taken < count {
            let token: TokenID = tokens[taken]
            answer.append(token)
            taken += 1
            if answer.count > minTokens, ends.contains(token) { return (taken, .stop, token) }
            if answer.count >= limit { return (taken, .length, nil) }
        }
        return (taken, nil, nil)
    }

    /// Notes what an entry left in the cache; what was scheduled on a wrong guess is to be scheduled again.
    @inline(__always)
    mutating func settle(_ entry: EntryWork, returned: Int) {
        let end: Int = entry.end
        computed = entry.sampledTokens == 0 ? end : end - 1 + returned
        guard entry.sampledTokens > 0 else { return }
        outstanding -= 1
        guard returned != 1 else { return }
        if scheduled > end || outstanding > 0 {
            // What was guessed behind this entry is written over what its drafts left in the cache.
            computed = min(computed, end)
            epoch += 1
        }
        scheduled = computed
        outstanding = 0
    }
}
