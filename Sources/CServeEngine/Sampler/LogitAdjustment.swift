// What is done to logits before temperature, in vLLM V1's order: masks, bans, biases, penalties.

import CServeCore

/// Applies a branch's masks, biases and penalties to a copy of its row.
enum LogitAdjustment {
    /// Copies the row and adjusts the copy.
    static func apply(
        _ state: BranchState, from logits: UnsafeBufferPointer<Float>, into row: UnsafeMutableBufferPointer<Float>
    ) {
        let sampling = state.sampling
        if let allowed = sampling.allowedTokenIDs {
            row.update(repeating: -.infinity)
            for token in allowed { row[Int(token)] = logits[Int(token)] }
        } else {
            _ = row.update(fromContentsOf: logits)
        }
        state.mask?.apply(to: row)
        for token in state.bannedTokens() { row[Int(token)] = -.infinity }
        if state.output.count < sampling.minTokens {
            for token in state.endTokens where Int(token) < row.count { row[Int(token)] = -.infinity }
        }
        for (token, bias) in sampling.logitBias { row[Int(token)] += bias }
        penalise(state, row)
    }

    private static func penalise(_ state: BranchState, _ row: UnsafeMutableBufferPointer<Float>) {
        let sampling = state.sampling
        if sampling.repetitionPenalty != 1 {
            for token in state.promptTokens where Int(token) < row.count { repeated(token, sampling, row) }
            for token in state.counts.keys where !state.promptTokens.contains(token) { repeated(token, sampling, row) }
        }
        for (token, count) in state.counts {
            row[Int(token)] -= sampling.frequencyPenalty * Float(count) + sampling.presencePenalty
        }
    }

    private static func repeated(
        _ token: TokenID, _ sampling: SamplingParameters, _ row: UnsafeMutableBufferPointer<Float>
    ) {
        let logit = row[Int(token)]
        row[Int(token)] = logit > 0 ? logit / sampling.repetitionPenalty : logit * sampling.repetitionPenalty
    }
}
