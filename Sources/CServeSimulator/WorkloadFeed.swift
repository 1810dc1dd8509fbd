// When which request is sent: open loops, closed loops, and turns that wait for the answer before.
import CServeCore
import CServeWorkload

/// Hands out a workload's requests in the order in which they are sent.
///
/// Reads a little ahead, and keeps what it has read only until it is sent: a workload may be longer than memory.
struct WorkloadFeed<Source: IteratorProtocol<WorkloadRequest>> {
    /// How far ahead turns are looked for, so that they are known when the answer before them ends.
    private static var readAhead: Int { 1024 }

    private var source: Source
    private let load: LoadPattern
    private var ahead: [WorkloadRequest] = []
    private var head: Int = 0
    private var isRead: Bool = false
    /// Turns by the request that they wait for.
    private var turns: [Int: [WorkloadRequest]] = [:]
    /// When requests of conversations ended, for turns that are read later.
    private var ends: [Int: Nanoseconds] = [:]
    /// Turns whose time is known.
    private var due = EventHeap<WorkloadRequest>()
    /// Clients of a closed loop that are free, by the time at which they send.
    private var clients = EventHeap<Void>()

    private var dependsOnTurns: Bool = false
    private var lost: [WorkloadRequest] = []

    /// Whether the end of a request may send another.
    var dependsOnEnds: Bool { dependsOnTurns || load != .openLoop }

    init(_ source: Source, _ load: LoadPattern) {
        self.source = source
        self.load = load
        if case .closedLoop(let count, _) = load {
            for number in 0..<count { clients.insert((), at: 0, number: number) }
        }
        fill()
    }

    /// When the next request is sent, as far as it is known.
    var nextArrival: Nanoseconds? {
        guard let fresh = freshArrival else { return due.nextTime }
        guard let turn = due.nextTime else { return fresh }
        return min(fresh, turn)
    }

    /// Takes the next request.
    mutating func removeFirst() -> WorkloadRequest? {
        let fresh: Nanoseconds? = freshArrival
        if let turn = due.nextTime, turn <= fresh ?? .max { return due.removeFirst() }
        guard fresh != nil else { return nil }
        let request = ahead[head]
        head += 1
        if load != .openLoop { _ = clients.removeFirst() }
        fill()
        return request
    }

    /// Tells that a request has ended for its client.
    /// - Parameter mayHaveTurns: whether its end must be remembered for turns that have not been read yet.
    mutating func ended(_ request: Int, at time: Nanoseconds, failed: Bool, mayHaveTurns: Bool) {
        let waiting: [WorkloadRequest] = turns.isEmpty ? [] : turns.removeValue(forKey: request) ?? []
        if mayHaveTurns || dependsOnTurns { ends[request] = failed ? .max : time }
        for turn in waiting {
            if failed { lost.append(turn) } else { due.insert(turn, at: time + turn.thinkTime, number: turn.index) }
        }
        if case .closedLoop(_, let thinkTime) = load, failed || waiting.isEmpty {
            clients.insert((), at: time + thinkTime, number: request)
        }
    }

    /// Takes the turns that are never sent, because the answer before them failed.
    mutating func takeLost() -> [WorkloadRequest] {
        guard !lost.isEmpty else { return [] }
        defer { lost = [] }
        return lost
    }

    /// Takes the turns that still wait when everything has ended: the answer before them is not in the workload.
    mutating func takeWaiting() -> [WorkloadRequest] {
        defer { turns = [:] }
        return turns.values.joined().sorted { $0.index < $1.index }
    }

    /// When the next request that waits for no other is sent.
    private var freshArrival: Nanoseconds? {
        guard head < ahead.count else { return nil }
        return load == .openLoop ? ahead[head].arrival ?? 0 : clients.nextTime
    }

    private mutating func fill() {
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

    private mutating func take(_ request: WorkloadRequest) {
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
