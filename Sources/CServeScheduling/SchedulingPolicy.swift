// How many prompt tokens join the decoding branches in a pass: the trade between throughput and latency, by name.
import CServeCore

/// A rule for the prompt tokens of one pass. Decodes always go first; this says what may join them.
public enum SchedulingPolicy: String, Codable, CaseIterable, Sendable {
    /// Fill the token budget.
    case throughput
    /// Keep a pass near the time of its decodes alone, so that running answers do not stutter.
    case latency
    /// Pieces that cost no throughput worth naming and still end soon: a prompt behind others gets its first token after its
    /// own pieces rather than after a full budget of everybody's.
    case auto

    /// A pass with prompts may take so many times its decodes' time under ``latency``.
    static let stretch: Double = 2
    /// The same under ``auto``: prompts may take fifteen sixteenths of the time. With 2, a closed loop of short answers starved:
    /// prompts trickled in, few branches decoded, and most of the time went into nearly empty passes (docs/LOG.md).
    static let autoStretch: Double = 16
    /// The same where nothing decodes, or more waits than two full passes take: a pass costs at most 1/32 more than in one
    /// piece.
    static let backlogStretch: Double = 32

    func promptTokens(_ situation: PromptSituation, _ predictor: StepTimePredictor) -> Int {
        switch self {
        case .throughput: return situation.room
        case .latency:
            return situation.decodes.decodes == 0 ? situation.room : situation.within(Self.stretch, predictor)
        case .auto:
            let isUrgent: Bool =
                situation.decodes.decodes == 0 || situation.waitingTokens > 2 * situation.batchedTokens
            return situation.within(isUrgent ? Self.backlogStretch : Self.autoStretch, predictor)
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

    /// The most prompt tokens that keep the pass within so many times its decodes' time (that of one decode if there are
    /// none), at least a block; everything if nothing is known of times.
    func within(_ stretch: Double, _ predictor: StepTimePredictor) -> Int {
        var least: BatchLoad = decodes
        if decodes.decodes == 0 { least.addDecode(start: 0) }
        guard let alone = predictor.predict(least) else { return room }
        let limit = Nanoseconds(Double(alone) * stretch)
        var low: Int = min(room, blockSize)
        var high: Int = room
        while low < high {
            let middle: Int = (low + high + 1) / 2
            var load: BatchLoad = decodes
            load.addPrefill(start: 0, tokens: middle)
            if (predictor.predict(load) ?? 0) <= limit { low = middle } else { high = middle - 1 }
        }
        return low
    }
}
