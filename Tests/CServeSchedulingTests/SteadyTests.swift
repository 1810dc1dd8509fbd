// Skipping ahead must leave the very state that single steps leave.
import CServeCore
import Testing

@testable import CServeScheduling

struct SteadyTests {
    /// A scheduler stepped to where only decodes are left, and its time.
    private static func settled(_ random: inout SplitMix) -> (Scheduler, Nanoseconds) {
        var configuration = SchedulerConfiguration.random(&random)
        configuration.stages = 1
        configuration.lookAhead = 0
        configuration.draftTokens = 0
        configuration.blockCount += 10
        var scheduler = Scheduler(configuration)
        for id in 1...random.int(1...12) {
            var request = Request.random(id, configuration, &random)
            request.sampling.maxTokens = max(1, request.sampling.maxTokens) * 3
            _ = scheduler.add(request, at: 0)
        }
        var now: Nanoseconds = 0
        for _ in 0..<40 where scheduler.steadySteps() == 0 { (_, now) = step(&scheduler, now) }
        return (scheduler, now)
    }

    private static func duration(_ load: BatchLoad) -> Nanoseconds {
        500 + Nanoseconds(load.tokens) * 7 + Nanoseconds(load.context)
    }

    private static func step(_ scheduler: inout Scheduler, _ now: Nanoseconds) -> ([SchedulerEvent], Nanoseconds) {
        guard let batch = scheduler.nextMicroBatch(at: now) else { return ([], now) }
        let outputs = batch.entries.map { EntryOutput(tokens: $0.sampledTokens == 0 ? [] : [77]) }
        let end: Nanoseconds = now + duration(batch.load)
        return (scheduler.complete(batch, outputs: outputs, at: end), end)
    }

    /// Advances in as many calls as it takes.
    private static func advance(_ scheduler: inout Scheduler, _ steps: Int, from start: Nanoseconds) -> SteadyRun {
        var whole = SteadyRun(steps: 0, end: start, events: [])
        while whole.steps < steps {
            let run = scheduler.advance(
                steps: steps - whole.steps, from: whole.end, token: 77, duration: { Self.duration($0.load) })
            guard run.steps > 0 else { break }
            whole.steps += run.steps
            whole.end = run.end
            whole.events += run.events
        }
        return whole
    }

    /// One event per branch and kind, tokens joined.
    private static func joined(_ events: [SchedulerEvent]) -> [String] {
        var tokens: [String: Int] = [:]
        var others: [String] = []
        for event in events {
            if case .tokens(let id, let branch, let run) = event {
                tokens["\(id) \(branch)", default: 0] += run.count
            } else {
                others.append("\(event)")
            }
        }
        return tokens.map { "\($0.key): \($0.value)" }.sorted() + others
    }

    @Test("Advancing equals stepping, block allocation, prefix cache, estimator and time included")
    func advanceEqualsStepping() {
        var skipped: Int = 0
        var skippedWaiting: Int = 0
        for seed in UInt64(1)...400 {
            var random = SplitMix(seed)
            var (scheduler, now) = Self.settled(&random)
            var twin = scheduler
            let steps: Int = random.chance(50) ? scheduler.steadySteps() : random.int(0...scheduler.steadySteps())
            var events: [SchedulerEvent] = []
            let start: Nanoseconds = now
            for _ in 0..<steps {
                let (more, end) = Self.step(&scheduler, now)
                events += more
                now = end
            }
            let run = Self.advance(&twin, steps, from: start)
            #expect(run.steps == steps, "seed \(seed)")
            #expect(run.end == now, "seed \(seed)")
            #expect(twin == scheduler, "seed \(seed)")
            #expect(Self.joined(run.events) == Self.joined(events), "seed \(seed)")
            #expect(twin.brokenInvariant() == nil, "seed \(seed)")
            if twin != scheduler { return }
            skipped += steps
            if scheduler.statistics.waiting > 0 { skippedWaiting += steps }
        }
        #expect(skippedWaiting > 100)
        #expect(skipped > 1000)
    }

    @Test("No step begins at or after the deadline, and a token that ends an answer is not skipped over")
    func limits() {
        var configuration = SchedulerConfiguration(blockCount: 100, blockSize: 4, maxModelLength: 200)
        configuration.eosTokenIDs = [9]
        var scheduler = Scheduler(configuration)
        var request = Request(id: RequestID(1), promptTokens: [1, 2, 3])
        request.sampling.maxTokens = 50
        _ = scheduler.add(request, at: 0)
        _ = Self.step(&scheduler, 0)
        #expect(scheduler.steadySteps() == 49)
        #expect(scheduler.advance(steps: 10, from: 0, token: 9, duration: { _ in 10 }).steps == 0)
        let run = scheduler.advance(steps: 40, from: 1000, until: 1035, token: 8, duration: { _ in 10 })
        #expect(run.steps == 4)
        #expect(run.end == 1040)
        #expect(scheduler.steadySteps() == 45)
    }
}
