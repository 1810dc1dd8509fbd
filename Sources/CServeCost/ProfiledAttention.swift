// Attention of a stage as a profile has it: mixed batches were measured as such, not summed from their parts.
import CServeCore

/// Profiled attention of a stage.
struct ProfiledAttention: Sendable {
    private let layers: Double
    private let prompts: GridReader
    private let decodes: GridReader
    private let mixed: GridReader?
    private let skew: SkewReader

    init(_ profile: OperatorProfile, layers: Int) {
        self.layers = Double(layers)
        prompts = GridReader(profile.attention.prompts)
        decodes = GridReader(profile.attention.decodes)
        mixed = profile.attention.mixed.map(GridReader.init)
        skew = SkewReader(profile.skew)
    }

    /// Seconds of all layers, and of them what the decodes add.
    func time(of step: StepComposition) -> (seconds: Double, decodes: Double) {
        let scale: Double = layers * 1e-6
        guard let first = step.prefills.first else {
            guard step.decodes > 0 else { return (0, 0) }
            let alone: Double = scale * beside(nil, step)
            return (alone, alone)
        }
        var largest: StepComposition.PrefillChunk = first
        for piece in step.prefills.dropFirst() where piece.tokens > largest.tokens { largest = piece }
        let main: Double = prompts(Double(largest.tokens), Double(largest.context))
        var others: Double = -max(0, main - prompts.least)
        // Further pieces share the kernel: each adds what it takes beyond a kernel that does nothing.
        for piece in step.prefills {
            others += max(0, prompts(Double(piece.tokens), Double(piece.context)) - prompts.least)
        }
        guard step.decodes > 0 else { return (scale * (main + others), 0) }
        let both: Double = beside(largest, step)
        return (scale * (both + others), scale * max(0, both - main))
    }

    /// Decodes, beside a piece of a prompt or alone.
    private func beside(_ piece: StepComposition.PrefillChunk?, _ step: StepComposition) -> Double {
        let requests = Double(step.decodes)
        let mean: Double = Double(step.decodeContext) / requests
        let longest = Double(step.longestDecodeContext)
        let even: Double = read(piece, requests, mean)
        guard longest > mean * 1.01 else { return even }
        // The shortest context is not known here; it is small beside the longest, so it is left out.
        let share: Double = skew.share(
            promptTokens: Double(piece?.tokens ?? 0), requests: requests, heaviness: mean / longest, longest: longest,
            context: Double(piece?.context ?? 0))
        return even + share * (read(piece, requests, longest) - even)
    }

    private func read(_ piece: StepComposition.PrefillChunk?, _ requests: Double, _ context: Double) -> Double {
        guard let piece else { return decodes(requests, context) }
        if let mixed { return mixed(Double(piece.tokens), Double(piece.context), requests, context) }
        return prompts(Double(piece.tokens), Double(piece.context)) + decodes(requests, context)
    }
}
