import CServeCore
import Testing

@testable import CServeCost

@Suite("Profiles and calibrations")
struct ProfileTests {
    private static let names = ["qkv_proj", "o_proj", "gate_up_proj", "down_proj", "layernorm", "embedding"]

    /// A profile in which every dense operator takes 10 + tokens microseconds, attention 5 + its work.
    private func tables(skew: String? = nil) -> ProfileTables {
        var dense = "layer,tokens,time_us\n"
        for name in Self.names { for tokens in [1, 100, 1000] { dense += "\(name),\(tokens),\(10 + tokens)\n" } }
        let rows = "layer,sequences,time_us\nlm_head,1,100\nlm_head,256,200\nsampler,1,20\nsampler,256,40\n"
        var attention = "prefill_chunk,kv_prefill,n_decode,kv_decode,time_us\n"
        for n in [1, 2, 4] { for kv in [16, 32, 64] { attention += "0,0,\(n),\(kv),\(5 + n * kv)\n" } }
        for chunk in [16, 32] {
            for context in [0, 16] {
                attention += "\(chunk),\(context),0,0,\(5 + chunk + context)\n"
                for n in [1, 2, 4] {
                    for kv in [16, 32, 64] {
                        attention += "\(chunk),\(context),\(n),\(kv),\(5 + chunk + context + n * kv)\n"
                    }
                }
            }
        }
        return ProfileTables(
            folder: "p/tp1", ranks: 1, dense: Array(dense.utf8), perSequence: Array(rows.utf8),
            attention: Array(attention.utf8), skew: skew.map { Array($0.utf8) })
    }

    private func cost(_ tables: ProfileTables) throws -> StepCost {
        let profile: OperatorProfile = try OperatorProfile(importing: tables)
        let calibration = Calibration(title: "test", date: "2026-01-01", profiles: [profile])
        return try StepCost(try CostShapes.placement(), engine: CostShapes.engine, calibration: calibration)
    }

    @Test("a profiled step is layers times its operators")
    func decodeStep() throws {
        let step: StepComposition = CostShapes.decodes(2, context: 32)
        let cost: StepCost = try cost(tables())
        // 4 matrices and 2 norms at 12 us, attention 5 + 64, 32 layers; embedding 12; head and sampler at 2 rows.
        let head: Double = 100 + 100 / 255.0 + 20 + 20 / 255.0
        let expected: Double = 32 * (6 * 12 + 5 + 64) + 12 + head
        #expect(abs(cost.stageTime(of: step, stage: 0).seconds * 1e6 - expected) < 0.01)
        #expect(cost.evidence[.dense] == .measured)
    }

    @Test("a mixed step reads the mixed table, further prompts add what they take beyond a start")
    func mixedStep() throws {
        let cost: StepCost = try cost(tables())
        var step: StepComposition = CostShapes.decodes(2, context: 32)
        step.addPrefill(tokens: 32, context: 16, samples: false)
        #expect(abs(cost.breakdown(of: step, stage: 0)[.prefillAttention] * 1e6 - 32 * (5 + 32 + 16)) < 0.01)
        #expect(abs(cost.breakdown(of: step, stage: 0)[.decodeAttention] * 1e6 - 32 * 64) < 0.01)
        step.addPrefill(tokens: 16, context: 16, samples: false)
        // 16 tokens behind 16 cost 16 us more than the least point, 16 tokens alone.
        #expect(abs(cost.breakdown(of: step, stage: 0)[.prefillAttention] * 1e6 - 32 * (5 + 32 + 16 + 16)) < 0.01)
    }

    @Test("decodes wait for the longest by the share of their bucket")
    func skewed() throws {
        let skew =
            "pc,n_label,skew_rate_label,kv_big_label,kp_label,alpha,n_samples\n0,n<=2,sr<=70%,kvB<=1k,kp=0,0.5,4\n"
        let cost: StepCost = try cost(tables(skew: skew))
        var step = StepComposition()
        step.addDecode(context: 16)
        step.addDecode(context: 48)
        // Mean 32: 5 + 64; longest 48: 5 + 96 (linear between 32 and 64); half of the way.
        #expect(abs(cost.breakdown(of: step, stage: 0)[.decodeAttention] * 1e6 - 32 * (5 + 64 + 16)) < 0.01)
    }

