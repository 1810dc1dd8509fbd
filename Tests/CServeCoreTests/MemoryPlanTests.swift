// The plan's arithmetic: parts add up to the whole, the KV pool fits what it is given, absurd settings are refused.

import Testing

@testable import CServeCore

@Suite struct MemoryPlanTests {
    private let formats = MemoryPlan.Formats(weights: WeightLayouts(WeightLayout(element: .bfloat16)), cache: .bfloat16)

    private func shape(_ more: String = "") throws -> ModelShape {
        try ModelShape.parse(config: ModelShapeTests.config("LlamaForCausalLM", more))
    }

    @Test("stages and ranks hold every weight once")
    func parts() throws {
        let shape = try shape()
        let whole = try WeightManifest(shape: shape, shard: .whole(4)).items.filter { $0.columns != nil }
        var parts = 0
        for stage in 0..<3 {
            for rank in 0..<2 {
                let shard = try Parallelism(tensor: 2, pipeline: 3).shard(of: shape, stage: stage, rank: rank)
                let items = try WeightManifest(shape: shape, shard: shard).items.filter { $0.columns != nil }
                parts += items.reduce(0) { $0 + $1.parameters }
            }
        }
        #expect(parts == whole.reduce(0) { $0 + $1.parameters })
    }

    @Test("the pool holds max_num_seqs requests, or what the memory has room for")
    func pool() throws {
        var recipe = Recipe()
        recipe.maxModelLen = 100
        recipe.maxNumSeqs = 3
        let full = try MemoryPlan.make(shape: try shape(), recipe: recipe, formats: formats)
        // 7 blocks of 16 hold 100 tokens; one more serves copies on write.
        #expect(full.cache.blocks == 3 * 7 + 1)
        // 2 (K, V) * 4 layers * 4 heads * 16 numbers * 16 positions * 2 bytes
        #expect(full.cache.bytesPerBlock == 16_384)
        recipe.kvCacheMemoryBytes = 10 * 16_384 + 5
        #expect(try MemoryPlan.make(shape: try shape(), recipe: recipe, formats: formats).cache.blocks == 10)
        recipe.kvCacheMemoryBytes = nil
        recipe.gpuMemUtil = 0.5
        let room = 2 * (full.weightBytes + full.activations.bytes + 9 * 16_384)
        let tight = try MemoryPlan.make(shape: try shape(), recipe: recipe, formats: formats, availableBytes: room)
        #expect(tight.cache.blocks == 9)
        #expect(tight.totalBytes <= room / 2)
    }

    @Test("a block's bytes are its numbers, and its scales where numbers are codes")
    func cacheFormats() {
        // 2 layers * 3 heads * 2 (K, V) * 16 positions * 64 numbers; scales: 4 bytes per layer, head, position and K or V.
        let numbers = 2 * 3 * 2 * 16 * 64
        let scales = 2 * 3 * 2 * 16 * 4
        let expected: [CacheFormat: Int] = [
            .float32: numbers * 4, .float16: numbers * 2, .bfloat16: numbers * 2, .int8: numbers + scales,
            .fp8: numbers + scales,
        ]
        for format in CacheFormat.allCases {
            let plan = KVCachePlan(layers: 2, blocks: 5, blockSize: 16, kvHeads: 3, headDim: 64, format: format)
            #expect(plan.bytesPerBlock == expected[format])
            #expect(plan.bytes == 5 * plan.bytesPerBlock)
        }
        // 2 * 3 positions * 5 numbers are 30 bytes; scales start at 32.
        #expect(CacheFormat.int8.headBytes(positions: 3, headDim: 5) == 32 + 2 * 3 * 4)
        #expect(CacheFormat(name: "fp8_e4m3") == .fp8 && CacheFormat(name: "auto") == nil)
    }

    @Test("every refusal says what to do")
    func refusals() throws {
        var tiny = Recipe()
        tiny.kvCacheMemoryBytes = 1
        var absurd = Recipe()
        absurd.blockSize = 0
        var long = Recipe()
        long.maxModelLen = -1
        for recipe in [tiny, absurd, long] {
            #expect(throws: MemoryPlanError.self) {
                try MemoryPlan.make(shape: try self.shape(), recipe: recipe, formats: self.formats)
            }
        }
        let errors: [MemoryPlanError] = [
            .parallelism(.doesNotDivide(what: "attention heads", count: 4, ranks: 3)), .length(-1),
            .settings(blockSize: 0, sequences: 1, tokens: 1),
            .tooSmall(weightBytes: 1, arenaBytes: 2, neededForOne: 3, room: 0, maxModelLength: 4),
            .parallelism(.outOfRange(stage: 1, stages: 1, rank: 0, ranks: 1)),
            .parallelism(.tooManyStages(stages: 9, layers: 4)),
        ]
        for error in errors { #expect(error.description.contains("Use") || error.description.count > 40) }
        #expect(throws: ParallelismError.doesNotDivide(what: "attention heads", count: 4, ranks: 3)) {
            try Parallelism(tensor: 3).shard(of: try self.shape(), stage: 0, rank: 0)
        }
        #expect(throws: ParallelismError.tooManyStages(stages: 5, layers: 4)) {
            try Parallelism(pipeline: 5).shard(of: try self.shape(), stage: 0, rank: 0)
        }
    }

    @Test("ranks share a key-value head where there are fewer heads than ranks")
    func sharedHeads() throws {
        let shape = try shape(#""num_key_value_heads": 2"#)
        let heads = try (0..<4).map { try Parallelism(tensor: 4).shard(of: shape, stage: 0, rank: $0).kvHeads(shape) }
        #expect(heads == [0..<1, 0..<1, 1..<2, 1..<2])
    }
}
