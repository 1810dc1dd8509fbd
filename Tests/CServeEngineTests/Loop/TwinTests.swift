import CServeCore
import CServeScheduling
import Testing

@testable import CServeEngine

/// The same requests through the live loop's core and through a scheduler driven in virtual time.
@Suite("Twin loops")
struct TwinTests {
    /// What both loops must agree on.
    struct Trace: Equatable {
        var events: [SchedulerEvent] = []
        var times: [Nanoseconds] = []
    }

    static func scheduler() -> SchedulerConfiguration {
        var configuration = SchedulerConfiguration(
            blockCount: 48, blockSize: 4, maxNumSeqs: 8, maxNumBatchedTokens: 24, maxModelLength: 96)
        configuration.chunkedPrefillSize = 10
        return configuration
    }

    /// Seeded arrivals with shared prefixes, branches and cancels.
    static func workload(seed: UInt64) -> [(request: Request, arrival: Nanoseconds, cancel: Nanoseconds?)] {
        var time: Nanoseconds = 0
        return (1...60).map { index in
            let fate = RandomStream.mix(seed &* 7919 &+ UInt64(index))
            time += Nanoseconds(fate % 3) * 500
            let length = 3 + TokenID((fate >> 8) % 40)
            let request = Request.test(
                UInt64(index), prompt: (0..<length).map { $0 % 11 + TokenID((fate >> 20) % 2) },
                maxTokens: 1 + Int((fate >> 16) % 20)
            ) { $0.n = fate % 7 == 0 ? 2 : 1 }
            return (request, time, fate % 5 == 0 ? time + 6000 : nil)
        }
    }

    static let stepTime: Nanoseconds = 1000

    @Test(
        "the live loop and the simulated one report the same events at the same times",
        arguments: 1...8 as ClosedRange<UInt64>)
    func twins(seed: UInt64) {
        let live = Self.live(seed)
        let simulated = Self.simulated(seed)
        #expect(live.events.count > 300)
        #expect(live.events == simulated.events)
        #expect(live.times == simulated.times)
    }

    /// The engine's core, with a clock that the runner moves.
    static func live(_ seed: UInt64) -> Trace {
        var trace = Trace()
        let holder = VirtualClock()
        let core = EngineCore(scheduler(), runner: TimedRunner(holder), clock: { holder.now })
        core.trace = {
            trace.events.append($0)
            trace.times.append(holder.now)
        }
        let configuration = EngineConfiguration(scheduler: scheduler(), vocabularySize: 64)
        var pending = workload(seed: seed)[...]
        var cancels: [(Nanoseconds, RequestID)] = []
        while true {
            while let next = pending.first, next.arrival <= holder.now {
                pending.removeFirst()
                let (_, continuation) = AsyncStream<[RequestEvent]>.makeStream()
                core.add(
                    LiveRequest(
                        next.request, arrival: next.arrival, configuration: configuration, stream: continuation))
                if let cancel = next.cancel { cancels.append((cancel, next.request.id)) }
            }
            for (time, id) in cancels where time <= holder.now { core.cancel(id, branch: nil, reason: .abort) }
            cancels.removeAll { $0.0 <= holder.now }
            if core.step() { continue }
            guard let next = pending.first else { return trace }
            holder.now = max(holder.now, next.arrival)
        }
    }

    /// The simulator's loop in a few lines: the scheduler alone, time as an argument.
    static func simulated(_ seed: UInt64) -> Trace {
        var scheduler = Scheduler(Self.scheduler())
        var now: Nanoseconds = 0
        var trace = Trace()
        func report(_ events: [SchedulerEvent]) {
            trace.events += events
            trace.times += events.map { _ in now }
        }
        var pending = workload(seed: seed)[...]
        var cancels: [(Nanoseconds, RequestID)] = []
        while true {
            while let next = pending.first, next.arrival <= now {
                pending.removeFirst()
                report(scheduler.add(next.request, at: next.arrival))
                if let cancel = next.cancel { cancels.append((cancel, next.request.id)) }
            }
            for (time, id) in cancels where time <= now { report(scheduler.cancel(id, at: now)) }
            cancels.removeAll { $0.0 <= now }
            if let batch = scheduler.nextMicroBatch(at: now) {
                report(scheduler.takeEvents())
                now += stepTime
                let outputs = batch.entries.map { entry in
                    EntryOutput(tokens: entry.sampledTokens == 0 ? [] : TokenRun(TimedRunner.token(after: entry)))
                }
                report(scheduler.complete(batch, outputs: outputs, at: now))
            } else if let next = pending.first {
                now = max(now, next.arrival)
            } else {
                return trace
            }
        }
    }
}

/// A clock that tests move; used on one thread.
private final class VirtualClock: @unchecked Sendable {
    var now: Nanoseconds = 0
}

/// A runner whose every step takes the same virtual time.
private final class TimedRunner: StepRunner {
    private let clock: VirtualClock

    init(_ clock: VirtualClock) { self.clock = clock }

    static func token(after entry: MicroBatch.Entry) -> TokenID { TokenID((entry.start + entry.tokens.count) % 50) }

    func run(_ batch: MicroBatch, slots: SlotTable) throws -> StepResult {
        clock.now += TwinTests.stepTime
        return StepResult(
            outputs: batch.entries.map {
                EntryOutput(tokens: $0.sampledTokens == 0 ? [] : TokenRun(TimedRunner.token(after: $0)))
            })
    }
}
