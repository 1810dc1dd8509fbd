// Where the time of a forward pass goes, by operator: what a timed backend adds up.

import CServeCore

/// What a backend computes, as a profile tells it apart.
public enum TimedOperator: Hashable, Sendable {
    /// A product with a matrix `[rows, columns]`.
    case linear(rows: Int, columns: Int)
    /// Norms and residual sums.
    case norm
    /// Norms of single heads.
    case headNorm
    /// Rotation of queries and keys, and writing keys and values into the cache.
    case place
    /// The gated activation.
    case activation
    /// Attention.
    case attention
    /// Token ids to vectors.
    case embedding
    /// Choosing experts, gathering their rows and summing their results.
    case routing
}

/// Sums of times by operator. Owned by one thread at a time: that of the forward pass.
final class OperatorClock: @unchecked Sendable {
    private(set) var times: [TimedOperator: Nanoseconds] = [:]

    /// Runs an operation and adds its time.
    @inline(__always)
    func time<R>(_ operation: TimedOperator, _ body: () throws -> R) rethrows -> R {
        let began = MonotonicClock.now()
        defer { times[operation, default: 0] += MonotonicClock.now() - began }
        return try body()
    }

    /// Forgets all times.
    func reset() { times.removeAll(keepingCapacity: true) }
}
