import CServeCore
import Testing

@testable import CServeCost

@Suite("Step cost")
struct StepCostTests {
    @Test("one decode takes what the weights take to be read, within data sheets' usual share")
    func decodeReadsTheWeights() throws {
        let placement: ReplicaPlacement = try CostShapes.placement()
        let cost: StepCost = try StepCost(placement, engine: CostShapes.engine)
        let seconds: Double = cost.stageTime(of: CostShapes.decodes(1, context: 128), stage: 0).seconds
        // Every weight but the embedding (128256 x 4096) is read once, two bytes each.
        let bytes = Double(placement.shape.parameterCount - 128_256 * 4096) * 2
        #expect(seconds > bytes / 2.039e12)
        // Public measurements of decodes at batch 1 reach 0.65 to 0.85 of the bandwidth (vidur's A100: 0.70).
        #expect(seconds < bytes / (0.55 * 2.039e12))
    }

    @Test("a long prompt takes its arithmetic at a plausible share of the peak")
    func promptIsBoundByArithmetic() throws {
        let placement: ReplicaPlacement = try CostShapes.placement()
        let cost: StepCost = try StepCost(placement, engine: CostShapes.engine)
        let seconds: Double = cost.stageTime(of: CostShapes.prompt(2048), stage: 0).seconds
        let operations = 2 * 2048 * Double(placement.shape.parameterCount - 2 * 128_256 * 4096)
        // vLLM and vidur on A100: 0.6 to 0.9 of the peak in matrices at 2048 tokens.
        #expect(seconds > operations / 312e12)
        #expect(seconds < operations / (0.5 * 312e12))
    }

    @Test("more tokens, longer contexts and more sampled rows never make a step shorter by more than a tile's step")
    func timesGrow() throws {
        let cost: StepCost = try StepCost(try CostShapes.placement(), engine: CostShapes.engine)
        var last: Nanoseconds = 0
        for count in [1, 8, 32, 64, 128, 256] {
            let time: Nanoseconds = cost.stageTime(of: CostShapes.decodes(count, context: 1000), stage: 0)
            #expect(Double(time) > 0.97 * Double(last))
            last = time
        }
        let short: Nanoseconds = cost.stageTime(of: CostShapes.decodes(64, context: 200), stage: 0)
        let long: Nanoseconds = cost.stageTime(of: CostShapes.decodes(64, context: 8000), stage: 0)
        // 64 x 7800 more positions of 128 KiB each in all layers.
        #expect(long - short > Nanoseconds(64 * 7800 * 131_072 / 2.039e12 * 1e9))
    }

    @Test("the breakdown adds up to the stage's time, host and send beside it")
    func breakdownAddsUp() throws {
        for tensor in [1, 4] {
            let placement: ReplicaPlacement = try CostShapes.placement(
                CostShapes.a100(), Parallelism(tensor: tensor, pipeline: 2))
            let cost: StepCost = try StepCost(placement, engine: CostShapes.engine)
            var step: StepComposition = CostShapes.decodes(40, context: 700)
            step.addPrefill(tokens: 300, context: 100, samples: true)
            for stage in 0..<2 {
                let parts: StepBreakdown = cost.breakdown(of: step, stage: stage)
                let stageTime: Double = parts.seconds - parts[.host] - parts[.sendReceive]
                #expect(abs(stageTime - cost.stageTime(of: step, stage: stage).seconds) < 2e-9)
                #expect((parts[.allReduce] > 0) == (tensor > 1))
            }
            #expect(cost.breakdown(of: step, stage: 0)[.sendReceive] > 0)
            #expect(cost.breakdown(of: step, stage: 1)[.head] > 0)
            #expect(cost.breakdown(of: step, stage: 0)[.head] == 0)
        }
    }

    @Test("tensor parallelism on slow links pays for its sums; on fast ones it gains")
    func linksMatter() throws {
        let step: StepComposition = CostShapes.prompt(1024)
        func time(_ tensor: Int, bandwidth: Double) throws -> Nanoseconds {
            let placement: ReplicaPlacement = try CostShapes.placement(
                CostShapes.l4(), Parallelism(tensor: tensor), bandwidth: bandwidth)
            return try StepCost(placement, engine: CostShapes.engine).stageTime(of: step, stage: 0)
        }
        #expect(try time(4, bandwidth: 300e9) < time(1, bandwidth: 300e9))
        #expect(try time(4, bandwidth: 1e9) > time(4, bandwidth: 300e9) * 3)
    }

