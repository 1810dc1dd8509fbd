// The scheduler's own news of a simulated replica, one by one: what a live engine's loop is compared with.
import CServeCore
import CServeScheduling

/// A scheduler's request, when it comes, and when its client goes away.
public struct TimedRequest: Sendable {
    /// The request; names differ.
    public var request: Request
    /// When the loop may have it.
    public var arrival: Nanoseconds
    /// When it is cancelled, if it has not ended by then.
    public var cancellation: Nanoseconds?

    /// Describes a request in time.
    public init(_ request: Request, arrival: Nanoseconds, cancellation: Nanoseconds? = nil) {
        self.request = request
        self.arrival = arrival
        self.cancellation = cancellation
    }
}

/// All news of one replica, in order, and when each came.
public struct EventTrace: Hashable, Sendable, ReplicaObserver {
    /// The news.
    public private(set) var events: [SchedulerEvent] = []
    /// The time of each.
    public private(set) var times: [Nanoseconds] = []

    /// Serves requests on one replica, step by step.
    /// - Parameters:
    ///   - requests: in the order of their arrivals.
    ///   - replica: who serves; its ingress and egress are left out.
    ///   - sample: the token that a backend would sample behind an entry's last token.
    public init(
        of requests: [TimedRequest], on replica: ReplicaSpec, sample: @escaping @Sendable (MicroBatch.Entry) -> TokenID
    ) {
        var loop = ReplicaLoop(replica, skips: false, sample: sample)
        for timed in requests {
            loop.add(timed.request, at: timed.arrival)
            if let time = timed.cancellation { loop.cancel(timed.request.id, at: time) }
        }
        var now: Nanoseconds = 0
        while loop.nextEvent < .max {
            now = max(now, loop.nextEvent)
            loop.finish(at: now, &self)
            loop.proceed(at: now, until: .max, &self)
        }
    }

    mutating func note(_ event: SchedulerEvent, at now: Nanoseconds, skip: SkipSpan?) {
        events.append(event)
        times.append(now)
    }

    mutating func stepEnded(at now: Nanoseconds, tokens: Int) {}

    mutating func gap(_ span: Nanoseconds, times: Int) {}

    mutating func taken(_ id: RequestID, at now: Nanoseconds) {}
}
