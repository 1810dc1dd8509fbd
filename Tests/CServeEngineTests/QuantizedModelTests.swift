// Whole models with weights made of codes, quantised on load or stored so: near the oracle on the same codes, and invariant.

import CServeCore
import Testing

@testable import CServeEngine

@Suite struct QuantizedModelTests {
    static let families = ["gemma2", "llama", "llama3-tied", "phi3", "qwen2-moe", "qwen3-moe"]
    private let prompt: [Int32] = (0..<40).map { Int32(($0 * 29 + 3) % 61) }

    private func recipe(_ quantization: String?, stages: Int = 1) -> Recipe {
        var recipe = TinyCheckpoint.recipe(stages: stages)
        recipe.quantization = quantization
        return recipe
    }

    private func logits(
        _ checkpoint: Checkpoint, _ recipe: Recipe, _ backend: any Backend, chunk: Int = 64
    ) throws -> [[Float]] {
        try TestRun.logits(
            prompt, try ModelRunner(checkpoint: checkpoint, recipe: recipe, backend: backend), chunk: chunk)
    }

    /// The root of the mean square of the differences, as a share of that of the logits.
    private func distance(_ found: [[Float]], _ expected: [[Float]]) -> Float {
        let squares = zip(found.joined(), expected.joined()).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        return (squares / expected.joined().reduce(Float(0)) { $0 + $1 * $1 }).squareRoot()
    }

    /// What rounding activations to eight bits may cost: a step is a 127th of the largest of 24 to 32 uniform numbers, so
    /// its mean error is 0.4 percent of them, and eight products in a row add up to several times as much (measured: 1 to
    /// 4.5 percent).
    private let rounding: Float = 0.05

    @Test("Models quantised on load are the oracle's on the same codes", arguments: families)
    func onLoad(_ family: String) throws {
        let checkpoint = try TinyCheckpoint.make(family)
        let plain = try logits(checkpoint, recipe(nil), Reference())
        for quantization in Quantization.allCases {
            let recipe = recipe(quantization.rawValue)
            let expected = try logits(checkpoint, recipe, Reference())
            let lost = distance(expected, plain)
            #expect(lost > 1e-4 && lost < 0.5, "\(quantization) moves logits by \(lost)")
            for level in CPUInstructionSet.supported {
                let cpu = try CPUBackend(threads: 1, instructionSet: level)
                let error = distance(try logits(checkpoint, recipe, cpu), expected)
                // e4m3 keeps activations in f32.
                #expect(error < (quantization == .fp8 ? 1e-4 : rounding), "\(quantization) on \(level)")
            }
        }
    }

    @Test("A quantised model's logits do not depend on pieces, threads, company or stages", arguments: families)
    func invariant(_ family: String) throws {
        let checkpoint = try TinyCheckpoint.make(family)
        for quantization in Quantization.allCases {
            let recipe = recipe(quantization.rawValue)
            let alone = try logits(checkpoint, recipe, try CPUBackend(threads: 1))
            #expect(alone.joined().allSatisfy { $0.isFinite })
            #expect(try logits(checkpoint, recipe, try CPUBackend(threads: 3), chunk: 7) == alone, "\(quantization)")
            let staged = self.recipe(quantization.rawValue, stages: 3)
            #expect(try logits(checkpoint, staged, try CPUBackend(threads: 2), chunk: 1) == alone, "\(quantization)")
            let runner = try ModelRunner(checkpoint: checkpoint, recipe: recipe, backend: try CPUBackend(threads: 2))
            #expect(try crowded(runner) == alone, "\(quantization) among others")
        }
    }

    /// The prompt's logits, computed in the middle of others.
    private func crowded(_ runner: ModelRunner) throws -> [[Float]] {
        var inputs = BatchInputs(blockSize: runner.blockSize)
        for other in 0..<4 {
            if other == 2 { inputs.append(tokens: prompt, start: 0, blockTable: 0..<10, wanted: .all) }
            let tokens = (0..<(1 + other)).map { Int32(($0 * 13 + other * 7) % 61) }
            let first = Int32(12 + other * 2)
            inputs.append(tokens: tokens, start: 0, blockTable: first..<(first + 2), wanted: .none)
        }
        var rows: [[Float]] = []
        try runner.execute(inputs) { slice in
            for row in 0..<slice.rows { rows.append(Array(slice[row])) }
        }
        return rows
    }

