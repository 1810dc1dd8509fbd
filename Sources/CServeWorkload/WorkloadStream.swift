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
