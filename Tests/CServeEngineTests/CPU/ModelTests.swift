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

    @Test("Logits are the oracle's on every instruction set, type and cache", arguments: families)
    func logits(_ family: String) throws {
        for (weights, cache) in [("float32", "float32"), ("bfloat16", "float16"), ("float16", "bfloat16")] {
            var recipe = TinyCheckpoint.recipe()
            recipe.dtype = weights
            recipe.cacheDtype = cache
            let expected = try logits(family, recipe, Reference())
            for level in CPUInstructionSet.supported {
                let found = try logits(family, recipe, try CPUBackend(threads: 1, instructionSet: level))
                // Rounding a key to a 16-bit cache can fall the other way: one bf16 step is 0.4 percent of it.
                let tolerance: Float = cache == "float32" ? 2e-5 : 2e-2
                for (a, b) in zip(found, expected) {
                    let error = Matrix(1, a.count, a).distance(to: Matrix(1, b.count, b))
                    #expect(error < tolerance, "\(weights) weights, \(cache) cache on \(level)")
                }
                let again = try logits(
                    family, recipe, try CPUBackend(threads: 3, instructionSet: level), chunk: 7)
                #expect(again == found, "\(weights) weights, \(cache) cache on \(level), three threads, in pieces")
            }
        }
    }
}
