// How long the queue's head goes on waiting while every running branch only decodes.
import CServeCore

extension Scheduler {
    /// How many of some steady steps pass before the queue's head might start; no step too many.
    ///
    /// While the others decode, blocks only get fewer, and an adaptive reserve for their growth shrinks. Of the prefixes that
    /// the head can reuse, none is added as long as the first missing one does not turn up.
    func stepsOfWaiting(_ most: Int) -> Int {
        let budget: Int = configuration.maxNumBatchedTokens - running.count
        guard let head = waiting.first, head.branches.count <= freeSlots.count, budget > 0 else { return most }
        guard let state = requests[head.request], !memory.usesPrefixes || head.hashes != nil else { return 0 }
        let cached: [BlockID] = cacheView(of: head).cached
        let known: Int = head.promptCount + head.answer.count
        let taken: Int =
            memory.blocks(for: known) - cached.count + memory.freeAmong(cached) + head.branches.count - 1
        // Who has a block for the first step already takes none in it.
        let provided: Int = running.count {
            branches[$0].scheduled % memory.blockSize == 0
                && branches[$0].table.count * memory.blockSize > branches[$0].scheduled
        }
        let takers: [Int] = blockTakers()
        switch configuration.growthReserve {
        case .adaptive:
            let own: Int = min(limit(of: state.request) - head.answer.count, GrowthReserve.clip) * head.branches.count
            return adaptiveWait(most, need: taken, growth: own, free: memory.freeCount + provided, takers)
        case .none: return taken <= memory.freeCount + provided - takers[0] ? 0 : most
        // What is taken was kept: that the head does not fit cannot change.
        case .full: return taken + keptBlocks(beside: head, state.request) <= memory.freeCount ? 0 : most
        }
    }

    private func adaptiveWait(_ most: Int, need: Int, growth own: Int, free: Int, _ takers: [Int]) -> Int {
        var growth: Int = runningGrowth + own
        var kept: GrowthReserve = reserve
        var free: Int = free
        for step in 0..<most {
            free -= takers[step % memory.blockSize]
            if need + memory.blocks(for: kept.tokens(of: max(0, growth))) <= free { return step }
            growth -= running.count
            kept.stepped()
        }
        return most
    }

    /// How many running branches take a block in the steps of each remainder by the block size.
    private func blockTakers() -> [Int] {
        var takers: [Int] = Array(repeating: 0, count: memory.blockSize)
        for slot in running {
            takers[(memory.blockSize - branches[slot].scheduled % memory.blockSize) % memory.blockSize] += 1
        }
        return takers
    }

    /// The cached blocks that a waiting request would find now, and the hash of the first one that it would not.
    func cacheView(of item: WaitingRequest) -> (cached: [BlockID], missing: BlockHash?) {
        guard let state = requests[item.request], let hashes = item.hashes, !state.wantsPromptScored else {
            return ([], nil)
        }
        let cached = memory.lookUp(prompt: state.request.promptTokens, answer: item.answer, hashes: hashes)
        let most: Int = min(hashes.count, (item.promptCount + item.answer.count - 1) / memory.blockSize)
        return (cached, cached.count < most ? hashes[cached.count] : nil)
    }
}
