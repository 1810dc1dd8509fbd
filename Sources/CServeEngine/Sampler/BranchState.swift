// What sampling must remember of one branch: its answer so far, counted where penalties ask for it.

import CServeCore

/// The sampler's memory of one branch; lives as long as the branch does, so preemption loses nothing.
///
/// Owned by the engine loop's thread.
final class BranchState {
    /// How to sample.
    let sampling: SamplingParameters
    /// Where its random numbers come from.
    let stream: RandomStream
    /// Tokens that may not come before `min_tokens`.
    let endTokens: [TokenID]
    /// Whether anything is done to the logits before temperature.
    let adjusts: Bool
    /// The prompt's tokens, once each; empty unless the repetition penalty is on.
    let promptTokens: Set<TokenID>
    /// A grammar's mask, if any.
    let mask: (any LogitMask)?
    /// The answer so far.
    private(set) var output: [TokenID] = []
    /// How often each token came in the answer; empty unless a penalty is on.
    private(set) var counts: [TokenID: Int32] = [:]

    private let penalised: Bool

    /// Starts a branch.
    init(request: Request, branch: Int, endTokens: [TokenID], engineSeed: UInt64, mask: (any LogitMask)? = nil) {
        let sampling = request.sampling
        self.sampling = sampling
        self.mask = mask
        stream = RandomStream(request: request, branch: branch, engineSeed: engineSeed)
        self.endTokens = sampling.minTokens > 0 ? endTokens + sampling.stopTokenIDs : []
        penalised =
            sampling.repetitionPenalty != 1 || sampling.presencePenalty != 0 || sampling.frequencyPenalty != 0
        promptTokens = sampling.repetitionPenalty == 1 ? [] : Set(request.promptTokens)
        adjusts =
            penalised || mask != nil || !sampling.logitBias.isEmpty || sampling.allowedTokenIDs != nil
            || !sampling.badWords.isEmpty || sampling.minTokens > 0
        output.reserveCapacity(min(sampling.maxTokens, 4096))
    }

    /// Takes note of a sampled token.
    func append(_ token: TokenID) {
        output.append(token)
        if penalised { counts[token, default: 0] += 1 }
        mask?.advance(by: token)
    }

    /// The last tokens of banned runs whose other tokens have just come.
    func bannedTokens() -> [TokenID] {
        sampling.badWords.compactMap { run in
            guard let last = run.last else { return nil }
            return output.suffix(run.count - 1).elementsEqual(run.dropLast()) ? last : nil
        }
    }
}
