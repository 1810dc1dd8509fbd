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
    func undisturbed() { Self.verify(1...1500, disturbed: false) }

    @Test("Random cancels and failed steps lose nothing of the others' answers")
    func disturbed() { Self.verify(10_001...11_500, disturbed: true) }
}
