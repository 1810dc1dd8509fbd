import CServeCore
import CServeCost
import CServeScheduling
import CServeSimulator
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
