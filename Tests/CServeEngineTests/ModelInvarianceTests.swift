// A request's logits do not depend on its company, its pieces, its blocks, or how the model is divided.

import CServeCore
import Testing

@testable import CServeEngine

private let families = TinyCheckpoint.configurations.keys.sorted()

private struct Pair: CustomTestStringConvertible, Sendable {
    var family: String
    var backend: BackendTable.Row
    var testDescription: String { "\(family) on \(backend.name)" }

    static let all = families.flatMap { family in BackendTable.rows.map { Pair(family: family, backend: $0) } }
}

@Suite struct ModelInvarianceTests {
    private let prompt: [Int32] = [1, 17, 4, 60, 33, 8, 2, 19, 45, 7, 7, 28, 51]

    private func runner(_ pair: Pair, stages: Int = 1) throws -> ModelRunner {
        try ModelRunner(
            checkpoint: try TinyCheckpoint.make(pair.family), recipe: TinyCheckpoint.recipe(stages: stages),
            backend: try pair.backend.make(2))
    }

    @Test("a request in pieces, or in other blocks, has bit-equal logits", arguments: Pair.all)
    private func pieces(_ pair: Pair) throws {
        let runner = try runner(pair)
        let whole = try TestRun.logits(prompt, runner)
        #expect(whole.joined().allSatisfy { $0.isFinite })
        for chunk in [1, 3, 5] {
            let pieces = try TestRun.logits(prompt, runner, chunk: chunk)
            #expect(pieces == whole, "pieces of \(chunk)")
        }
        let elsewhere = try TestRun.logits(prompt, runner, chunk: 4, table: [9, 2, 31, 5])
        #expect(elsewhere == whole)
    }

    @Test("a request among others has the logits that it has alone, bit for bit", arguments: Pair.all)
    private func company(_ pair: Pair) throws {
        let runner = try runner(pair)
        let alone = try TestRun.logits(prompt, runner)
        var inputs = BatchInputs(blockSize: runner.blockSize)
        for other in 0..<5 {
            let tokens = (0..<(3 + other)).map { Int32(($0 * 13 + other * 7) % 61) }
            let first = Int32(10 + other * 4)
            if other == 2 { inputs.append(tokens: prompt, start: 0, blockTable: [0, 1, 2, 3], wanted: .all) }
            inputs.append(tokens: tokens, start: 0, blockTable: first..<(first + 2), wanted: .none)
        }
        var rows: [[Float]] = []
        try runner.execute(inputs) { slice in
            for row in 0..<slice.rows { rows.append(Array(slice[row])) }
        }
        #expect(rows == alone)
    }

    @Test("a copied block holds the same keys and values", arguments: Pair.all)
    private func copies(_ pair: Pair) throws {
        let runner = try runner(pair)
        let whole = try TestRun.logits(prompt, runner)
        _ = try TestRun.logits(Array(prompt.prefix(8)), runner, table: [4, 6])
        var inputs = BatchInputs(blockSize: runner.blockSize)
        inputs.copies = [BlockCopy(source: 4, destination: 20), BlockCopy(source: 6, destination: 21)]
        inputs.append(tokens: prompt[8...], start: 8, blockTable: [20, 21, 22, 23], wanted: .last)
        var last: [Float] = []
        try runner.execute(inputs) { last = Array($0[0]) }
        #expect(last == whole.last)
    }

    @Test("a model in three stages has bit-equal logits", arguments: Pair.all)
    private func stages(_ pair: Pair) throws {
        let whole = try TestRun.logits(prompt, try runner(pair))
        let staged = try TestRun.logits(prompt, try runner(pair, stages: 3), chunk: 6)
        #expect(staged == whole)
    }

    @Test("two and four ranks that add their parts have the same logits within 1e-5", arguments: families)
    private func ranks(_ family: String) throws {
        let checkpoint = try TinyCheckpoint.make(family)
        let shape = try checkpoint.shape()
        let pair = Pair(family: family, backend: BackendTable.Row(name: "reference", tolerance: 0) { _ in Reference() })
        let whole = try TestRun.logits(prompt, try runner(pair))
        for ranks in [2, 4] {
            let parts = try RankTeam.logits(prompt, checkpoint: checkpoint, shape: shape, ranks: ranks)
            for part in parts {
                let worst = zip(part, whole.joined()).map { abs($0 - $1) }.max() ?? .infinity
                #expect(worst < 1e-5, "\(ranks) ranks")
            }
        }
    }
}
