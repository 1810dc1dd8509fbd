// Lets waiting requests start, head of the line first, once the whole prompt fits beside what the running ones need.
import CServeCore

extension Scheduler {
    /// Admits from the queue's head while slots, blocks and the pass's budget last. Nobody overtakes the head.
    mutating func admit(_ pass: inout Pass, at now: Nanoseconds) {
        while !pass.isClosed, pass.budget > 0, pass.promptBudget > 0, let item = waiting.first {
            guard item.branches.count <= freeSlots.count, let state = requests[item.request] else { return }
            let request: Request = state.request
            let cached: [BlockID] = cachedBlocks(of: item, state)
            guard fits(item, cached: cached, request) else { return }
            let known: Int = item.promptCount + item.answer.count
            let count: Int = pieceSize(of: known - cached.count * memory.blockSize, in: pass)
            guard count > 0 else { return }
            let slot: Int = start(request, cached: cached, at: now)
            schedulePiece(slot, count, &pass)
        }
    }

    /// The blocks that the prefix cache has of a waiting request's tokens.
    private mutating func cachedBlocks(of item: WaitingRequest, _ state: RequestState) -> [BlockID] {
        guard memory.usesPrefixes else { return [] }
        let request: Request = state.request
        let prompt: [TokenID] = request.promptTokens
        var hashes: [BlockHash]? = item.hashes
        if hashes == nil {
            let seed = BlockHash(salt: request.cacheSalt, adapter: request.adapter)
            hashes = memory.hashes(prompt: prompt, answer: item.answer, seed: seed)
            waiting.setFirstHashes(hashes ?? [])
        }
        if state.wantsPromptScored { return [] }
        return memory.lookUp(prompt: prompt, answer: item.answer, hashes: hashes ?? [])
    }

    /// Whether the whole text fits now, beside what is kept for everyone's growth; alone, it need only fit.
    private func fits(_ item: WaitingRequest, cached: [BlockID], _ request: Request) -> Bool {
        let known: Int = item.promptCount + item.answer.count
        let taken: Int = memory.blocks(for: known) - cached.count + memory.freeAmong(cached)
        guard !running.isEmpty else { return taken <= memory.freeCount }
        return taken + item.branches.count - 1 + keptBlocks(beside: item, request) <= memory.freeCount
    }

    /// Tokens by which the running branches may still grow.
    var runningGrowth: Int {
        running.reduce(0) { (sum: Int, slot: Int) -> Int in sum + min(branches[slot].growth, GrowthReserve.clip) }
    }

    /// The answer's largest length: as asked, as the context allows, and until the whole cache is full.
    func limit(of request: Request) -> Int {
        let prompt: Int = request.promptTokens.count
        let room: Int = min(configuration.maxModelLength, configuration.capacity + 1) - prompt
        return max(0, min(request.sampling.maxTokens, room))
    }

    /// Gives the queue's head its slots and blocks; returns the slot of the branch that computes.
    private mutating func start(_ request: Request, cached: [BlockID], at now: Nanoseconds) -> Int {
        let item = waiting.removeFirst()
        let slots: [Int] = item.branches.map { (branch: Int) -> Int in seat(branch, of: request, item) }
        let leader: Int = slots[0]
        branches[leader].phase = .running
        branches[leader].followers = Array(slots[1...])
        for block in cached { memory.share(block) }
        branches[leader].table = BlockTable(cached)
        let wanted: Int = memory.blocks(for: branches[leader].known)
        while branches[leader].table.count < wanted, let block = memory.take() {
            branches[leader].table.ids.append(block)
        }
        let computed: Int = cached.count * memory.blockSize
        branches[leader].computed = computed
        branches[leader].scheduled = computed
        branches[leader].remembered = cached.count
        branches[leader].hashes = item.hashes ?? []
        if let last = cached.indices.last { branches[leader].lastHash = branches[leader].hashes[last] }
        insertRunning(leader)
        count(item, cachedTokens: computed, at: now)
        return leader
    }

    /// Puts a branch into a free slot.
    private mutating func seat(_ branch: Int, of request: Request, _ item: WaitingRequest) -> Int {
        let slot: Int = freeSlots.removeLast()
        let sampling = request.sampling
        var state = BranchState()
        state.phase = .parked
        state.request = request.id
        state.rank = Rank(priority: request.priority, sequence: item.rank.sequence, branch: branch)
        state.prompt = request.promptTokens
        state.answer = item.answer
        state.ends = sampling.ignoreEOS ? sampling.stopTokenIDs : endTokens + sampling.stopTokenIDs
        state.minTokens = sampling.minTokens
        state.limit = limit(of: request)
        state.wantsPromptLogprobs = requests[request.id]?.wantsPromptScored == true && branch == item.branches[0]
        state.lastHash = BlockHash(salt: request.cacheSalt, adapter: request.adapter)
        branches[slot] = state
        requests[request.id]?.places[branch] = .slot(slot)
        return slot
    }

    private mutating func count(_ item: WaitingRequest, cachedTokens: Int, at now: Nanoseconds) {
        if item.wasPreempted { counters.reusedAfterPreemption += cachedTokens }
        guard let state = requests[item.request], !state.hasStarted else { return }
        requests[item.request]?.hasStarted = true
        counters.promptTokens += item.promptCount
        if memory.usesPrefixes, state.request.sampling.promptLogprobs == nil {
            counters.prefixQueries += item.promptCount
            counters.prefixHits += cachedTokens
        }
        news.append(.started(item.request, cachedTokens: cachedTokens, queuedFor: now - state.addedAt))
    }
}
