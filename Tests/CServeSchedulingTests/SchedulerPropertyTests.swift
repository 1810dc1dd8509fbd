// Thousands of random workloads: whatever happens, nothing is lost, leaked, overtaken or mixed up.
import CServeCore
import Foundation
import Testing

@testable import CServeScheduling

struct SchedulerPropertyTests {
    private static func verify(_ seeds: ClosedRange<UInt64>, disturbed: Bool) {
        for seed in seeds {
            var world = World.randomRun(seed: seed, disturbed: disturbed)
            world.verifyAnswers()
            world.verifyOrder()
            world.verifyEmpty()
            #expect(world.problem == nil, "seed \(seed)")
            if world.problem != nil { return }
        }
    }

    @Test("Random workloads end with the answers that each request gives alone, in order, with every block back")
    func undisturbed() { Self.verify(1...1000, disturbed: false) }

    @Test("Random cancels and failed steps lose nothing of the others' answers")
    func disturbed() { Self.verify(10_001...11_000, disturbed: true) }

    @Test("The same seed gives the same schedule, step by step")
    func deterministic() {
        for seed in UInt64(20_001)...20_060 {
            let first = World.randomRun(seed: seed, disturbed: true)
            let second = World.randomRun(seed: seed, disturbed: true)
            #expect(first.batches == second.batches, "seed \(seed)")
            #expect(first.log == second.log, "seed \(seed)")
            #expect(first.scheduler == second.scheduler, "seed \(seed)")
        }
    }

    @Test("The random workloads do reach preemption, prefix hits, copies, rollbacks, right and wrong drafts")
    func coverage() {
        var preemptions: Int = 0
        var hits: Int = 0
        var reused: Int = 0
        var copies: Int = 0
        var rollbacks: Int = 0
        var right: Int = 0
        var wrong: Int = 0
        for seed in UInt64(1)...300 {
            let world = World.randomRun(seed: seed, disturbed: false)
            let statistics = world.scheduler.statistics
            preemptions += statistics.preemptions
            hits += statistics.prefixHits
            reused += statistics.reusedAfterPreemption
            copies += world.batches.reduce(0) { $0 + $1.copies.count }
            right += statistics.speculation.acceptedTokens
            wrong += statistics.speculation.draftTokens - statistics.speculation.acceptedTokens
            rollbacks += world.batches.count { $0.entries.contains { $0.epoch > 0 } }
        }
        #expect(min(preemptions, hits, reused, copies, rollbacks) > 5)
        #expect(min(right, wrong) > 30, "\(right) right, \(wrong) wrong")
    }

    @Test("Under a stream of newcomers nobody of the same priority waits for those who came later")
    func starvation() {
        var random = SplitMix(77)
        var configuration = roomy(blocks: 16)
        configuration.maxNumSeqs = 4
        var world = World(configuration)
        for id in 1...120 {
            world.add(request(UInt64(id), prompt: random.int(1...40), answer: random.int(1...12), family: id % 5))
            for _ in 0..<random.int(1...6) {
                world.launch()
                world.land()
            }
        }
        world.drain()
        world.verifyAnswers()
        world.verifyOrder()
        world.verifyEmpty()
        #expect(world.problem == nil)
        #expect(world.startOrder.map(\.value) == Array(1...120))
    }
}
