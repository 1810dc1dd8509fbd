// Ranks in lockstep on threads of their own, for tests: each runs its shard and adds its part to the others'.

import CServeCore
import Foundation
import Synchronization

@testable import CServeEngine

/// Adds parts under a lock: the last rank to come adds in the order of the ranks, the others wait.
final class ThreadCollective: @unchecked Sendable {
    private let condition = NSCondition()
    private var parts: [Int: [Float]] = [:]
    private var result: [Float] = []
    private var round = 0
    private let ranks: Int

    init(ranks: Int) { self.ranks = ranks }

    func sum(_ values: UnsafeMutableBufferPointer<Float>, rank: Int) {
        condition.lock()
        defer { condition.unlock() }
        let mine = round
        parts[rank] = Array(values)
        if parts.count == ranks {
            result = parts.sorted { $0.key < $1.key }.map(\.value).reduce(into: []) { sum, part in
                sum = sum.isEmpty ? part : zip(sum, part).map(+)
            }
            parts = [:]
            round += 1
            condition.broadcast()
        } else {
            while round == mine { condition.wait() }
        }
        _ = values.update(fromContentsOf: result)
    }
}

private struct Member: Collective {
    let team: ThreadCollective
    let rank: Int
    func sum(_ values: UnsafeMutableBufferPointer<Float>) { team.sum(values, rank: rank) }
}

enum RankTeam {
    /// Every rank's logits of a prompt's positions, run in one step.
    static func logits(_ ids: [Int32], checkpoint: Checkpoint, shape: ModelShape, ranks: Int) throws -> [[Float]] {
        let team = ThreadCollective(ranks: ranks)
        let backend = Reference()
        let recipe = TinyCheckpoint.recipe()
        let formats = try backend.formats(
            stored: try checkpoint.storedFormats(ranks: ranks), shape: shape, recipe: recipe)
        let runners = try (0..<ranks).map { rank in
            UncheckedBox(
                try StageRunner(
                    backend: backend, shape: shape, checkpoint: checkpoint,
                    plan: try MemoryPlan.make(
                        shape: shape, recipe: recipe, parallelism: Parallelism(tensor: ranks), rank: rank,
                        formats: formats),
                    layouts: formats.weights, collective: Member(team: team, rank: rank)))
        }
        let results = Mutex<[Int: [Float]]>([:])
        let group = DispatchGroup()
        for (rank, box) in runners.enumerated() {
            group.enter()
            Thread.detachNewThread {
                let values = run(ids, box.value)
                results.withLock { $0[rank] = values }
                group.leave()
            }
        }
        group.wait()
        return results.withLock { all in all.sorted { $0.key < $1.key }.map(\.value) }
    }

    private static func run(_ ids: [Int32], _ runner: StageRunner<Reference>) -> [Float] {
        var inputs = BatchInputs(blockSize: 4)
        inputs.append(tokens: ids, start: 0, blockTable: [3, 1, 2, 0], wanted: .all)
        runner.forward(runner.backend.prepare(inputs), rows: ids.count, copies: [])
        var values: [Float] = []
        let limit = runner.plan.activations.maxLogitRows
        inputs.logitRows.withUnsafeBufferPointer { rows in
            for first in stride(from: 0, to: rows.count, by: limit) {
                let slice = UnsafeBufferPointer(rebasing: rows[first..<min(first + limit, rows.count)])
                runner.logits(rows: slice) { values += Array($0) }
            }
        }
        return values
    }
}

/// Hands something to the one thread that will use it.
struct UncheckedBox<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
