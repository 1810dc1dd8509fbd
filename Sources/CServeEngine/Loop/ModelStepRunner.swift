// A model behind the loop: a micro-batch becomes plain arrays, logits become tokens.

import CServeCore
import CServeScheduling

/// Runs micro-batches on a model and samples.
final class ModelStepRunner: StepRunner {
    private let executor: any ModelExecutor
    private let sampler: Sampler
    private var inputs: BatchInputs
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
        return result
    }

    private func fill(_ batch: MicroBatch) {
        inputs.removeAll()
        wanted.removeAll(keepingCapacity: true)
        inputs.copies = batch.copies.map { BlockCopy(source: $0.source, destination: $0.destination) }
        for (index, entry) in batch.entries.enumerated() {
            let rows: BatchInputs.Wanted = entry.wantsPromptLogprobs ? .all : entry.sampledTokens > 0 ? .last : .none
            inputs.append(tokens: entry.tokens, start: entry.start, blockTable: entry.blocks, wanted: rows)
            switch rows {
            case .none: break
            case .last: wanted.append((index, entry.tokens.count - 1))
            case .all: for offset in 0..<entry.tokens.count { wanted.append((index, offset)) }
            }
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
            guard entry.sampledTokens > 0, place.offset == entry.tokens.count - 1 else { return }
            let scored = try sampler.sample(row, for: holder.branch.sampling, scored: holder.branch.ranked)
            holder.branch.fresh.append(scored)
            result.outputs[place.entry] = EntryOutput(tokens: TokenRun(scored.token))
        } catch {
            result.failures.append((entry.request, error.description))
        }
    }
}
