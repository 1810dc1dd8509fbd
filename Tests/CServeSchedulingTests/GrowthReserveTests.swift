import CServeCore
import Testing

@testable import CServeScheduling

/// What other engines decide differently about who may start.
struct GrowthReserveTests {
    /// Thirty requests that come at once to a cache that holds about four of them.
    private static func crowd(_ reserve: GrowthReservePolicy, seed: UInt64) -> World {
        var random = SplitMix(seed)
        var configuration = roomy(blocks: 40)
        configuration.growthReserve = reserve
        configuration.policy = .throughput
        configuration.usePrefixCaching = random.chance(50)
        var world = World(configuration)
        for id in 1...30 {
            world.add(request(UInt64(id), prompt: random.int(1...40), answer: random.int(1...30), family: id))
        }
        world.drain()
        world.verifyAnswers()
        world.verifyOrder()
        world.verifyEmpty()
        return world
    }

    @Test("A full reserve never preempts, no reserve does, and both answer everybody")
    func preemptions() {
        var unreserved: Int = 0
        for seed in UInt64(1)...20 {
            let full = Self.crowd(.full, seed: seed)
            let none = Self.crowd(.none, seed: seed)
            #expect(full.problem == nil && none.problem == nil, "seed \(seed)")
            #expect(full.scheduler.statistics.preemptions == 0, "seed \(seed)")
            unreserved += none.scheduler.statistics.preemptions
        }
        #expect(unreserved > 20)
    }

    @Test("A pass that preempts admits nobody where nothing is reserved")
    func closedAfterPreemption() {
        let world = Self.crowd(.none, seed: 3)
        var preempted: Bool = false
        var sawPreemption: Bool = false
        for event in world.log {
            switch event {
            case .preempted: (preempted, sawPreemption) = (true, true)
            case .started: #expect(!preempted)
            case .tokens, .finished: preempted = false
            default: break
            }
        }
        #expect(sawPreemption)
    }

    @Test("Without a reserve a prompt starts as soon as its blocks are free; with a full one when its answer's are too")
    func starts() {
        // 10 blocks of 4: the first takes 3 of them for its prompt, and up to 8 with its answer of 21.
        for (reserve, running) in [(GrowthReservePolicy.none, 2), (.full, 1)] {
            var configuration = SchedulerConfiguration(blockCount: 10, blockSize: 4, maxModelLength: 40)
            configuration.growthReserve = reserve
            var scheduler = Scheduler(configuration)
            for id in UInt64(1)...2 {
                var request = Request(id: RequestID(id), promptTokens: Array(repeating: TokenID(id), count: 12))
                request.sampling.maxTokens = 21
                _ = scheduler.add(request, at: 0)
            }
            _ = scheduler.nextMicroBatch(at: 0)
            #expect(scheduler.statistics.running == running)
        }
    }

    @Test("Unbalanced stages put all decodes into one micro-batch; balanced ones share them out")
    func stages() {
        for (balances, expected) in [(true, 4), (false, 8)] {
            var configuration = roomy(blocks: 100)
            configuration.stages = 2
            configuration.balancesStages = balances
            configuration.maxNumSeqs = 8
            var world = World(configuration)
            for id in 1...8 { world.add(request(UInt64(id), prompt: 4, answer: 40, family: id)) }
            // Everybody's prompt, then nothing is in flight.
            while world.scheduler.statistics.waiting > 0 {
                world.launch()
                world.land()
            }
            while world.land() {}
            world.launch()
            #expect(world.batches.last?.entries.count == expected)
        }
    }
}
