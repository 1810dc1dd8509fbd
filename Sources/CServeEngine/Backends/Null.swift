// An engine without arithmetic: the real scheduler, loop and streams around tokens that cost nothing.

import CServeCore
import CServeScheduling

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Answers with tokens that depend on the position only; for measuring everything around a model.
///
/// Sampling settings are ignored; log-probabilities, where asked for, are those of a uniform choice among ``tokens``.
final class NullStepRunner: StepRunner {
    private let tokens: [TokenID]
    private let delay: Nanoseconds

    /// Creates a runner.
    /// - Parameters:
    ///   - tokens: Tokens to answer with, not empty.
    ///   - delay: How long every step takes.
    init(tokens: [TokenID], delay: Nanoseconds = 0) {
        precondition(!tokens.isEmpty, "the null runner needs a token to answer with")
        self.tokens = tokens
        self.delay = delay
    }

    func run(_ batch: MicroBatch, slots: SlotTable) throws -> StepResult {
        if delay > 0 { usleep(UInt32(clamping: delay / 1000)) }
        var result = StepResult()
        result.outputs.reserveCapacity(batch.entries.count)
        for entry in batch.entries {
            if entry.wantsPromptLogprobs { scorePrompt(entry, slots) }
            guard entry.sampledTokens > 0 else {
                result.outputs.append(EntryOutput(tokens: TokenRun()))
                continue
            }
            let answer = answer(entry)
            result.outputs.append(EntryOutput(tokens: answer))
            guard let branch = slots[entry.slot]?.branch else { continue }
            if let top = branch.request.sampling.logprobs ?? (branch.ranked ? 0 : nil) {
                for token in answer { branch.fresh.append(scored(token, top: top)) }
            }
        }
        return result
    }

    /// The next token, and one more behind every draft that is right.
    private func answer(_ entry: MicroBatch.Entry) -> TokenRun {
        var answer = TokenRun()
        for place in 0...entry.drafts.count where entry.accepts(answer, drafts: place) {
            answer = answer.appending(token(at: entry.start + entry.tokens.count + place))
        }
        return answer
    }

    private func token(at position: Int) -> TokenID {
        tokens[Int(RandomStream.mix(UInt64(position)) % UInt64(tokens.count))]
    }

    private func scored(_ token: TokenID, top: Int) -> ScoredToken {
        let logprob = -Float(log(Double(tokens.count)))
        let likeliest = tokens.prefix(top).enumerated().map { TokenLogprob(token: $1, logprob: logprob, rank: $0 + 1) }
        return ScoredToken(token: token, logprob: TokenLogprob(token: token, logprob: logprob, rank: 1), top: likeliest)
    }

    private func scorePrompt(_ entry: MicroBatch.Entry, _ slots: SlotTable) {
        guard let request = slots[entry.slot]?.request, let top = request.request.sampling.promptLogprobs else {
            return
        }
        let prompt = request.request.promptTokens
        for index in (entry.start + 1)..<(entry.start + entry.tokens.count + 1) where index < prompt.count {
            request.take(promptScore: scored(prompt[index], top: top), at: index)
        }
    }
}

extension Engine {
    /// Starts an engine that answers without a model.
    /// - Parameters:
    ///   - recipe: Limits, cache size in tokens (`max_num_seqs * max_model_len`) and policy.
    ///   - vocabularySize: Token ids must be below it.
    ///   - tokens: What answers are made of; give printable tokens of the tokenizer in use. Never an end token.
    ///   - delay: How long every step takes.
    /// - Throws: ``RecipeError``, ``EngineStartError``.
    public static func null(
        recipe: Recipe = Recipe(), vocabularySize: Int = 512, tokens: [TokenID] = Array(65...90),
        endTokens: [TokenID] = [],
        delay: Nanoseconds = 0
    ) throws -> Engine {
        try recipe.checkRunnable()
        let length = recipe.maxModelLen ?? 32_768
        let blocks = max(1, min(recipe.maxNumSeqs * length, 1 << 22) / recipe.blockSize)
        let scheduler = try recipe.schedulerConfiguration(
            blockCount: blocks, modelLength: length, endTokens: endTokens)
        let configuration = EngineConfiguration(
            scheduler: scheduler, vocabularySize: vocabularySize, seed: recipe.seed)
        return try Engine(configuration, runner: NullStepRunner(tokens: tokens, delay: delay))
    }
}
