// A model behind the loop: a micro-batch becomes plain arrays, logits become tokens.

import CServeCore
import CServeScheduling

/// Runs micro-batches on a model and samples.
final class ModelStepRunner: StepRunner {
    private let executor: any ModelExecutor
    private let sampler: Sampler
    private var inputs: BatchInputs
    /// Which entry a row of logits belongs to, and behind which of its tokens and drafts it stands.
    private var wanted: [(entry: Int, offset: Int)] = []

    /// Wraps a model.
    init(_ executor: any ModelExecutor) {
        self.executor = executor
        sampler = Sampler(vocabularySize: executor.vocabularySize)
        inputs = BatchInputs(blockSize: executor.blockSize)
    }

    func run(_ batch: MicroBatch, slots: SlotTable) throws -> StepResult {
        fill(batch)
        var result = StepResult()
        result.outputs = [EntryOutput](repeating: EntryOutput(tokens: TokenRun()), count: batch.entries.count)
        let start = MonotonicClock.now()
        var sampling: Nanoseconds = 0
        try executor.execute(inputs) { slice in
            let began = MonotonicClock.now()
            defer { sampling += MonotonicClock.now() - began }
            for row in 0..<slice.rows {
                let place = wanted[slice.firstWanted + row]
                take(UnsafeBufferPointer(slice[row]), of: batch.entries[place.entry], place, slots, &result)
            }
        }
        result.forwardTime = MonotonicClock.now() - start - sampling
        result.samplingTime = sampling
        return result
    }

    private func fill(_ batch: MicroBatch) {
        inputs.removeAll()
        wanted.removeAll(keepingCapacity: true)
        inputs.copies = batch.copies.map { BlockCopy(source: $0.source, destination: $0.destination) }
        for (index, entry) in batch.entries.enumerated() {
            let count = entry.tokens.count + entry.drafts.count
            let rows = entry.wantsPromptLogprobs ? count : entry.sampledTokens
            inputs.append(
                tokens: entry.drafts.isEmpty ? entry.tokens : TokenRun(entry.tokens.array + entry.drafts.array),
                start: entry.start, blockTable: entry.blocks, wanted: .tail(rows))
            for offset in (count - rows)..<count { wanted.append((index, offset)) }
        }
    }

    /// Makes of one row a prompt token's score, a new token, or both.
    private func take(
        _ row: UnsafeBufferPointer<Float>, of entry: MicroBatch.Entry, _ place: (entry: Int, offset: Int),
        _ slots: SlotTable, _ result: inout StepResult
    ) {
        guard let holder = slots[entry.slot] else { return }
        do throws(SamplingError) {
            let prompt = holder.request.request.promptTokens
            let next = entry.start + place.offset + 1
            if entry.wantsPromptLogprobs, next < prompt.count, let top = holder.branch.request.sampling.promptLogprobs {
                let score = try sampler.score(prompt: prompt[next], in: row, top: top)
                holder.request.take(promptScore: score, at: next)
            }
            guard entry.sampledTokens > 0, place.offset >= entry.tokens.count - 1 else { return }
            let sampled = result.outputs[place.entry].tokens
            guard entry.accepts(sampled, drafts: place.offset + 1 - entry.tokens.count) else { return }
            let scored = try sampler.sample(row, for: holder.branch.sampling, scored: holder.branch.ranked)
            holder.branch.fresh.append(scored)
            result.outputs[place.entry].tokens = sampled.appending(scored.token)
        } catch {
            // A row behind accepted drafts comes again in the next step, as an entry's own: it fails then.
            guard result.outputs[place.entry].tokens.isEmpty else { return }
            result.failures.append((entry.request, error.description))
        }
    }
}
