// Passes that a profile measures but does not use: mixtures of prompts and decodes off its grid, drawn from a fixed seed.

import CServeCore
import CServeCost
import CServeEngine
import CServeWorkload

/// Held-out passes and their times.
struct HeldOutPasses {
    private let passes: [(entries: [ProbeEntry], sampled: Int)]
    private var seconds: [[Double]]

    init(_ grid: ProfileGrid, count: Int, seed: UInt64 = 11) {
        var generator: SeededGenerator = SeededGenerator(seed: seed)
        func draw(_ low: Int, _ high: Int) -> Int {
            low + Int(generator.unit() * Double(max(0, high - low) + 1))
        }
        var passes: [(entries: [ProbeEntry], sampled: Int)] = []
        for index in 0..<count {
            let most: Int = min(grid.maxRequests, [3, 8, 20, 40][index % 4])
            let length: Int = min(grid.maxLength - 16, grid.capacity / (most + 2) - 160, 1500)
            var entries: [ProbeEntry] = (0..<draw(1, most)).map { _ in
                ProbeEntry(tokens: 1, context: draw(8, max(9, length)))
            }
            let decodes: Int = entries.count
            // Every second pass has a piece of a prompt; it takes part in no sampling.
            if index % 2 == 1 {
                let tokens: Int = draw(20, min(150, grid.maxTokens - decodes))
                entries.insert(ProbeEntry(tokens: tokens, context: draw(0, max(0, length - 160))), at: 0)
            }
            passes.append((entries, decodes))
        }
        self.passes = passes
        seconds = Array(repeating: [], count: passes.count)
    }

    /// Passes of one round.
    var count: Int { passes.count }

    /// Measures each once more.
    mutating func measure(_ probe: ModelProbe, _ step: () -> Void) throws {
        for (index, pass) in passes.enumerated() {
            let times: PassTimes = try probe.pass(pass.entries, sampled: pass.sampled)
            seconds[index].append(times.layers + times.logits)
            step()
        }
    }

    /// Predicted over measured medians, less one; sampling and the host take no part in a pass.
    func errors(_ cost: StepCost) -> ErrorSummary {
        ErrorSummary(
            zip(passes, seconds).map { pass, seconds -> Double in
                let parts: StepBreakdown = cost.breakdown(
                    of: StepComposition(pass.entries, sampled: pass.sampled), stage: 0)
                let predicted: Double = parts.seconds - parts[.host] - parts[.sampler]
                return predicted / Samples(seconds).median - 1
            })
    }
}
