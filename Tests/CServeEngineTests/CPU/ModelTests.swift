// Whole models on the CPU backend: every instruction set, weight type and cache type near the oracle, bit-equal by threads.

import CServeCore
import Testing

@testable import CServeEngine

@Suite struct CPUModelTests {
    static let families = ["gemma2", "llama3-tied", "phi3", "qwen3-moe"]
    private let prompt: [Int32] = (0..<40).map { Int32(($0 * 29 + 3) % 61) }

    private func logits(_ family: String, _ recipe: Recipe, _ backend: any Backend, chunk: Int = 64) throws -> [[Float]]
    {
        let runner = try ModelRunner(checkpoint: try TinyCheckpoint.make(family), recipe: recipe, backend: backend)
        return try TestRun.logits(prompt, runner, chunk: chunk)
    }

    /// The largest distance of one row's logits to another's.
    private func worst(_ rows: [[Float]], _ others: [[Float]]) -> Float {
        zip(rows, others).reduce(0) { max($0, Matrix(1, $1.0.count, $1.0).distance(to: Matrix(1, $1.1.count, $1.1))) }
    }

    @Test("Logits are the oracle's on every instruction set, type and cache", arguments: families)
    func logits(_ family: String) throws {
        for (weights, cache) in [("float32", "float32"), ("bfloat16", "float16"), ("float16", "bfloat16")] {
            var recipe = TinyCheckpoint.recipe()
            recipe.dtype = weights
            recipe.cacheDtype = cache
            let expected = try logits(family, recipe, Reference())
            recipe.cacheDtype = "float32"
            let moved = worst(expected, try logits(family, recipe, Reference()))
            recipe.cacheDtype = cache
            for level in CPUInstructionSet.supported {
                let found = try logits(family, recipe, try CPUBackend(threads: 1, instructionSet: level))
                // Rounding a key to a 16-bit cache can fall the other way: one bf16 step is 0.4 percent of it. bf16 dots
                // round queries and weights too, which moves logits by up to three times what rounding keys and values did.
                let isDot = level.roundsToBF16 && cache == "bfloat16"
                let tolerance: Float = cache == "float32" ? 2e-5 : isDot ? max(2e-2, 3 * moved) : 2e-2
                #expect(worst(found, expected) < tolerance, "\(weights) weights, \(cache) cache on \(level)")
                let again = try logits(
                    family, recipe, try CPUBackend(threads: 3, instructionSet: level), chunk: 7)
                #expect(again == found, "\(weights) weights, \(cache) cache on \(level), three threads, in pieces")
            }
        }
    }
}
