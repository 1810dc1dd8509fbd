// When which request is sent: open loops, closed loops, and turns that wait for the answer before. The simulator and the load
// generator ask the same one.
import CServeCore

/// Hands out a workload's requests in the order in which they are sent.
///
/// Reads a little ahead, and keeps what it has read only until it is sent: a workload may be longer than memory. Times are the
/// owner's, virtual or real.
public struct WorkloadFeed<Source: IteratorProtocol<WorkloadRequest>> {
    /// How far ahead turns are looked for, so that they are known when the answer before them ends.
    @inlinable static var readAhead: Int { 1024 }

    @usableFromInline var source: Source
    @usableFromInline let load: LoadPattern
    @usableFromInline var ahead: [WorkloadRequest] = []
    @usableFromInline var head: Int = 0
    @usableFromInline var isRead: Bool = false
    /// Turns by the request that they wait for.
    @usableFromInline var turns: [Int: [WorkloadRequest]] = [:]
    /// When requests of conversations ended, for turns that are read later.
    @usableFromInline var ends: [Int: Nanoseconds] = [:]
    /// Turns whose time is known.
    @usableFromInline var due = EventHeap<WorkloadRequest>()
    /// Requests of a closed loop that a client has taken, by the time at which it sends them.
    @usableFromInline var taken = EventHeap<WorkloadRequest>()
    /// Clients of a closed loop, and answers that they have had.
    @usableFromInline var clients: Int = 0
    @usableFromInline var answered: Int = 0
    @usableFromInline var dependsOnTurns: Bool = false
    @usableFromInline var lost: [WorkloadRequest] = []

    /// Whether the end of a request may send another.
    @inlinable public var dependsOnEnds: Bool { dependsOnTurns || load != .openLoop }

    /// Begins at time 0.
    @inlinable
    public init(_ source: Source, _ load: LoadPattern) {
        self.source = source
        self.load = load
        fill()
        addClients(at: 0, thinking: false)
    }

    /// When the next request is sent, as far as it is known.
    @inlinable public var nextArrival: Nanoseconds? {
        guard let fresh = freshArrival else { return due.nextTime }
        guard let turn = due.nextTime else { return fresh }
        return min(fresh, turn)
    }

    /// The next request, as far as it is known.
    @inlinable public var next: WorkloadRequest? {
        let fresh: Nanoseconds? = freshArrival
        if let turn = due.nextTime, turn <= fresh ?? .max { return due.first }
        guard fresh != nil else { return nil }
        return load == .openLoop ? ahead[head] : taken.first
    }

    /// Takes the next request.
    @inlinable
    public mutating func removeFirst() -> WorkloadRequest? {
        let fresh: Nanoseconds? = freshArrival
        if let turn = due.nextTime, turn <= fresh ?? .max { return due.removeFirst() }
        guard fresh != nil else { return nil }
        return load == .openLoop ? removeAhead() : taken.removeFirst()
    }

    /// Tells that a request has ended for its client.
    /// - Parameter mayHaveTurns: whether its end must be remembered for turns that have not been read yet.
    @inlinable
    public mutating func ended(_ request: Int, at time: Nanoseconds, failed: Bool, mayHaveTurns: Bool) {
        let waiting: [WorkloadRequest] = turns.isEmpty ? [] : turns.removeValue(forKey: request) ?? []
        if mayHaveTurns || dependsOnTurns { ends[request] = failed ? .max : time }
        for turn in waiting {
            if failed { lost.append(turn) } else { due.insert(turn, at: time + turn.thinkTime, number: turn.index) }
        }
        guard load != .openLoop else { return }
        answered += 1
        if failed || waiting.isEmpty { clients -= 1 }
        addClients(at: time, thinking: true)
    }

    /// Takes the turns that are never sent, because the answer before them failed, and those behind them.
    @inlinable
    public mutating func takeLost() -> [WorkloadRequest] {
        var all: [WorkloadRequest] = []
        while let turn = lost.popLast() {
            ends[turn.index] = .max
            lost += turns.removeValue(forKey: turn.index) ?? []
            all.append(turn)
        }
        return all
    }

    /// Takes the turns that still wait when everything has ended: the answer before them is not in the workload.
    @inlinable
    public mutating func takeWaiting() -> [WorkloadRequest] {
        defer { turns = [:] }
        return turns.values.joined().sorted { $0.index < $1.index }
    }

    /// When the next request that waits for no other is sent.
    @inlinable var freshArrival: Nanoseconds? {
        guard load == .openLoop else { return taken.nextTime }
        return head < ahead.count ? ahead[head].arrival ?? 0 : nil
    }

    /// Lets clients take requests until there are as many as there should be, or no request is left.
    @inlinable
    mutating func addClients(at time: Nanoseconds, thinking: Bool) {
        guard let wanted = load.clients(finished: answered) else { return }
        while clients < wanted, let request = removeAhead() {
            clients += 1
            let wait: Nanoseconds = thinking ? load.thinkTime(before: request) : 0
            taken.insert(request, at: time + wait, number: request.index)
        }
    }

    @inlinable
    mutating func removeAhead() -> WorkloadRequest? {
        guard head < ahead.count else { return nil }
        let request: WorkloadRequest = ahead[head]
        head += 1
        fill()
        return request
    }

    @inlinable
    mutating func fill() {
        guard !isRead, ahead.count - head < WorkloadFeed.readAhead / 2 else { return }
        ahead.removeFirst(head)
        head = 0
        while ahead.count < WorkloadFeed.readAhead {
            guard let request = source.next() else {
                isRead = true
                return
            }
            take(request)
        }
    }

    @inlinable
    mutating func take(_ request: WorkloadRequest) {
        guard let before = request.after else {
            ahead.append(request)
            return
        }
        dependsOnTurns = true
        guard let end = ends[before] else {
            turns[before, default: []].append(request)
            return
        }
        guard end < .max else {
            lost.append(request)
            return
        }
        due.insert(request, at: end + request.thinkTime, number: request.index)
    }
}