    @Test("streamed weights cost only what nothing hides")
    func streamingIsHidden() throws {
        let step: StepComposition = CostShapes.decodes(1, context: 64)
        let all: StepCost = try StepCost(try CostShapes.placement(offloadedShare: 1), engine: CostShapes.engine)
        // 6.98 G weights of the layers over 25 GB/s.
        let layers = 32 * (4096 * 6144 + 4096 * 4096 + 3 * 4096 * 14336)
        #expect(abs(all.stageTime(of: step, stage: 0).seconds - Double(2 * layers) / 25e9) < 0.002)
        let some: StepCost = try StepCost(try CostShapes.placement(offloadedShare: 0.01), engine: CostShapes.engine)
        let none: StepCost = try StepCost(try CostShapes.placement(), engine: CostShapes.engine)
        #expect(some.stageTime(of: step, stage: 0) == none.stageTime(of: step, stage: 0))
    }

    @Test("without graphs a small step waits for its launches")
    func launchesShow() throws {
        var eager: EngineProfile = CostShapes.engine
        eager.launches = EngineProfile.LaunchHabits(graphTokens: 0, kernel: 50e-6, kernelsPerLayer: 12)
        let cost: StepCost = try StepCost(try CostShapes.placement(), engine: eager)
        let parts: StepBreakdown = cost.breakdown(of: CostShapes.decodes(1, context: 64), stage: 0)
        #expect(parts[.launch] > 0)
        #expect(abs(cost.stageTime(of: CostShapes.decodes(1, context: 64), stage: 0).seconds - 32 * 12 * 50e-6) < 1e-6)
    }

    @Test("a step of nothing takes no time, and every placement that has no time says why")
    func refusals() throws {
        let cost: StepCost = try StepCost(try CostShapes.placement(), engine: CostShapes.engine)
        #expect(cost.stageTime(of: StepComposition(), stage: 0) == 0)
        var turing: AcceleratorSpec = CostShapes.l4()
        turing.peaks[.bfloat16] = nil
        #expect(throws: StepCostError.self) {
            try StepCost(try CostShapes.placement(turing), engine: CostShapes.engine)
        }
        #expect(throws: StepCostError.offloadedShare(1.5)) {
            try StepCost(try CostShapes.placement(offloadedShare: 1.5), engine: CostShapes.engine)
        }
        #expect(throws: StepCostError.noNetwork(node: "node", accelerators: 16, perNode: 8)) {
            try StepCost(
                try CostShapes.placement(CostShapes.a100(), Parallelism(tensor: 8, pipeline: 2)),
                engine: CostShapes.engine)
        }
    }

    @Test("experts touched follow the chance that nobody chose one")
    func touchedExperts() {
        // 8 experts, 2 each: one token touches 2, two tokens 8 * (1 - 0.75^2) = 3.5.
        #expect(abs(MixtureOperator.touchedExperts(experts: 8, perToken: 2, tokens: 1) - 2) < 1e-12)
        #expect(abs(MixtureOperator.touchedExperts(experts: 8, perToken: 2, tokens: 2) - 3.5) < 1e-12)
        #expect(MixtureOperator.touchedExperts(experts: 8, perToken: 2, tokens: 500) > 7.999)
    }

    @Test("pairs that a windowed piece attends are counted exactly")
    func windowedPairs() {
        let shape = AttentionShape(heads: 1, kvHeads: 1, headDim: 64, window: 4)
        for (tokens, context) in [(1, 0), (3, 0), (4, 0), (9, 0), (5, 2), (5, 10)] {
            let exact: Int = (0..<tokens).reduce(0) { $0 + min(4, context + $1 + 1) }
            #expect(shape.pairs(tokens: Double(tokens), context: Double(context)) == Double(exact))
        }
    }
}
