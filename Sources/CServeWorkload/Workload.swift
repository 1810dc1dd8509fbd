// A workload as data: everything that decides which requests are sent and when, so that the simulator and the load generator
// send the very same ones.
import CServeCore

/// What requests there are and when they are sent. Made from a preset, a file, or flags; ``stream()`` lists them.
public struct Workload: Hashable, Sendable {
    /// What it is called: a preset's name or a file's.
    public var name: String
    /// Decides every draw. Arrivals, lengths, prefixes, turns and think times have streams of their own, so that changing one
    /// (the rate, say) leaves the others as they were.
    public var seed: UInt64
    /// Where lengths and texts come from.
    public var content: Content
    /// When requests are sent.
    public var arrivals: ArrivalProcess
    /// How many requests at most; nil: as many as the duration or the trace holds.
    public var requests: Int?
    /// Until when requests (conversations) arrive; nil: no bound. A closed loop is stopped by its runner, not by the stream.
    public var duration: Nanoseconds?

    /// Where lengths and texts come from.
    public enum Content: Hashable, Sendable {
        /// They are drawn from distributions.
        case synthetic(SyntheticRequests)
        /// They were recorded.
        case trace(TraceReplay)
    }

    /// Describes drawn requests.
    public init(
        name: String, seed: UInt64 = 0, drawing: SyntheticRequests, arrivals: ArrivalProcess, requests: Int? = nil,
        duration: Nanoseconds? = nil
    ) {
        self.name = name
        self.seed = seed
        content = .synthetic(drawing)
        self.arrivals = arrivals
        self.requests = requests
        self.duration = duration
    }

    /// Describes recorded requests; without other arrivals they come as recorded, or all at once if the trace has no times.
    public init(
        name: String, seed: UInt64 = 0, replaying replay: TraceReplay, arrivals: ArrivalProcess? = nil,
        requests: Int? = nil, duration: Nanoseconds? = nil
    ) {
        self.name = name
        self.seed = seed
        content = .trace(replay)
        self.arrivals = arrivals ?? (replay.trace.hasTimes ? .recorded(speedup: 1) : .allAtOnce)
        self.requests = requests
        self.duration = duration
    }

    /// Its requests from the first on. Cost: about 0.25 µs a request; memory does not grow with their number.
    ///
    /// - Precondition: ``validate()`` passes.
    public func stream() -> WorkloadStream { WorkloadStream(self) }

    /// Requests per second on average, all turns counted; nil in a closed loop, infinite if all are sent at once.
    public var meanRate: Double? {
        guard case .recorded(let speedup) = arrivals, case .trace(let replay) = content else { return arrivals.rate }
        return replay.trace.rate.map { $0 * speedup }
    }

    /// The same requests at another mean rate: lengths and texts stay, only arrivals move.
    public func scaled(toRate rate: Double) -> Workload {
        var copy: Workload = self
        if case .recorded = arrivals, case .trace(let replay) = content, let recorded = replay.trace.rate {
            copy.arrivals = .recorded(speedup: rate / recorded)
        } else {
            copy.arrivals = arrivals.scaled(toRate: rate)
        }
        return copy
    }

    /// Identifies the workload: SHA-256 of its canonical JSON (which names a trace by the SHA-256 of its file), in
    /// hexadecimal.
    public var digest: String { SHA256.hexadecimal(of: json.serialized(.init(sortKeys: true))) }
}

/// Requests whose lengths and texts are drawn.
///
/// A prompt is: the shared prefix, then in later turns of a conversation the history, then the request's own text, whose
/// length is drawn from ``lengths``.
public struct SyntheticRequests: Hashable, Sendable {
    /// Lengths of a request's own text and of its answer.
    public var lengths: RequestLengths
    /// Beginnings that requests share; nil: none.
    public var prefixes: SharedPrefixes?
    /// Requests come in conversations; nil: each stands alone.
    public var conversations: Conversations?

    /// Describes requests.
    public init(lengths: RequestLengths, prefixes: SharedPrefixes? = nil, conversations: Conversations? = nil) {
        self.lengths = lengths
        self.prefixes = prefixes
        self.conversations = conversations
    }
}

/// Beginnings of prompts (system prompts, documents) that several requests share.
public struct SharedPrefixes: Hashable, Sendable {
    /// How many different ones there are.
    public var groups: Int
    /// Their lengths; a group keeps its length.
    public var tokens: LengthDistribution
    /// How requests choose: 0 is evenly; s > 0 is Zipf's law, the k-th group with weight k^-s.
    public var zipfExponent: Double
    /// The share of requests (conversations) that have one, 0 to 1.
    public var share: Double

    /// Describes prefixes.
    public init(groups: Int = 1, tokens: LengthDistribution, zipfExponent: Double = 0, share: Double = 1) {
        self.groups = groups
        self.tokens = tokens
        self.zipfExponent = zipfExponent
        self.share = share
    }
}

/// Several requests of one person, each of which repeats what was said before.
public struct Conversations: Hashable, Sendable {
    /// Requests of a conversation.
    public var turns: LengthDistribution
    /// What passes between an answer and the next request.
    public var thinkTime: ThinkTime
    /// A turn whose prompt and answer would be longer together ends the conversation before it; nil: no bound.
    public var maxTokens: Int?

    /// Describes conversations.
    public init(turns: LengthDistribution, thinkTime: ThinkTime = .none, maxTokens: Int? = nil) {
        self.turns = turns
        self.thinkTime = thinkTime
        self.maxTokens = maxTokens
    }
}

/// A trace and how it is replayed.
public struct TraceReplay: Hashable, Sendable {
    /// What is replayed: the trace's selected part.
    public var trace: Trace
    /// Which part of the file it is.
    public var selection: TraceSelection
    /// Whether it starts again (with other texts) when more requests are asked for than it has.
    public var repeats: Bool

    /// Selects a part of a trace. Cost: one pass over it.
    public init(_ trace: Trace, selection: TraceSelection = TraceSelection(), repeats: Bool = false) {
        self.trace = trace.selecting(selection)
        self.selection = selection
        self.repeats = repeats
    }
}
