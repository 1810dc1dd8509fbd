import CServeCore
import CServeCost
import CServeScheduling
import CServeSimulator
import CServeWorkload
import Testing

@testable import CServeEngine

/// The same requests through the live loop's core and through the simulator.
@Suite("Twin loops")
struct TwinTests {
    /// What both loops must agree on.
    struct Trace: Equatable {
        var events: [SchedulerEvent] = []
        var times: [Nanoseconds] = []

        /// When requests 0, 1, ... had their first and their last token.
        func tokenTimes(_ count: Int) -> [(first: Nanoseconds, last: Nanoseconds)] {
            var spans: [(first: Nanoseconds, last: Nanoseconds)] = Array(repeating: (-1, -1), count: count)
            for (event, time) in zip(events, times) {
                guard case .tokens(let id, _, _) = event else { continue }
                let index = Int(id.value)
                spans[index] = (spans[index].first < 0 ? time : spans[index].first, time)
            }
            return spans
        }
    }

    static func scheduler() -> SchedulerConfiguration {
        var configuration = SchedulerConfiguration(
            blockCount: 48, blockSize: 4, maxNumSeqs: 8, maxNumBatchedTokens: 24, maxModelLength: 96)
        configuration.chunkedPrefillSize = 10
        return configuration
    }

    /// Seeded arrivals with shared prefixes, branches and cancels.
    static func workload(seed: UInt64) -> [TimedRequest] {
        var time: Nanoseconds = 0
        return (1...60).map { index in
            let fate = RandomStream.mix(seed &* 7919 &+ UInt64(index))
            time += Nanoseconds(fate % 3) * 500
            let length = 3 + TokenID((fate >> 8) % 40)
            let request = Request.test(
                UInt64(index), prompt: (0..<length).map { $0 % 11 + TokenID((fate >> 20) % 2) },
                maxTokens: 1 + Int((fate >> 16) % 20)
            ) { $0.n = fate % 7 == 0 ? 2 : 1 }
            return TimedRequest(request, arrival: time, cancellation: fate % 5 == 0 ? time + 6000 : nil)
        }
    }

    @Test(
        "the live loop and the simulated one report the same events at the same times",
        arguments: 1...8 as ClosedRange<UInt64>, [TwinTiming.instant, .bySize])
    func twins(seed: UInt64, timing: TwinTiming) {
        let workload = Self.workload(seed: seed)
        let live = Self.live(workload, Self.scheduler(), timing)
        let simulated = EventTrace(
            of: workload, on: ReplicaSpec(scheduler: Self.scheduler(), timing: timing), sample: TimedRunner.token)
        #expect(live.events.count > 300)
        #expect(live.events == simulated.events)
        #expect(live.times == simulated.times)
    }

    @Test(
        "clients of the live loop and of a whole simulation have their tokens at the same times",
        arguments: [true, false])
    func clients(skips: Bool) {
        let workload: [WorkloadRequest] = (0..<80).map { index in
            let fate = RandomStream.mix(UInt64(index) &+ 99)
            return WorkloadRequest(
                index: index, arrival: Nanoseconds(index) * 9_000 + Nanoseconds(fate % 20_000),
                promptLength: 3 + Int((fate >> 8) % 40), outputLength: 1 + Int((fate >> 16) % 40),
                segments: [PromptSegment(.text(fate % 3), tokens: 12)])
        }.sorted { ($0.arrival ?? 0, $0.index) < ($1.arrival ?? 0, $1.index) }
        var options = SimulationOptions()
        options.vocabularySize = 64
        options.keepsRecords = true
        options.skipsSteadySteps = skips
        let replica = ReplicaSpec(scheduler: Self.scheduler(), timing: TwinTiming.bySize)
        let records = Simulator(ClusterSpec(replica), options).run(workload).records.sorted { $0.index < $1.index }
        let requests = workload.map { item in
            let prompt = item.promptTokens(vocabularySize: 64, seed: 0)
            let request = Request.test(UInt64(item.index), prompt: prompt, maxTokens: item.outputLength) {
                $0.ignoreEOS = true
            }
            return TimedRequest(request, arrival: item.arrival ?? 0)
        }
        let live = Self.live(requests, Self.scheduler(), .bySize, token: WorkloadRequest.answerToken)
        #expect(records.map(\.firstToken) == live.tokenTimes(80).map(\.first))
        #expect(records.map(\.end) == live.tokenTimes(80).map(\.last))
    }

