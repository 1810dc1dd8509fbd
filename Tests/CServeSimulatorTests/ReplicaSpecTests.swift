import CServeCore
import CServeCost
import CServeScheduling
import CServeSimulator
import CServeWorkload
import Testing

/// Every stage takes a millisecond.
struct FixedTiming: StepTiming {
    var stages: Int
    var egressTime: Nanoseconds { 0 }

    func stageTime(of step: StepComposition, stage: Int) -> Nanoseconds { .millisecond }
    func sendTime(of step: StepComposition, after stage: Int) -> Nanoseconds { 0 }
    func hostTime(of step: StepComposition) -> Nanoseconds { 0 }
    func ingressTime(promptTokens: Int) -> Nanoseconds { 0 }
}

@Suite("Replicas")
struct ReplicaSpecTests {
    @Test("a replica keeps as many micro-batches in flight as it has stages")
    func stages() {
        let settings = SchedulerConfiguration(blockCount: 8, maxModelLength: 64)
        #expect(ReplicaSpec(scheduler: settings, timing: FixedTiming(stages: 4)).scheduler.depth == 4)
    }
}

@Suite("Replicas of recipes")
struct ReplicaOfRecipeTests {
    @Test("a recipe gives the settings that the engine would have, without drafts, and with the model's stages")
    func fromRecipe() throws {
        var recipe = Recipe()
        recipe.maxNumSeqs = 64
        recipe.specProposer = "ngram"
        let replica = try ReplicaSpec(recipe: recipe, kvBlocks: 1000, modelLength: 4096, timing: FixedTiming(stages: 2))
        var expected = try recipe.schedulerConfiguration(blockCount: 1000, modelLength: 4096, endTokens: [])
        expected.draftTokens = 0
        expected.stages = 2
        #expect(replica.scheduler == expected)
    }

    @Test("what the engine's scheduler would refuse is refused")
    func refused() {
        var reversed = Recipe()
        reversed.specProposer = "ngram"
        reversed.specPromptLookupMin = 3
        reversed.specPromptLookupMax = 2
        #expect(throws: RecipeError.lookupReversed(shortest: 3, longest: 2)) {
            try ReplicaSpec(recipe: reversed, kvBlocks: 1000, modelLength: 64, timing: FixedTiming(stages: 1))
        }
        #expect(throws: RecipeError.cacheBelowLength(cacheTokens: 160, length: 4096)) {
            try ReplicaSpec(recipe: Recipe(), kvBlocks: 10, modelLength: 4096, timing: FixedTiming(stages: 1))
        }
    }
}

@Suite("Scheduling ahead")
struct SchedulingAheadTests {
    /// Steps of 1 ms. The first request runs from 0; the second comes at 1.5 ms, within the step from 1 to 2 ms.
    private func records(ahead: Bool) -> [RequestRecord] {
        let settings = SchedulerConfiguration(blockCount: 64, maxModelLength: 256)
        var replica = ReplicaSpec(scheduler: settings, timing: FixedTiming(stages: 1))
        replica.schedulesAhead = ahead
        var options = SimulationOptions()
        options.keepsRecords = true
        return Simulator(ClusterSpec(replica), options).run([
            WorkloadRequest(index: 0, arrival: 0, promptLength: 8, outputLength: 9),
            WorkloadRequest(index: 1, arrival: 1_500_000, promptLength: 8, outputLength: 2),
            WorkloadRequest(index: 2, arrival: 20_000_000, promptLength: 8, outputLength: 2),
        ]).records.sorted { $0.index < $1.index }
    }

    @Test("what comes during a step is taken in at its end and joins the step after the next one")
    func lag() {
        // The step from 2 to 3 ms was scheduled at 1 ms, without it; its first token comes with the one from 3 to 4 ms.
        #expect(records(ahead: true)[1].taken == 2_000_000)
        #expect(records(ahead: true)[1].firstToken == 4_000_000)
        #expect(records(ahead: false)[1].firstToken == 3_000_000)
    }

    @Test("where nothing runs, a request starts at once")
    func idle() {
        for ahead in [false, true] {
            #expect(records(ahead: ahead)[2].taken == 20_000_000)
            #expect(records(ahead: ahead)[2].firstToken == 21_000_000)
        }
    }
}
