// What a cache of fewer bits costs: its rounding against published values, and its loss on whole models.

import CKernels
import CServeCore
import Foundation
import Testing

@testable import CServeEngine

@Suite struct CacheFormatTests {
    @Test("e4m3 codes have the published values, and every number goes to the nearest")
    func eightBitFloats() {
        // OFP8 (2023), table 2: 448 is the greatest, 2^-6 the least normal, 2^-9 the least of all.
        let published: [(UInt8, Float)] = [
            (0x7E, 448), (0x08, 0x1p-6), (0x01, 0x1p-9), (0x07, 0x1.Cp-7), (0x38, 1), (0xB8, -1), (0, 0),
        ]
        for (code, value) in published {
            #expect(CacheRow.eightToFloat(code) == value)
            #expect(CacheRow.floatToEight(value) == code)
        }
        for code in 0..<UInt8(0x7E) {
            let low = CacheRow.eightToFloat(code)
            let high = CacheRow.eightToFloat(code + 1)
            #expect(low == cs_f8_to_f32(code))
            let even = code % 2 == 0 ? code : code + 1
            #expect(CacheRow.floatToEight((low + high) / 2) == even, "ties go to the even code")
            #expect(CacheRow.floatToEight(low + (high - low) * 0.49) == code)
            #expect(CacheRow.floatToEight(-(low + (high - low) * 0.51)) == (code + 1) | 0x80)
        }
    }

    @Test("the kernels' codes are the oracle's", arguments: [CacheFormat.int8, .fp8])
    func codes(_ format: CacheFormat) throws {
        var random = Uniform(seed: 4)
        // One head of 40 numbers, blocks of 8 positions: rows stand as they are. Rows of all sizes, one of zeros.
        var rows = Matrix(8, 120, &random)
        for row in 0..<8 {
            let size = row == 3 ? 0 : Float(sign: .plus, exponent: 9 * row - 40, significand: 1)
            for i in 0..<120 { rows.values[row * 120 + i] *= size }
        }
        let plan = KVCachePlan(layers: 1, blocks: 1, blockSize: 8, kvHeads: 1, headDim: 40, format: format)
        var inputs = BatchInputs(blockSize: 8)
        inputs.append(tokens: [Int32](repeating: 0, count: 8), start: 0, blockTable: [0], wanted: .none)
        let shape = AttentionShape(heads: 1, kvHeads: 1, headDim: 40, scale: 1)
        func bytes<B: Backend>(_ backend: B) throws -> [UInt8] where B.KVCache == PagedKVCache {
            let cache = backend.cache(in: try backend.allocate("cache", bytes: plan.bytes), plan: plan)
            backend.store(
                try backend.buffer(rows), heads: shape, into: cache, layer: 0, batch: try backend.prepare(inputs))
            return Array(UnsafeRawBufferPointer(start: cache.memory.base, count: plan.bytes))
        }
        let expected = try bytes(Reference())
        for level in CPUInstructionSet.supported {
            let found = try bytes(try CPUBackend(threads: 1, instructionSet: level))
            #expect(found == expected, "\(level)")
        }
    }

    /// Loss of a format against a cache of f32: mean Kullback-Leibler divergence in nats, and the largest difference of a
    /// log-probability among tokens likelier than 1 in 1,000.
    private func loss(_ format: CacheFormat, _ checkpoint: Checkpoint, _ ids: [Int32]) throws -> (Double, Double) {
        var rows: [[[Double]]] = []
        for name in ["float32", format.rawValue] {
            var recipe = Recipe()
            recipe.maxModelLen = ids.count
            recipe.maxNumSeqs = 1
            recipe.maxNumBatchedTokens = 64
            recipe.cacheDtype = name
            let runner = try ModelRunner(
                checkpoint: checkpoint, recipe: recipe, backend: try CPUBackend(threads: 2))
            rows.append(try TestRun.logProbabilities(ids, runner, chunk: 64))
        }
        var divergence = 0.0
        var worst = 0.0
        for (whole, rounded) in zip(rows[0], rows[1]) {
            for (p, q) in zip(whole, rounded) {
                divergence += exp(p) * (p - q)
                if p > log(1e-3) { worst = max(worst, abs(p - q)) }
            }
        }
        return (divergence / Double(ids.count), worst)
    }

    /// Bounds are twice what was measured with the fixtures (docs/results/attention.md).
    static let bounds: [(CacheFormat, fixtures: Double, builtIn: Double)] = [
        (.float16, 3e-7, 1e-6), (.bfloat16, 3e-5, 1e-4), (.int8, 2.5e-4, 6e-4), (.fp8, 4e-3, 1.5e-2),
    ]

    @Test("a cache of fewer bits loses no more than is stated", arguments: bounds.indices)
    func losses(_ index: Int) throws {
        let (format, fixtures, builtIn) = Self.bounds[index]
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        var random = Uniform(seed: 5)
        for name in ["gemma2", "llama3-tied", "mistral-window", "phi3", "qwen3-moe"] {
            let checkpoint = try Checkpoint(directory: tests.appending(path: "Fixtures/checkpoints/\(name)").path)
            let data = try Data(contentsOf: tests.appending(path: "Fixtures/checkpoints/\(name)/reference.json"))
            let reference = try JSONDecoder().decode(ParityReference.self, from: data)
            let ids = reference.prompts.map(\.ids).max { $0.count < $1.count } ?? []
            let (divergence, worst) = try loss(format, checkpoint, ids)
            print("loss \(name) \(format.rawValue): KL \(divergence), largest \(worst)")
            #expect(divergence < fixtures, "\(name)")
        }
        let model = tests.deletingLastPathComponent().appending(path: "Assets/model")
        let checkpoint = try Checkpoint(directory: model.path)
        let vocabulary = try checkpoint.shape().vocabularySize
        let ids = (0..<128).map { _ in Int32(random.next(0...0.999) * Float(vocabulary)) }
        let (divergence, worst) = try loss(format, checkpoint, ids)
        print("loss built-in \(format.rawValue): KL \(divergence), largest \(worst)")
        #expect(divergence < builtIn)
    }
}
