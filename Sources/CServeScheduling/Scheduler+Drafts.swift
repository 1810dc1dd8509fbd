// Puts guessed tokens behind the decodes of a micro-batch, where that pays, and learns how often they were right.
import CServeCore

extension Scheduler {
    /// Gives the pass's decodes drafts from what room they leave; half of it where prompts wait for it too.
    ///
    /// Drafts preempt nobody and leave every decode its token. Called while the pass holds decodes only.
    mutating func scheduleDrafts(_ pass: inout Pass) {
        guard configuration.draftTokens > 0, !pass.isClosed, pass.load.decodes > 0 else { return }
        let cost: Double = rowCost(in: pass.load)
        guard cost < 1 else { return }
        let plain: Int = pass.budget
        defer { if pass.budget < plain { draftedPasses += 1 } }
        if draftedPasses % DraftPolicy.plainPassEvery == DraftPolicy.plainPassEvery - 1 {
            draftedPasses += 1
            return
        }
        var room: Int = waiting.isEmpty && pass.prompts.isEmpty ? pass.budget : pass.budget / 2
        for index in pass.entries.indices where room > 0 {
            let drafts: Int = addDrafts(to: &pass.entries[index], most: min(configuration.draftTokens, room), cost)
            guard drafts > 0 else { continue }
            room -= drafts
            pass.budget -= drafts
            pass.load.addDrafts(drafts, behind: pass.entries[index].start)
        }
    }

    /// The share by which the pass gets longer if every decode brings one more row; 0 while nothing is known.
    private func rowCost(in load: BatchLoad) -> Double {
        var longer = load
        longer.tokens += load.tokens
        longer.context += load.context
        let linear: LinearStepTime? = stepTime.function == nil ? decodeTimes.model : nil
        let predictor = StepTimePredictor(function: stepTime.function, linear: linear)
        guard let alone = predictor.predict(load), let doubled = predictor.predict(longer), alone > 0 else { return 0 }
        return Double(doubled - alone) / Double(alone)
    }

    /// Drafts one decode's next tokens; returns how many.
    private mutating func addDrafts(to entry: inout MicroBatch.Entry, most: Int, _ cost: Double) -> Int {
        let slot: Int = entry.slot
        // One of the tokens that are still to come is the entry's own.
        let most: Int = min(most, branches[slot].growth - 1)
        guard most > 0, branches[slot].mayDraft else { return 0 }
        let guess: [TokenID] = branches[slot].guess(configuration.draftLookup, most: most)
        guard !guess.isEmpty else { return 0 }
        let wanted: Int = branches[slot].drafting.count(breakEven: cost, common: draftRate, most: guess.count)
        let count: Int = min(wanted, roomBehind(slot, wanted: wanted))
        guard count > 0 else { return 0 }
        entry.drafts = TokenRun(Array(guess.prefix(count)))
        entry.sampledTokens = 1 + count
        entry.blocks = branches[slot].table
        return count
    }

    /// Positions behind the scheduled ones that have blocks, up to those wanted; free blocks are taken for them.
    private mutating func roomBehind(_ slot: Int, wanted: Int) -> Int {
        let scheduled: Int = branches[slot].scheduled
        while branches[slot].table.count * memory.blockSize < scheduled + wanted, let block = memory.take() {
            branches[slot].table.ids.append(block)
        }
        return branches[slot].table.count * memory.blockSize - scheduled
    }

    /// Counts what came back for an entry with drafts.
    mutating func observeDrafts(_ drafts: Int, returned: Int, of slot: Int) {
        let accepted: Int = max(0, returned - 1)
        branches[slot].drafting.observe(drafts: drafts, accepted: accepted, common: &draftRate)
        counters.speculation.drafts += 1
        counters.speculation.draftTokens += drafts
        counters.speculation.acceptedTokens += accepted
        for position in 0..<accepted { counters.speculation.acceptedPerPosition[position] += 1 }
    }
}

extension BranchState {
    /// Whether all tokens are known up to the one being computed, and the answer has begun: a first token is never
    /// delayed, and prompts that are scored are over.
    fileprivate var mayDraft: Bool {
        samples && !answer.isEmpty && outstanding == 1 && scheduled == known
    }

    /// The tokens that probably follow; none that would end the answer, nor any behind it.
    fileprivate mutating func guess(_ lengths: ClosedRange<Int>, most: Int) -> [TokenID] {
        let text = TokenSpan(prompt: prompt, answer: answer, start: 0)
        let guess: [TokenID] = index.guess(after: text, lengths: lengths, most: most)
        guard let end = guess.firstIndex(where: { ends.contains($0) }) else { return guess }
        return Array(guess[..<end])
    }
}
