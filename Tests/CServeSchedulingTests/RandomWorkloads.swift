// Makes random configurations and workloads from a seed, small enough that thousands run in seconds.
import CServeCore

@testable import CServeScheduling

extension SchedulerConfiguration {
    /// A small configuration; the pool is often too small for what comes.
    static func random(_ random: inout SplitMix) -> SchedulerConfiguration {
        var made = SchedulerConfiguration(
            blockCount: random.int(3...24), blockSize: random.int(1...5), maxNumSeqs: random.int(1...6),
            maxNumBatchedTokens: random.int(1...24), maxModelLength: random.int(4...48))
        made.useChunkedPrefill = random.chance(75)
        made.chunkedPrefillSize = random.chance(40) ? random.int(1...8) : nil
        made.usePrefixCaching = random.chance(60)
        made.stages = random.chance(60) ? 1 : random.int(2...4)
        made.lookAhead = random.chance(60) ? 0 : random.int(1...2)
        made.draftTokens = random.chance(60) ? 0 : random.int(1...5)
        let shortest: Int = random.int(1...3)
        made.draftLookup = shortest...random.int(shortest...4)
        made.policy = SchedulingPolicy.allCases[random.int(0...2)]
        made.growthReserve = random.chance(50) ? .adaptive : GrowthReservePolicy.allCases[random.int(0...2)]
        made.balancesStages = random.chance(80)
        made.eosTokenIDs = random.chance(50) ? [0, 1] : []
        return made
    }
}

extension Request {
    /// A small request; prompts share beginnings.
    static func random(_ id: Int, _ configuration: SchedulerConfiguration, _ random: inout SplitMix) -> Request {
        let most: Int = min(configuration.capacity, configuration.maxModelLength - 1, 20)
        let count: Int = random.int(1...max(1, most))
        let family: Int = random.int(0...1)
        var prompt: [TokenID] = (0..<count).map { TokenID($0 * 7 % 11 + family) }
        if random.chance(60) { prompt[count - 1] = TokenID(random.int(0...30)) }
        var sampling = SamplingParameters()
        sampling.maxTokens = random.int(1...16)
        sampling.minTokens = random.chance(20) ? random.int(0...4) : 0
        sampling.ignoreEOS = random.chance(20)
        sampling.stopTokenIDs = random.chance(20) ? [TokenID(random.int(0...39))] : []
        sampling.n = random.chance(75) ? 1 : random.int(1...min(4, configuration.maxNumSeqs))
        if random.chance(10) {
            sampling.promptLogprobs = 0
            if random.chance(50) { sampling.maxTokens = 0 }
        }
        return Request(
            id: RequestID(UInt64(id)), promptTokens: prompt, sampling: sampling, priority: random.int(0...1),
            cacheSalt: random.chance(80) ? nil : "tenant")
    }
}

extension World {
    /// Runs a random workload to its end: arrivals, cancels and failures at any point.
    static func randomRun(seed: UInt64, disturbed: Bool) -> World {
        var random = SplitMix(seed)
        let configuration = SchedulerConfiguration.random(&random)
        var world = World(configuration, seed: seed, varies: random.chance(40))
        world.tokenTime = random.chance(70) ? 10 : 2000
        var next: Int = 1
        let total: Int = random.int(1...9)
        for _ in 0..<200 {
            if world.problem != nil { return world }
            let action: Int = random.int(0...9)
            if action < 3, next <= total {
                world.add(Request.random(next, configuration, &random))
                next += 1
            } else if action == 3, disturbed, next > 1 {
                let id = RequestID(UInt64(random.int(1...(next - 1))))
                let branches: Int = world.books[id]?.answers.count ?? 1
                world.cancel(id, branch: random.chance(50) ? nil : random.int(0...(branches - 1)))
            } else if action < 7 {
                world.launch()
            } else {
                world.land(failing: disturbed && random.chance(6))
            }
        }
        while next <= total {
            world.add(Request.random(next, configuration, &random))
            next += 1
        }
        world.drain()
        return world
    }
}
