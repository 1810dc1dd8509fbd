// Compares every backend with transformers on every checkpoint of Tests/Fixtures/checkpoints: new rows join by themselves.

import CServeCore
import Foundation
import Testing

@testable import CServeEngine

/// What transformers computed for a checkpoint (Tools/parity/make_checkpoints.py wrote it).
struct ParityReference: Decodable {
    struct Step: Decodable {
        var id: Int32
        var log_probability: Double
        var second_log_probability: Double
    }
    struct Prompt: Decodable {
        var ids: [Int32]
        var log_probabilities: [Double]
        /// With what multiplies weights quantised to eight bits in groups of 128, as the CPU backend does for codes.
        var log_probabilities_int8: [Double]?
        var max_model_len: Int?
        var greedy: [Step]?
    }
    var max_model_len: Int
    var prompts: [Prompt]
}

struct ParityCase: Sendable, CustomTestStringConvertible {
    var directory: String
    var backend: BackendTable.Row
    var cache: String
    var testDescription: String {
        "\((directory as NSString).lastPathComponent) on \(backend.name), cache \(cache)"
    }

    /// Every checkpoint on every backend, with keys and values kept whole and as by default. `CSERVE_PARITY` names another folder of checkpoints.
    static let all: [ParityCase] = {
        let root =
            ProcessInfo.processInfo.environment["CSERVE_PARITY"]
            ?? URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/checkpoints").path
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        let found = names.filter { FileManager.default.fileExists(atPath: root + "/\($0)/reference.json") }
        return found.sorted().flatMap { name in
            // A cache of 16 bits rounds more than the oracle's tolerance allows.
            BackendTable.rows.flatMap { backend in
                (backend.tolerance < 1e-2 ? ["float32"] : ["float32", "auto"]).map {
                    ParityCase(directory: root + "/" + name, backend: backend, cache: $0)
                }
            }
        }
    }()
}

@Suite struct ParityTests {
    @Test("log-probabilities and greedy answers are transformers'", arguments: ParityCase.all)
    func parity(_ parity: ParityCase) throws {
        let bytes = try Data(contentsOf: URL(filePath: parity.directory + "/reference.json"))
        let reference = try JSONDecoder().decode(ParityReference.self, from: bytes)
        let checkpoint = try Checkpoint(directory: parity.directory)
        var worst = 0.0
        for (length, prompts) in Dictionary(
            grouping: reference.prompts, by: { $0.max_model_len ?? reference.max_model_len })
        {
            var recipe = Recipe()
            recipe.maxModelLen = length
            recipe.maxNumSeqs = 1
            recipe.maxNumBatchedTokens = 64
            recipe.cacheDtype = parity.cache
            let runner = try ModelRunner(
                checkpoint: checkpoint, recipe: recipe, backend: try parity.backend.make(1))
            for prompt in prompts {
                worst = max(worst, try distance(prompt, runner))
                try checkGreedy(prompt, runner, tolerance: parity.backend.tolerance)
            }
        }
        print("parity \(parity.testDescription): largest error \(worst)")
        #expect(worst <= parity.backend.tolerance)
    }

    /// The largest error of any prompt token's log-probability, the prompt computed in pieces.
    private func distance(_ prompt: ParityReference.Prompt, _ runner: ModelRunner) throws -> Double {
        let rows = try TestRun.logProbabilities(prompt.ids, runner, chunk: 48)
        var worst = 0.0
        for (index, expected) in prompt.log_probabilities.enumerated() {
            let value = rows[index][Int(prompt.ids[index + 1])]
            worst = max(worst, value.isNaN ? .infinity : abs(value - expected))
        }
        return worst
    }

    /// The likeliest tokens are the same wherever the best two differ by more than rounding can move.
    private func checkGreedy(_ prompt: ParityReference.Prompt, _ runner: ModelRunner, tolerance: Double) throws {
        var ids = prompt.ids
        for step in prompt.greedy ?? [] where ids.count < runner.maxModelLength {
            let start = ids.count - 1
            let row = try TestRun.logProbabilities([ids[start]], runner, start: start)[0]
            if step.log_probability - step.second_log_probability > 2 * tolerance {
                let best = row.indices.max { row[$0] < row[$1] }
                #expect(best == Int(step.id), "step \(ids.count - prompt.ids.count)")
            }
            ids.append(step.id)
        }
    }
}

/// Runs token ids through an executor whose cache belongs to one request.
enum TestRun {
    /// Log-probabilities of every position, over the whole vocabulary.
    static func logProbabilities(
        _ ids: [Int32], _ runner: any ModelExecutor, start: Int = 0, chunk: Int = 1 << 20
    ) throws -> [[Double]] {
        try logits(ids, runner, start: start, chunk: chunk).map(logSoftmax)
    }

    /// Logits of every position, in pieces of at most `chunk` tokens.
    static func logits(
        _ ids: [Int32], _ runner: any ModelExecutor, start: Int = 0, chunk: Int = 1 << 20, table: [Int32]? = nil
    ) throws -> [[Float]] {
        let needed = (start + ids.count + runner.blockSize - 1) / runner.blockSize
        let blocks = table ?? (0..<needed).map { Int32($0) }
        var rows: [[Float]] = []
        for first in stride(from: 0, to: ids.count, by: chunk) {
            var inputs = BatchInputs(blockSize: runner.blockSize)
            let piece = ids[first..<min(first + chunk, ids.count)]
            inputs.append(tokens: piece, start: start + first, blockTable: blocks, wanted: .all)
            try runner.execute(inputs) { slice in
                for row in 0..<slice.rows { rows.append(Array(slice[row])) }
            }
        }
        return rows
    }

    static func logSoftmax(_ logits: [Float]) -> [Double] {
        let greatest = Double(logits.max() ?? 0)
        let total = logits.reduce(0.0) { $0 + exp(Double($1) - greatest) }
        return logits.map { Double($0) - greatest - log(total) }
    }
}
