// Which replica gets a request: rules that the router between servers and the simulator share.
import CServeCore

/// A rule for sharing out requests among replicas.
public enum RoutingPolicy: String, Codable, CaseIterable, Sendable {
    /// One after the other.
    case roundRobin = "round_robin"
    /// The one with the fewest requests that have not ended; of equals the one with fewer prompt tokens, then the first.
    case leastLoad = "least_load"
    /// The one that has had the longest beginning of the prompt, unless loads have grown too unlike.
    case prefixAware = "prefix_aware"
    /// The same for all requests of a session; requests without one go by ``leastLoad``.
    case session
}

/// What a router knows of a request.
public struct RoutingRequest: Hashable, Sendable {
    /// Tokens of the prompt, or an estimate.
    public var promptTokens: Int
    /// The conversation, if it has a name.
    public var session: UInt64?
    /// Fingerprints of the prompt's beginnings, each ``Router/prefixStride`` tokens longer than the one before.
    public var prefixes: [UInt64]

    /// Describes a request.
    public init(promptTokens: Int, session: UInt64? = nil, prefixes: [UInt64] = []) {
        self.promptTokens = promptTokens
        self.session = session
        self.prefixes = prefixes
    }
}

/// What a router knows of a replica: what it has sent there that has not ended.
public struct ReplicaLoad: Hashable, Codable, Sendable {
    /// Requests.
    public var requests: Int = 0
    /// Their prompt tokens.
    public var promptTokens: Int = 0

    /// An idle replica.
    public init() {}
}

/// Shares out requests among replicas. A pure value: the same calls give the same choices.
///
/// Keeps its own books, of what it has sent and what has ended, so that it needs no news from the replicas.
public struct Router: Hashable, Sendable {
    /// Tokens by which the prefixes of a request get longer.
    public static let prefixStride: Int = 64
    /// Prefixes remembered at most; the oldest are forgotten.
    public static let prefixCapacity: Int = 1 << 16
    /// Prefix-aware routing goes by load where the fullest replica has both this many requests more than the emptiest, and
    /// this many times as many. Source: SGLang's router (`balance_abs_threshold` 64, `balance_rel_threshold` 1.5).
    public static let unevenBy: Int = 64
    static let unevenTimes: Double = 1.5

    /// The rule.
    public let policy: RoutingPolicy
    /// By replica.
    public private(set) var loads: [ReplicaLoad]
    private var turn: Int = 0
    private var owners: [UInt64: Int] = [:]
    /// Remembered prefixes, a ring in the order in which they came.
    private var order: [UInt64] = []
    private var oldest: Int = 0

    /// A router that has sent nothing yet.
    public init(_ policy: RoutingPolicy, replicas: Int) {
        precondition(replicas > 0, "a router without replicas")
        self.policy = policy
        loads = Array(repeating: ReplicaLoad(), count: replicas)
    }

    /// Chooses the replica for a request, and counts the request there until ``ended(_:on:)``.
    public mutating func route(_ request: RoutingRequest) -> Int {
        let replica: Int = choose(request)
        loads[replica].requests += 1
        loads[replica].promptTokens += request.promptTokens
        return replica
    }

    /// Notes that a request has ended, however.
    public mutating func ended(_ promptTokens: Int, on replica: Int) {
        loads[replica].requests -= 1
        loads[replica].promptTokens -= promptTokens
    }

    private mutating func choose(_ request: RoutingRequest) -> Int {
        guard loads.count > 1 else { return 0 }
        switch policy {
        case .roundRobin:
            defer { turn = (turn + 1) % loads.count }
            return turn
        case .leastLoad: return leastLoaded
        case .session: return request.session.map { home(of: $0) } ?? leastLoaded
        case .prefixAware:
            let replica: Int = isUneven ? leastLoaded : owner(of: request.prefixes) ?? leastLoaded
            for prefix in request.prefixes { remember(prefix, replica) }
            return replica
        }
    }

    private var leastLoaded: Int {
        var best: Int = 0
        for index in loads.indices.dropFirst() {
            let (one, other) = (loads[index], loads[best])
            if (one.requests, one.promptTokens) < (other.requests, other.promptTokens) { best = index }
        }
        return best
    }

    private var isUneven: Bool {
        let counts: [Int] = loads.map(\.requests)
        let most: Int = counts.max() ?? 0
        let least: Int = counts.min() ?? 0
        return most - least > Router.unevenBy && Double(most) > Double(least) * Router.unevenTimes
    }

    private func owner(of prefixes: [UInt64]) -> Int? {
        for prefix in prefixes.reversed() {
            if let owner = owners[prefix] { return owner }
        }
        return nil
    }

    private mutating func remember(_ prefix: UInt64, _ replica: Int) {
        if owners.updateValue(replica, forKey: prefix) != nil { return }
        if order.count < Router.prefixCapacity {
            order.append(prefix)
        } else {
            owners[order[oldest]] = nil
            order[oldest] = prefix
            oldest = (oldest + 1) % Router.prefixCapacity
        }
    }

    /// The replica whose number mixes highest with the session's (rendezvous hashing): when replicas come or go, only
    /// the sessions of those move. Source: Thaler, Ravishankar 1998, "Using name-based mappings to increase hit rates".
    private func home(of session: UInt64) -> Int {
        var best: (weight: UInt64, replica: Int) = (0, 0)
        for replica in loads.indices {
            var word: UInt64 = session &+ UInt64(replica &+ 1) &* 0x9E37_79B9_7F4A_7C15
            word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
            word ^= word >> 31
            if word >= best.weight { best = (word, replica) }
        }
        return best.replica
    }
}
