// Draws requests from distributions, one by one.
import CServeCore

/// Draws requests.
struct SyntheticStream: Sendable {
    private var clock: ArrivalClock
    private var pairs: PairSampler
    private var prefixes: PrefixSampler?
    private var turns: SeededGenerator
    private var thinkTimes: SeededGenerator
    private let conversations: Conversations?
    private let turnSampler: LengthSampler
    private let duration: Nanoseconds
    private let clientThinkTime: ThinkTime?
    private var index: Int = 0
    private var conversation: RunningConversation?
    private(set) var started: Int = 0

    init(_ requests: SyntheticRequests, _ workload: Workload) {
        let mean: Double = requests.conversations.map { SyntheticStream.meanTurns($0, requests, workload) } ?? 1
        self.init(requests, workload, meanTurns: mean)
    }

    private init(_ requests: SyntheticRequests, _ workload: Workload, meanTurns: Double) {
        let seed: UInt64 = workload.seed
        clock = ArrivalClock(
            workload.arrivals, requestsPerArrival: meanTurns, generator: SeededGenerator(seed, for: .arrivals))
        pairs = PairSampler(requests.lengths, generator: SeededGenerator(seed, for: .lengths))
        prefixes = requests.prefixes.map { PrefixSampler($0, seed: seed) }
        turns = SeededGenerator(seed, for: .turns)
        thinkTimes = SeededGenerator(seed, for: .thinkTimes)
        conversations = requests.conversations
        turnSampler = LengthSampler(requests.conversations?.turns ?? .fixed(1))
        duration = workload.duration ?? .max
        if case .closedLoop(let loop) = workload.arrivals {
            clientThinkTime = loop.thinkTime
        } else {
            clientThinkTime = nil
        }
    }

    mutating func next() -> WorkloadRequest? {
        if let turn = nextTurn() { return turn }
        let arrival: Nanoseconds? = clock.next()
        if let arrival, arrival > duration { return nil }
        let prefix: PromptSegment? = prefixes?.next()
        let think: Nanoseconds = clientThinkTime?.next(&thinkTimes) ?? 0
        let pair: LengthPair = pairs.next()
        defer {
            index += 1
            started += 1
        }
        guard conversations != nil else {
            return WorkloadRequest(
                index: index, arrival: arrival, promptLength: (prefix?.tokens ?? 0) + pair.prompt,
                outputLength: pair.output, segments: prefix.map { [$0] } ?? [], thinkTime: think)
        }
        let turnCount: Int = max(1, turnSampler.length(at: turns.openUnit()))
        var running = RunningConversation(session: started, turnsLeft: turnCount - 1, prefix: prefix)
        let request: WorkloadRequest = running.turn(index: index, pair: pair, arrival: arrival, thinkTime: think)
        conversation = running
        return request
    }

    /// The next turn of the running conversation, if it has one.
    private mutating func nextTurn() -> WorkloadRequest? {
        guard let conversations, let open = conversation, open.turnsLeft > 0 else { return nil }
        let pair: LengthPair = pairs.next()
        let think: Nanoseconds = conversations.thinkTime.next(&thinkTimes)
        if let limit = conversations.maxTokens, open.tokens + pair.prompt + pair.output > limit {
            conversation = nil
            return nil
        }
        conversation?.turnsLeft -= 1
        defer { index += 1 }
        return conversation?.turn(index: index, pair: pair, arrival: nil, thinkTime: think)
    }

    /// Requests per conversation: the mean of the distribution, or with a bound on tokens of the first 2,000 conversations.
    private static func meanTurns(
        _ conversations: Conversations, _ requests: SyntheticRequests, _ workload: Workload
    ) -> Double {
        guard conversations.maxTokens != nil else {
            let sampler = LengthSampler(conversations.turns)
            let points: Int = 1024
            let sum: Int = (0..<points).reduce(0) { (total: Int, point: Int) -> Int in
                total + max(1, sampler.length(at: (Double(point) + 0.5) / Double(points)))
            }
            return Double(sum) / Double(points)
        }
        var endless: Workload = workload
        endless.arrivals = .allAtOnce
        var stream = SyntheticStream(requests, endless, meanTurns: 1)
        var total: Int = 0
        while stream.next() != nil, stream.started <= 2000 { total += 1 }
        return Double(total) / 2000
    }
}

/// A conversation between its turns.
private struct RunningConversation: Sendable {
    let session: Int
    var turnsLeft: Int
    private(set) var tokens: Int
    private var segments: [PromptSegment]
    private var last: Int?

    init(session: Int, turnsLeft: Int, prefix: PromptSegment?) {
        self.session = session
        self.turnsLeft = turnsLeft
        tokens = prefix?.tokens ?? 0
        segments = prefix.map { [$0] } ?? []
    }

    /// Says something, and remembers it and its answer for the next turn.
    mutating func turn(index: Int, pair: LengthPair, arrival: Nanoseconds?, thinkTime: Nanoseconds) -> WorkloadRequest {
        segments.append(PromptSegment(.text(TextNumber.own(index)), tokens: pair.prompt))
        tokens += pair.prompt
        let request = WorkloadRequest(
            index: index, arrival: arrival, promptLength: tokens, outputLength: pair.output, segments: segments,
            session: session, after: last, thinkTime: thinkTime)
        segments.append(PromptSegment(.answer(index), tokens: pair.output))
        tokens += pair.output
        last = index
        return request
    }
}