    /// A mixture of formats as GGUF files have them: parts of one matrix differ, some stay plain.
    private func mixed(_ name: String) -> QuantizedFormat? {
        if name.contains(".v_proj") { return QuantizedFormat(.int8, group: 16) }
        if name.contains("layers.1.mlp") { return name.contains("up") ? nil : QuantizedFormat(.fp8) }
        if name.contains("layers.2") { return QuantizedFormat(.int4, group: 16, scale: .float16, hasMinimums: true) }
        return name.contains("router") || name.contains("mlp.gate.") || name.contains("shared_expert_gate")
            ? nil : QuantizedFormat(.int4, group: 32, scale: .float16)
    }

    @Test("Stored codes stay codes where one format holds a matrix's parts", arguments: families)
    func stored(_ family: String) throws {
        let checkpoint = try TinyCheckpoint.coded(family, method: "gguf", format: mixed)
        let stored = try checkpoint.storedFormats()
        let fused = family == "phi3"
        #expect(
            stored.coded[.init(.qkv, layer: 0)]
                == (fused ? QuantizedFormat(.int4, group: 32, scale: .float16) : QuantizedFormat(.int8, group: 16)))
        #expect(stored.coded[.init(.qkv, layer: 2)]?.hasMinimums == true)
        #expect(stored.coded[.init(.router, layer: 0)] == nil)
        #expect(stored.coded[.init(.head)]?.code == .int4 && stored.coded[.init(.embedding)]?.code == .int4)
        let expected = try logits(checkpoint, recipe(nil), Reference())
        let found = try logits(checkpoint, recipe(nil), try CPUBackend(threads: 2))
        #expect(distance(found, expected) < rounding)
        let named = try logits(checkpoint, recipe("gguf", stages: 2), try CPUBackend(threads: 2))
        #expect(named == found)
    }

    @Test("Ranks hold slices of codes, and add up to the whole", arguments: ["llama", "qwen2-moe"])
    func ranks(_ family: String) throws {
        let checkpoint = try TinyCheckpoint.coded(family, method: "awq") { name in
            name.contains("proj") ? QuantizedFormat(.int4, group: 16, scale: .float16, hasMinimums: true) : nil
        }
        let whole = try logits(checkpoint, recipe(nil), Reference()).joined()
        // Columns of `output` are split at 16 of 32, those of `down` at 12 of 24 or less: the latter become plain.
        let stored = try checkpoint.storedFormats(ranks: 2)
        #expect(stored.coded[.init(.output, layer: 0)]?.group == 16 && stored.coded[.init(.down, layer: 0)] == nil)
        let parts = try RankTeam.logits(
            Array(prompt.prefix(13)), checkpoint: checkpoint, shape: try checkpoint.shape(), ranks: 2)
        for part in parts {
            #expect((zip(part, whole).map { abs($0 - $1) }.max() ?? .infinity) < 1e-5)
        }
    }

    @Test("A quantisation that the checkpoint does not have, or that it already has otherwise, is refused")
    func refused() throws {
        let plain = try TinyCheckpoint.make("llama")
        let coded = try TinyCheckpoint.coded("llama", method: "gptq", format: mixed)
        func load(_ checkpoint: Checkpoint, _ quantization: String) throws {
            _ = try ModelRunner(checkpoint: checkpoint, recipe: recipe(quantization), backend: Reference())
        }
        #expect(throws: EngineError.quantizationMismatch(asked: "gptq", stored: nil)) { try load(plain, "gptq") }
        #expect(throws: EngineError.quantizationMismatch(asked: "int4", stored: "gptq")) { try load(coded, "int4") }
        #expect(throws: EngineError.quantizationMismatch(asked: "awq", stored: "gptq")) { try load(coded, "awq") }
        try load(coded, "gptq")
    }

    @Test("Codes of another shape than config.json's are refused")
    func shapes() throws {
        var tensors = try TinyCheckpoint.make("llama").tensors
        var random = Uniform(seed: 5)
        tensors["lm_head.weight"]?.coded = FakeCodedMatrix(QuantizedFormat(.int8), 61, 31, &random)
        let plain = try TinyCheckpoint.make("llama")
        let broken = Checkpoint(name: "broken", configuration: plain.configuration, tensors: tensors)
        #expect(
            throws: CheckpointError.shape(
                file: "llama", tensor: "lm_head.weight", expected: [61, 32], found: [61, 31])
        ) { try broken.check() }
    }
}
