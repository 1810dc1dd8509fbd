// Planning's memory budget beside the engine's own: on the CPU they are equal to the byte and to the block.

import CServeCore
import CServeCost
import Foundation
import Testing

@testable import CServeEngine

@Suite struct MemoryBudgetTests {
    private static let fixtures: URL = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures")

    private static func folders(_ kind: String) -> [String] {
        let base = fixtures.appending(path: kind).path
        let names = (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? []
        return names.map { base + "/" + $0 }.filter { FileManager.default.fileExists(atPath: $0 + "/config.json") }
            .sorted()
    }

    private static func recipe(_ change: (inout Recipe) -> Void) -> Recipe {
        var recipe = Recipe()
        recipe.maxNumSeqs = 5
        recipe.maxNumBatchedTokens = 96
        recipe.maxModelLen = 48
        change(&recipe)
        return recipe
    }

    /// Settings that change what is allocated.
    static let recipes: [Recipe] =
        [recipe { _ in }]
        + Quantization.allCases.map { quantization in recipe { $0.quantization = quantization.rawValue } }
        + CacheFormat.names.map { name in recipe { $0.cacheDtype = name } }
        + ElementType.allCases.map { type in recipe { $0.dtype = type.rawValue } }
        + [
            recipe { $0.kvCacheMemoryBytes = 3 << 20 },
            recipe {
                $0.kvCacheMemoryBytes = 1_234_567
                $0.quantization = "int8"
                $0.cacheDtype = "int8"
            },
            recipe { $0.blockSize = 32 }, recipe { $0.blockSize = 1 }, recipe { $0.maxModelLen = nil },
            recipe {
                $0.specProposer = "ngram"
                $0.specTokens = 3
            },
            recipe { $0.pipelineParallelSize = 2 },
            recipe {
                $0.pipelineParallelSize = 2
                $0.quantization = "int4"
                $0.cacheDtype = "fp8"
            },
        ]

    @Test("every checkpoint gets the blocks that planning says, with defaults", arguments: folders("checkpoints"))
    func checkpoints(folder: String) throws {
        try compare(folder, Self.recipe { _ in }, available: nil)
        try compare(folder, Self.recipe { $0.maxModelLen = nil }, available: 64 << 20)
    }

    @Test("every quantised checkpoint gets the blocks that planning says", arguments: folders("quantized"))
    func quantised(folder: String) throws {
        try compare(folder, Self.recipe { _ in }, available: 1 << 30)
    }

    @Test("every setting that changes memory changes it alike", arguments: recipes)
    func settings(recipe: Recipe) throws {
        for name in ["llama-bias", "llama3-tied", "qwen2-moe", "gemma2", "phi3", "mixtral-new-f16"] {
            let folder = Self.fixtures.appending(path: "checkpoints/\(name)").path
            try compare(folder, recipe, available: nil)
            try compare(folder, recipe, available: 1 << 30)
        }
    }

    @Test("a share of little memory leaves the same blocks", arguments: [0.45, 0.6, 0.75, 0.9, 1.0])
    func share(utilisation: Double) throws {
        let folder = Self.fixtures.appending(path: "checkpoints/llama3-tied").path
        let recipe = Self.recipe {
            $0.gpuMemUtil = utilisation
            $0.maxNumSeqs = 4096
            $0.maxNumBatchedTokens = 4096
        }
        let blocks = try compare(folder, recipe, available: 40 << 20)
        #expect(blocks < 4096 * 3 + 1)
    }

    @Test("what the engine cannot load, planning calls infeasible")
    func refusals() throws {
        let folder = Self.fixtures.appending(path: "checkpoints/llama3-tied").path
        let recipe = Self.recipe { $0.gpuMemUtil = 0.01 }
        #expect(throws: MemoryPlanError.self) { try Self.runner(folder, recipe, 1 << 20) }
        #expect(throws: MemoryBudgetError.self) { try Self.budget(folder, recipe, 1 << 20) }
    }

    private static func runner(_ folder: String, _ recipe: Recipe, _ available: Int?) throws -> ModelRunner {
        try ModelRunner(
            checkpoint: Checkpoint(directory: folder), recipe: recipe, backend: BackendTable.make("cpu", threads: 1),
            availableBytes: available)
    }

    private static func budget(_ folder: String, _ recipe: Recipe, _ available: Int?) throws -> MemoryBudget {
        let checkpoint = try Checkpoint(directory: folder)
        let stored = try checkpoint.storedFormats()
        let accelerator = AcceleratorSpec(
            name: "cpu", title: "This machine", kind: .cpu, architecture: "zen4", memoryBytes: available ?? 1 << 50,
            memoryBandwidth: 1e10, peaks: [.float32: 1e11, .float16: 1e11, .bfloat16: 1e11, .int8: 1e11])
        var precision = try ModelPrecision(recipe: recipe, on: accelerator, stored: stored.element)
        precision.exceptions = stored.coded.mapValues { .quantized($0) }
        let node = NodeSpec(
            provider: "own", name: "cpu", accelerator: "cpu", count: 1,
            interconnect: Interconnect(kind: .shared, link: Link(latency: 0, bandwidth: 1e10)))
        let placement = ReplicaPlacement(
            shape: try checkpoint.shape(), precision: precision,
            parallelism: Parallelism(pipeline: recipe.pipelineParallelSize), accelerator: accelerator, node: node,
            recipe: recipe)
        return try MemoryBudget(placement, engine: .cserveCPU)
    }

    /// Loads the checkpoint and holds every stage's allocation against the budget.
    @discardableResult
    private func compare(_ folder: String, _ recipe: Recipe, available: Int?) throws -> Int {
        let runner = try Self.runner(folder, recipe, available)
        let budget = try Self.budget(folder, recipe, available)
        try #require(budget.ranks.count == runner.plans.count)
        for (rank, plan) in zip(budget.ranks, runner.plans) {
            #expect(rank.weightBytes == plan.weightBytes, "\(folder)")
            #expect(rank.activationBytes == plan.activations.bytes, "\(folder)")
            #expect(rank.bytesPerBlock == plan.cache.bytesPerBlock, "\(folder)")
            #expect(rank.kvBlocks == plan.cache.blocks, "\(folder)")
            #expect(rank.usedBytes == plan.totalBytes, "\(folder)")
        }
        #expect(budget.kvBlocks == runner.totalBlocks)
        return budget.kvBlocks
    }
}
