// Lists a workload's requests one by one: a million of them need no more memory than ten.
import CServeCore

/// A workload's requests in order of arrival; in a closed loop in order of issue, with no arrival.
///
/// The turns of a conversation follow each other directly: the first has the arrival, the others have none but name the turn
/// that they wait for (``WorkloadRequest/after``) and the span behind its answer (``WorkloadRequest/thinkTime``). In a closed
/// loop a client waits ``WorkloadRequest/thinkTime`` before it sends.
public struct WorkloadStream: Sequence, IteratorProtocol, Sendable {
    // Two optionals in place of an enum: they are changed in place, without copying what they hold.
    private var drawn: SyntheticStream?
    private var replayed: ReplayStream?
    private let limit: Int
    private var count: Int = 0

    init(_ workload: Workload) {
        limit = workload.requests ?? .max
        switch workload.content {
        case .synthetic(let requests): drawn = SyntheticStream(requests, workload)
        case .trace(let replay): replayed = ReplayStream(replay, workload)
        }
    }

    /// The next request; nil at the end.
    public mutating func next() -> WorkloadRequest? {
        guard count < limit, let request = drawn?.next() ?? replayed?.next() else { return nil }
        count += 1
        return request
    }
}

/// Purposes of random numbers: each has its own stream.
enum RandomStream: UInt64 {
    case arrivals = 1
    case lengths
    case prefixes
    case prefixLengths
    case turns
    case thinkTimes
    case selection
}

extension SeededGenerator {
    init(_ seed: UInt64, for purpose: RandomStream) {
        self.init(seed: seed, stream: purpose.rawValue)
    }
}

/// Numbers of texts, so that no two kinds of text meet.
enum TextNumber {
    /// A shared prefix.
    static func prefix(_ group: Int) -> UInt64 { 1 << 62 | UInt64(group) }
    /// What one request adds to its conversation.
    static func own(_ index: Int) -> UInt64 { 1 << 63 | UInt64(index) }
}

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

/// Chooses shared prefixes.
struct PrefixSampler: Sendable {
    private let prefixes: SharedPrefixes
    private let lengths: LengthSampler
    private let lengthSeed: UInt64
    /// Cumulative weights under Zipf's law.
    private let cumulative: [Double]
    private var generator: SeededGenerator

    init(_ prefixes: SharedPrefixes, seed: UInt64) {
        self.prefixes = prefixes
        lengths = LengthSampler(prefixes.tokens)
        lengthSeed = SeededGenerator.mix(seed, RandomStream.prefixLengths.rawValue)
        generator = SeededGenerator(seed, for: .prefixes)
        var sums: [Double] = []
        if prefixes.zipfExponent > 0 {
            var total: Double = 0
            for rank in 1...prefixes.groups {
                total += PortableMath.pow(Double(rank), -prefixes.zipfExponent)
                sums.append(total)
            }
        }
        cumulative = sums
    }

    /// The next request's prefix; nil for one without.
    mutating func next() -> PromptSegment? {
        let coin: Double = generator.openUnit()
        let choice: Double = generator.openUnit()
        guard coin < prefixes.share else { return nil }
        let group: Int = chosen(choice)
        var own = SeededGenerator(seed: lengthSeed, stream: UInt64(group))
        let tokens: Int = lengths.length(at: own.openUnit())
        return tokens > 0 ? PromptSegment(.text(TextNumber.prefix(group)), tokens: tokens) : nil
    }

    private func chosen(_ share: Double) -> Int {
        guard let total = cumulative.last else {
            return min(Int(share * Double(prefixes.groups)), prefixes.groups - 1)
        }
        var low: Int = 0
        var high: Int = cumulative.count - 1
        while low < high {
            let middle: Int = (low + high) / 2
            if cumulative[middle] > share * total { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// Replays a trace.
struct ReplayStream: Sendable {
    private let trace: Trace
    private let repeats: Bool
    private let arrivals: ArrivalProcess
    private let duration: Nanoseconds
    private var clock: ArrivalClock
    private var thinkTimes: SeededGenerator
    private var place: Int = 0
    private var cycle: Int = 0

    init(_ replay: TraceReplay, _ workload: Workload) {
        trace = replay.trace
        repeats = replay.repeats
        arrivals = workload.arrivals
        duration = workload.duration ?? .max
        clock = ArrivalClock(
            workload.arrivals, requestsPerArrival: replay.trace.requestsPerArrival,
            generator: SeededGenerator(workload.seed, for: .arrivals))
        thinkTimes = SeededGenerator(workload.seed, for: .thinkTimes)
    }

    mutating func next() -> WorkloadRequest? {
        if place == trace.count {
            guard repeats, trace.count > 0 else { return nil }
            place = 0
            cycle += 1
        }
        var request: WorkloadRequest = trace.request(place)
        let recorded: Nanoseconds? = request.arrival
        request.arrival = nil
        if request.after == nil {
            request.arrival = arrival(recorded: recorded ?? 0)
            if let arrival = request.arrival, arrival > duration { return nil }
            if case .closedLoop(let loop) = arrivals { request.thinkTime = loop.thinkTime.next(&thinkTimes) }
        }
        if cycle > 0 { move(&request) }
        place += 1
        return request
    }

    private mutating func arrival(recorded: Nanoseconds) -> Nanoseconds? {
        guard case .recorded(let speedup) = arrivals else { return clock.next() }
        // A new round starts one mean gap behind the end of the last.
        let whole: Nanoseconds = recorded + Nanoseconds(cycle) * trace.period
        return speedup == 1 ? whole : Nanoseconds((Double(whole) / speedup).rounded())
    }

    /// In later rounds requests have later numbers and other texts.
    private func move(_ request: inout WorkloadRequest) {
        let shift: Int = cycle * trace.count
        request.index += shift
        request.after = request.after.map { $0 + shift }
        request.session = request.session.map { $0 + cycle * trace.sessions }
        for place in request.segments.indices {
            switch request.segments[place].content {
            case .answer(let index): request.segments[place].content = .answer(index + shift)
            case .text(let number):
                request.segments[place].content = .text(SeededGenerator.mix(number, UInt64(cycle)))
            }
        }
    }
}
