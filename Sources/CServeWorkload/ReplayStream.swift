// Replays a trace request by request, at its own times or at others.
import CServeCore

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
