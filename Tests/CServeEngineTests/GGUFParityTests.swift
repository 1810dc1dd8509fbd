// GGUF files against transformers on the same numbers, on every backend: names, orders of rows, configuration and
// codes.

import CServeCore
import Foundation
import Testing

@testable import CServeEngine

struct GGUFCase: Sendable, CustomTestStringConvertible {
    var file: String
    var backend: BackendTable.Row
    var testDescription: String { "\(file.split(separator: "/").suffix(2).joined(separator: "/")) on \(backend.name)" }

    /// Every `model.gguf` beside a reference, on every backend. `CSERVE_GGUF_PARITY` names another folder.
    static let all: [GGUFCase] = {
        let root = ProcessInfo.processInfo.environment["CSERVE_GGUF_PARITY"] ?? GGUFBytes.fixtures
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        let found = names.filter { FileManager.default.fileExists(atPath: root + "/\($0)/reference.json") }
        return found.sorted().flatMap { name in
            BackendTable.rows.map { GGUFCase(file: root + "/\(name)/model.gguf", backend: $0) }
        }
    }()
}

@Suite struct GGUFParityTests {
    @Test("log-probabilities are transformers' on the same weights", arguments: GGUFCase.all)
    func parity(_ parity: GGUFCase) throws {
        let directory = (parity.file as NSString).deletingLastPathComponent
        let bytes = try Data(contentsOf: URL(filePath: directory + "/reference.json"))
        let reference = try JSONDecoder().decode(ParityReference.self, from: bytes)
        let checkpoint = try Checkpoint(gguf: parity.file)
        let isRounded = parity.backend.name == "cpu" && checkpoint.tensors.values.contains { $0.coded != nil }
        var worst = 0.0
        for prompt in reference.prompts {
            var recipe = Recipe()
            recipe.maxModelLen = prompt.max_model_len ?? reference.max_model_len
            recipe.maxNumSeqs = 1
            recipe.maxNumBatchedTokens = 64
            recipe.cacheDtype = "float32"
            let runner = try ModelRunner(
                checkpoint: checkpoint, recipe: recipe, backend: try parity.backend.make(1))
            let rows = try TestRun.logProbabilities(prompt.ids, runner, chunk: 48)
            let right = isRounded ? try #require(prompt.log_probabilities_int8) : prompt.log_probabilities
            for (index, expected) in right.enumerated() {
                let value = rows[index][Int(prompt.ids[index + 1])]
                worst = max(worst, value.isNaN ? .infinity : abs(value - expected))
            }
        }
        print("gguf parity \(parity.testDescription): largest error \(worst)")
        #expect(worst <= parity.backend.tolerance)
    }
}