    /// The engine's core, with a clock that the runner moves.
    static func live(
        _ requests: [TimedRequest], _ scheduler: SchedulerConfiguration, _ timing: TwinTiming, token: TokenID? = nil
    ) -> Trace {
        var trace = Trace()
        let holder = VirtualClock()
        let core = EngineCore(scheduler, runner: TimedRunner(holder, timing, token), clock: { holder.now })
        core.trace = {
            trace.events.append($0)
            trace.times.append(holder.now)
        }
        let configuration = EngineConfiguration(scheduler: scheduler, vocabularySize: 64)
        var pending = requests[...]
        var cancels: [(Nanoseconds, RequestID)] = []
        while true {
            while let next = pending.first, next.arrival <= holder.now {
                pending.removeFirst()
                let (_, continuation) = AsyncStream<[RequestEvent]>.makeStream()
                core.add(
                    LiveRequest(
                        next.request, arrival: next.arrival, configuration: configuration, stream: continuation))
                if let cancel = next.cancellation { cancels.append((cancel, next.request.id)) }
            }
            for (time, id) in cancels where time <= holder.now { core.cancel(id, branch: nil, reason: .abort) }
            cancels.removeAll { $0.0 <= holder.now }
            if core.step() { continue }
            guard let next = pending.first else { return trace }
            holder.now = max(holder.now, next.arrival)
        }
    }
}

/// The times of the twins' steps: as the simulator's cost model from a step's composition, and as the live runner's clock from
/// the micro-batch itself.
enum TwinTiming: StepTiming {
    case instant
    case bySize

    var stages: Int { 1 }
    var egressTime: Nanoseconds { 0 }

    func stageTime(of step: StepComposition, stage: Int) -> Nanoseconds {
        guard self == .bySize else { return 0 }
        let pieces = step.prefills.reduce(0) { $0 + $1.tokens + 3 * $1.context }
        return Nanoseconds(900 + 11 * (pieces + step.decodes) + 5 * step.sampledRows + step.longestDecodeContext)
    }
    func sendTime(of step: StepComposition, after stage: Int) -> Nanoseconds { 0 }
    func hostTime(of step: StepComposition) -> Nanoseconds { 0 }
    func ingressTime(promptTokens: Int) -> Nanoseconds { 0 }

    func time(of batch: MicroBatch) -> Nanoseconds {
        guard self == .bySize else { return 0 }
        var time = 900
        var longest = 0
        for (index, entry) in batch.entries.enumerated() {
            let decodes = index < batch.load.decodes
            time += 11 * (entry.tokens.count + (decodes ? 0 : 3 * entry.start)) + (entry.sampledTokens > 0 ? 5 : 0)
            if decodes { longest = max(longest, entry.start + 1) }
        }
        return Nanoseconds(time + longest)
    }
}

/// A clock that tests move; used on one thread.
private final class VirtualClock: @unchecked Sendable {
    var now: Nanoseconds = 0
}

/// A runner whose every step takes a virtual time.
private final class TimedRunner: StepRunner {
    private let clock: VirtualClock
    private let timing: TwinTiming
    /// What it always samples, if that does not depend on the position.
    private let token: TokenID?

    init(_ clock: VirtualClock, _ timing: TwinTiming, _ token: TokenID?) {
        self.clock = clock
        self.timing = timing
        self.token = token
    }

    static func token(after entry: MicroBatch.Entry) -> TokenID { TokenID((entry.start + entry.tokens.count) % 50) }

    func run(_ batch: MicroBatch, slots: SlotTable) throws -> StepResult {
        clock.now += timing.time(of: batch)
        return StepResult(
            outputs: batch.entries.map {
                EntryOutput(tokens: $0.sampledTokens == 0 ? [] : TokenRun(token ?? TimedRunner.token(after: $0)))
            })
    }
}
