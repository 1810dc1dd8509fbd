import CServeCore
import CServeScheduling

@testable import CServeEngine

/// Lets steps run when a test says so, so that no test depends on how fast the machine is.
final class Gate: Sendable {
    private let steps = Monitor(0)

    /// Lets so many more steps run.
    func allow(steps count: Int) {
        steps.withLock { $0 += count }
        steps.signal()
    }

    /// Lets all steps run from now on.
    func open() { allow(steps: 1 << 40) }

    /// Waits for a step's turn, on the loop's thread.
    func pass() { steps.withLock(when: { $0 > 0 }, { $0 -= 1 }) }
}

/// The null runner behind a gate.
private final class GatedRunner: StepRunner {
    private let gate: Gate
    private let runner = NullStepRunner(tokens: [7, 8, 9])

    init(_ gate: Gate) { self.gate = gate }

    func run(_ batch: MicroBatch, slots: SlotTable) throws -> StepResult {
        gate.pass()
        return try runner.run(batch, slots: slots)
    }
}

extension Engine {
    /// A small engine whose steps wait at a gate.
    static func gated(_ gate: Gate, _ change: (inout Recipe) -> Void = { _ in }) throws -> Engine {
        let recipe = smallRecipe(change)
        let scheduler = try recipe.schedulerConfiguration(blockCount: 256, modelLength: 256, endTokens: [])
        return try Engine(
            EngineConfiguration(scheduler: scheduler, vocabularySize: 512), runner: GatedRunner(gate))
    }
}
