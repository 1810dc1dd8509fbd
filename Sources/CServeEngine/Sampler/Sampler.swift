// From a row of logits to a token: vLLM V1's order of steps, randomness by position, no allocation per row.

import CServeCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Samples tokens. Owned by the engine loop's thread; holds scratch memory for one row.
///
/// Cost at 128,256 tokens: docs/results/sampler.md.
///
/// The order is vLLM V1's: log-probabilities of the raw logits; allowed tokens, bad words, `min_tokens`, `logit_bias`,
/// penalties; then greedy, or temperature, `min_p`, `top_k`, `top_p` and one draw. The draw inverts the cumulative
/// distribution with one uniform number per token: over the kept token ids ascending, or, where `top_k` or `top_p` keeps
/// few, from the likeliest down (ties: lower id first).
final class Sampler {
    /// Columns of a row.
    let vocabularySize: Int
    private let scratch: UnsafeMutableBufferPointer<Float>
    private let terms: UnsafeMutableBufferPointer<Float>
    /// Sums of runs of terms.
    private let sums: UnsafeMutableBufferPointer<Float>
    private let kernels: LogitRow
    private var candidates = TopCandidates()

    /// Reserves scratch memory: two rows.
    init(vocabularySize: Int, instructionSet: CPUInstructionSet = .best) {
        self.vocabularySize = vocabularySize
        kernels = LogitRow(instructionSet)
        sums = .allocate(capacity: LogitRow.runs(vocabularySize))
        sums.initialize(repeating: 0)
        scratch = .allocate(capacity: vocabularySize)
        terms = .allocate(capacity: vocabularySize)
        scratch.initialize(repeating: 0)
        terms.initialize(repeating: 0)
    }

    deinit {
        scratch.deallocate()
        terms.deallocate()
        sums.deallocate()
    }

    /// Samples a branch's next token, scores it, and notes it in the branch's state.
    /// - Parameter scored: Whether its log-probability is wanted even if `logprobs` is not set (`best_of`).
    /// - Throws: ``SamplingError``; the state is unchanged then.
    func sample(
        _ logits: UnsafeBufferPointer<Float>, for state: BranchState, scored: Bool = false
    ) throws(SamplingError) -> ScoredToken {
        let raw = try kernels.greatest(logits)
        let token = try choose(logits, raw: raw, for: state)
        state.append(token)
        let wanted = state.sampling.logprobs ?? (scored ? 0 : nil)
        guard let wanted else { return ScoredToken(token: token) }
        return score(token, in: logits, raw: raw, top: wanted)
    }

    /// Scores a given token of a prompt.
    /// - Throws: ``SamplingError``.
    func score(
        prompt token: TokenID, in logits: UnsafeBufferPointer<Float>, top: Int
    ) throws(SamplingError) -> ScoredToken {
        score(token, in: logits, raw: try kernels.greatest(logits), top: top)
    }

    private func choose(
        _ logits: UnsafeBufferPointer<Float>, raw: LogitRow.Greatest, for state: BranchState
    ) throws(SamplingError) -> TokenID {
        var row = logits
        var greatest = raw
        if state.adjusts {
            LogitAdjustment.apply(state, from: logits, into: scratch)
            row = UnsafeBufferPointer(scratch)
            greatest = try kernels.greatest(row)
        }
        let sampling = state.sampling
        if sampling.isGreedy || sampling.topK == 1 { return TokenID(greatest.token) }
        let uniform = Philox.uniform(stream: state.stream, position: state.output.count)
        let limited = sampling.topK > 0 && sampling.topK < row.count
        if limited || sampling.topP < 1 {
            return drawFromTop(row, greatest: greatest.value, sampling, uniform: uniform)
        }
        return draw(row, greatest: greatest, sampling, uniform: uniform)
    }

    /// Draws among all tokens that `min_p` leaves.
    private func draw(
        _ row: UnsafeBufferPointer<Float>, greatest: LogitRow.Greatest, _ sampling: SamplingParameters,
        uniform: Double
    ) -> TokenID {
        let scale = 1 / sampling.temperature
        let total = kernels.exponentials(
            row, greatest: greatest.value, scale: scale, floor: sampling.minP, sums: sums.baseAddress)
        return draw(total: total, count: row.count, uniform: uniform) { run in
            // Only one run's terms are looked at: they are worked out again instead of being kept for all.
            _ = kernels.exponentials(
                UnsafeBufferPointer(rebasing: row[run]), greatest: greatest.value, scale: scale, floor: sampling.minP,
                terms: terms.baseAddress.map { $0 + run.lowerBound })
        }
    }

