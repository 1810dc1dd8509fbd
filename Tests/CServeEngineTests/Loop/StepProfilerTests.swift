// The log of steps: what it holds of a run, and that it never holds more than it may.

import CServeCore
import Testing

@testable import CServeEngine

@Suite("Step log")
struct StepProfilerTests {
    private func engine(logged: Int) throws -> Engine {
        let recipe = smallRecipe { $0.chunkedPrefillSize = 7 }
        var configuration = EngineConfiguration(
            scheduler: try recipe.schedulerConfiguration(blockCount: 64, modelLength: 128, endTokens: []),
            vocabularySize: 64)
        configuration.loggedSteps = logged
        let executor = ToyExecutor(blockSize: recipe.blockSize, totalBlocks: 64)
        return try Engine(configuration, runner: ModelStepRunner(executor))
    }

    @Test("every step of a request is logged with what it computed")
    func compositions() async throws {
        let engine = try engine(logged: 100)
        _ = try await engine.submit(.test(1, prompt: (0..<20).map { TokenID($0) }, maxTokens: 5)).answer()
        let steps = try #require(engine.steps(after: 0))
        #expect(steps.map(\.id) == Array(1...UInt64(steps.count)))
        // 20 prompt tokens in pieces of 7, then 4 decodes at positions 20 to 23.
        #expect(steps.flatMap(\.prefills).map(\.tokens) == [7, 7, 6])
        #expect(steps.flatMap(\.prefills).map(\.context) == [0, 7, 14])
        #expect(steps.map(\.decodes) == [0, 0, 0, 1, 1, 1, 1])
        #expect(steps.suffix(4).map(\.decodeContext) == [21, 22, 23, 24])
        #expect(steps.reduce(0) { $0 + $1.sampledRows } == 5)
        for step in steps { #expect(step.cycle >= step.forward + step.sampling && step.forward > 0) }
        #expect(engine.steps(after: 5)?.map(\.id) == [6, 7])
    }

    @Test("an engine that was not asked logs nothing")
    func off() async throws {
        let engine = try engine(logged: 0)
        _ = try await engine.submit(.test(1, maxTokens: 3)).answer()
        #expect(engine.steps(after: 0) == nil)
    }

    @Test("the ring keeps the last steps, in order")
    func ring() {
        let profiler = StepProfiler(capacity: 4)
        for number in 1...11 {
            var record = StepRecord()
            record.decodes = number
            profiler.add(record)
        }
        #expect(profiler.steps().map(\.decodes) == [8, 9, 10, 11])
        #expect(profiler.steps().map(\.id) == [8, 9, 10, 11])
        #expect(profiler.steps(after: 9).map(\.id) == [10, 11])
    }
}