    @Test("labels of buckets are read with their units")
    func labels() {
        let bounds: [Double?] = ["n<=128", "n>256", "sr<=15%", "kvB<=16k", "kp=0", "kp<=512"].map(SkewTable.bound)
        #expect(bounds == [128, .infinity, 0.15, 16384, 0, 512])
        #expect(SkewTable.bound("n") == nil)
    }

    @Test("points that were not measured are continued along the decodes")
    func missingPoints() throws {
        let points: [AttentionGrid.Point] = [(1.0, 16.0, 10.0), (2, 16, 20), (4, 16, 40), (1, 32, 20), (2, 32, 40)].map
        {
            AttentionGrid.Point(place: [0, 0, $0.0, $0.1], microseconds: $0.2)
        }
        let grid = AttentionGrid(points + [AttentionGrid.Point(place: [16, 0, 0, 0], microseconds: 1)])
        // 4 requests at 32: along the context 40 would be flat; the time is never below its neighbours'.
        let reader = GridReader(grid.decodes)
        #expect(reader(4, 32) >= 40)
        #expect(reader(2, 24) == 30)
    }

    @Test("a probe's scalars are found from its steps, and the error that remains is told")
    func probe() throws {
        let cost: StepCost = try StepCost(try CostShapes.placement(), engine: CostShapes.engine)
        var steps: [ProbeStep] = []
        for count in [1, 2, 4, 8, 16, 32, 48, 64, 96, 128] {
            for prompt in [0, 64, 256, 512, 1024] {
                var step: StepComposition = CostShapes.decodes(count, context: 300)
                if prompt > 0 { step.addPrefill(tokens: prompt, context: 0, samples: true) }
                let parts: [Double] = cost.probeParts(step)
                let seconds: Double = 1.3 * parts[0] + 1.1 * parts[1] + 0.002 + 2e-5 * parts[4]
                steps.append(ProbeStep(step, seconds: seconds))
            }
        }
        let fit = try Calibration.fitted(title: "probe", date: "2026-01-01", probe: steps, cost: cost, kvBlocks: 99)
        #expect(abs(fit.calibration.scalars.compute - 1.3) < 0.06)
        // Reading the weights and the host's constant take the same time in every step: they are told apart least well.
        #expect(abs(fit.calibration.scalars.bandwidth - 1.1) < 0.1)
        #expect(fit.calibration.scalars.kvBlocks == 99)
        #expect(fit.calibration.interval.high < 0.03 && fit.calibration.interval.low > -0.03)
        #expect(fit.before.median > 0.08)
    }

    @Test("moments in which another program computed do not move the fit")
    func outliers() throws {
        let cost: StepCost = try StepCost(try CostShapes.placement(), engine: CostShapes.engine)
        var steps: [ProbeStep] = []
        for number in 0..<100 {
            var step: StepComposition = CostShapes.decodes(1 + number % 37, context: 100 + number)
            if number % 3 == 0 { step.addPrefill(tokens: 16 + 9 * number, context: 0, samples: true) }
            let parts: [Double] = cost.probeParts(step)
            let seconds: Double = 1.4 * parts[0] + 1.2 * parts[1] + 0.003
            // Every ninth step takes three times as long.
            steps.append(ProbeStep(step, seconds: number % 9 == 0 ? 3 * seconds : seconds))
        }
        let result: ProbeResult = try Calibration.fitted(title: "", date: "", probe: steps, cost: cost)
        #expect(result.heldOut.median < 0.02)
        #expect(abs(result.calibration.scalars.compute - 1.4) < 0.1)
    }

    @Test("a part that the probe shows less than nothing of is left near nothing, the others are fitted")
    func negative() throws {
        let cost: StepCost = try StepCost(try CostShapes.placement(), engine: CostShapes.engine)
        var steps: [ProbeStep] = []
        for number in 0..<60 {
            var step: StepComposition = CostShapes.decodes(1 + number % 17, context: 200)
            if number % 2 == 0 { step.addPrefill(tokens: 16 + 11 * number, context: 0, samples: true) }
            let parts: [Double] = cost.probeParts(step)
            steps.append(ProbeStep(step, seconds: 1.5 * parts[0] + 0.9 * parts[1] - 0.0001))
        }
        let result: ProbeResult = try Calibration.fitted(title: "", date: "", probe: steps, cost: cost)
        #expect(result.calibration.scalars.hostStep ?? 1 > 0)
        #expect(result.heldOut.p90 < 0.05)
        #expect(result.before.median > result.heldOut.median)
    }
}
