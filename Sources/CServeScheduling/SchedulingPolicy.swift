// How many prompt tokens join the decoding branches in a pass: the trade between throughput and latency, by name.
import CServeCore

/// A rule for the prompt tokens of one pass. Decodes always go first; this says what may join them.
public enum SchedulingPolicy: String, Codable, CaseIterable, Sendable {
    /// Fill the token budget.
    case throughput
    /// Keep a pass near the time of its decodes alone, so that running answers do not stutter.
    case latency
    /// `latency` while the queue is short, `throughput` when prompts pile up.
    case auto

    /// A pass with prompts may take so many times its decodes' time under ``latency``.
    static let stretch: Double = 2

    func promptTokens(_ situation: PromptSituation, _ predictor: StepTimePredictor) -> Int {
        switch self {
        case .throughput: return situation.room
        case .latency: return situation.gentle(predictor)
        case .auto:
            // More waits than two full passes take: gentle pieces would only let the queue grow.
            return situation.waitingTokens > 2 * situation.batchedTokens
                ? situation.room : situation.gentle(predictor)
        }
    }
}

/// What a policy looks at.
struct PromptSituation {
    /// The decodes that are in the pass already.
    var decodes: BatchLoad
    /// Tokens that still fit.
    var room: Int
    /// Prompt tokens that could be computed.
    var waitingTokens: Int
    var batchedTokens: Int
    var blockSize: Int

    /// The most prompt tokens that keep the pass within ``SchedulingPolicy/stretch`` times its decodes' time, at least
    /// a block; everything if nothing decodes or nothing is known of times.
    func gentle(_ predictor: StepTimePredictor) -> Int {
        guard decodes.decodes > 0, let alone = predictor.predict(decodes) else { return room }
        let limit = Nanoseconds(Double(alone) * SchedulingPolicy.stretch)
        var low: Int = min(room, blockSize)
        var high: Int = room
        while low < high {
            let middle: Int = (low + high + 1) / 2
            var load = decodes
            load.addPrefill(start: 0, tokens: middle)
            if (predictor.predict(load) ?? 0) <= limit { low = middle } else { high = middle - 1 }
        }
        return low
    }
}