    /// Draws a token by the sums of runs, then by the terms of one run.
    /// - Parameter fill: Puts a run's terms into ``terms``.
    private func draw(total: Double, count: Int, uniform: Double, fill: (Range<Int>) -> Void) -> TokenID {
        let target = uniform * total
        var before = 0.0
        var chosen = 0
        for index in 0..<LogitRow.runs(count) where sums[index] > 0 {
            chosen = index
            if before + Double(sums[index]) > target { break }
            before += Double(sums[index])
        }
        let run = (chosen * LogitRow.run)..<min((chosen + 1) * LogitRow.run, count)
        fill(run)
        var last = run.lowerBound
        for index in run where terms[index] > 0 {
            last = index
            before += Double(terms[index])
            if before > target { break }
        }
        return TokenID(last)
    }

    /// Draws among the likeliest tokens that `top_k`, `min_p` and `top_p` leave.
    private func drawFromTop(
        _ row: UnsafeBufferPointer<Float>, greatest: Float, _ sampling: SamplingParameters, uniform: Double
    ) -> TokenID {
        let scale = 1 / sampling.temperature
        let isLimited = sampling.topK > 0 && sampling.topK < row.count
        let selected = isLimited ? sampling.topK : min(Sampler.narrow, row.count)
        candidates.select(selected, from: row, with: kernels)
        let weights = candidates.sorted.map { Double(exp(($0.logit - greatest) * scale)) }
            .prefix { $0 > 0 && $0 >= Double(sampling.minP) }
        var total = weights.reduce(0, +)
        let isWhole = isLimited || weights.count < selected || selected == row.count
        if !isWhole {
            total = kernels.exponentials(
                row, greatest: greatest, scale: scale, floor: sampling.minP, terms: terms.baseAddress)
        }
        let kept = Sampler.nucleus(weights, reaching: Double(sampling.topP) * total)
        if let kept { return pick(weights.prefix(kept), uniform: uniform) }
        if isWhole { return pick(weights, uniform: uniform) }
        return drawFromWideNucleus(total: total, share: Double(sampling.topP), uniform: uniform)
    }

    /// Candidates that are tried before a nucleus is searched for in the whole row.
    private static let narrow = 64

    /// Draws among the likeliest of ``terms`` that together reach a share of their sum, without sorting them.
    private func drawFromWideNucleus(total: Double, share: Double, uniform: Double) -> TokenID {
        let all = UnsafeBufferPointer(terms)
        // The adjusted logits, if any, are in ``terms`` by now.
        let nucleus = WideNucleus(of: all, total: total, share: share, scratch: scratch, with: kernels)
        nucleus.dropSurplus(of: terms)
        let kept = kernels.sum(all, from: nucleus.least, sums: sums.baseAddress)
        return draw(total: kept, count: all.count, uniform: uniform) { run in
            for index in run where terms[index] < nucleus.least { terms[index] = 0 }
        }
    }

    /// The length of the shortest prefix that reaches a sum; nil if none does.
    private static func nucleus(_ weights: ArraySlice<Double>, reaching bound: Double) -> Int? {
        var sum = 0.0
        for (index, weight) in weights.enumerated() {
            sum += weight
            if sum >= bound { return index + 1 }
        }
        return nil
    }

    private func pick(_ weights: ArraySlice<Double>, uniform: Double) -> TokenID {
        let target = uniform * weights.reduce(0, +)
        var sum = 0.0
        for (index, weight) in weights.enumerated() {
            sum += weight
            if sum > target { return candidates.sorted[index].token }
        }
        return candidates.sorted[max(weights.count - 1, 0)].token
    }

    private func score(
        _ token: TokenID, in row: UnsafeBufferPointer<Float>, raw: LogitRow.Greatest, top: Int
    ) -> ScoredToken {
        let normaliser = kernels.logSumExp(row, greatest: raw.value)
        func logprob(_ logit: Float) -> Float { Float(Double(logit) - normaliser) }
        let rank = kernels.rank(of: Int(token), in: row)
        let own = TokenLogprob(token: token, logprob: logprob(row[Int(token)]), rank: rank)
        guard top > 0 else { return ScoredToken(token: token, logprob: own) }
        candidates.select(top, from: row, with: kernels)
        let likeliest = candidates.sorted.enumerated().map { index, candidate in
            TokenLogprob(token: candidate.token, logprob: logprob(candidate.logit), rank: index + 1)
        }
        return ScoredToken(token: token, logprob: own, top: likeliest)
    }
}
