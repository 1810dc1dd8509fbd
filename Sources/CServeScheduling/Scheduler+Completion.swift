// Takes in what a micro-batch produced, and ends branches: finished, cancelled or failed.
import CServeCore

extension Scheduler {
    /// Takes in the outputs of the oldest micro-batch in flight, one per entry, in the entries' order.
    ///
    /// Outputs of branches that have ended meanwhile, or whose entry was built on a wrong guess, are ignored.
    public mutating func complete(
        _ batch: MicroBatch, outputs: [EntryOutput], at now: Nanoseconds
    ) -> [SchedulerEvent] {
        precondition(outputs.count == batch.entries.count, "an output is due for every entry of a micro-batch")
        land(batch, at: now, failed: false)
        var events = takeEvents()
        events.reserveCapacity(events.count + batch.entries.count + 8)
        var someEnded: Bool = false
        for index in batch.entries.indices {
            // Field by field: a copy of the entry would count references, three times per branch and step.
            let work = EntryWork(
                slot: batch.entries[index].slot, end: batch.entries[index].start + batch.entries[index].tokens.count,
                sampledTokens: batch.entries[index].sampledTokens, epoch: batch.entries[index].epoch)
            someEnded = take(outputs[index].tokens, for: work, &events) || someEnded
        }
        if someEnded { sweep(batch, &events) }
        return events
    }

    /// Reports that the oldest micro-batch in flight could not be run: the requests in it fail, the others go on.
    public mutating func fail(_ batch: MicroBatch, message: String, at now: Nanoseconds) -> [SchedulerEvent] {
        land(batch, at: now, failed: true)
        var events = takeEvents()
        for entry in batch.entries {
            branches[entry.slot].inFlight -= 1
            let phase = branches[entry.slot].phase
            guard phase != .ended, let state = requests[entry.request] else { continue }
            events.append(.failed(entry.request, message: message))
            for branch in state.places.indices { end(entry.request, branch, .error, nil, report: false, &events) }
        }
        sweep(batch, &events)
        return events
    }

    /// Ends a request, or one branch of it, wherever it is. What is in flight keeps its blocks and slot until it lands.
    public mutating func cancel(
        _ id: RequestID, branch: Int? = nil, reason: FinishReason = .abort, at now: Nanoseconds
    ) -> [SchedulerEvent] {
        var events = takeEvents()
        guard let state = requests[id] else { return events }
        for number in state.places.indices where branch == nil || branch == number {
            end(id, number, reason, nil, report: true, &events)
        }
        return events
    }

    private mutating func land(_ batch: MicroBatch, at now: Nanoseconds, failed: Bool) {
        precondition(inFlight.first?.id == batch.id, "micro-batches complete in order; \(batch.id) is not the oldest")
        let pass = inFlight.removeFirst()
        let span: Nanoseconds = now - max(pass.issuedAt, lastCompletion)
        lastCompletion = now
        if failed {
            counters.failedSteps += 1
        } else {
            counters.steps += 1
            counters.computedTokens += pass.load.tokens
            guard span > 0 else { return }
            estimator.observe(pass.load, took: span)
            if configuration.draftTokens > 0, pass.load.prefillTokens == 0 {
                decodeTimes.observe(pass.load, took: span)
            }
        }
    }

    /// Takes in one entry's tokens; true if its branch has ended.
    @inline(__always)
    private mutating func take(
        _ tokens: TokenRun, for work: EntryWork, _ events: inout [SchedulerEvent]
    ) -> Bool {
        let slot: Int = work.slot
        branches[slot].inFlight -= 1
        if branches[slot].phase == .ended { return true }
        if branches[slot].epoch != work.epoch { return false }
        if branches[slot].wantsPromptLogprobs, work.end >= branches[slot].prompt.count {
            branches[slot].wantsPromptLogprobs = false
            requests[branches[slot].request]?.isPromptScored = true
        }
        if work.sampledTokens == 0 {
            branches[slot].settle(work, returned: 0)
            remember(slot)
            let isScored: Bool = branches[slot].limit == 0 && branches[slot].computed >= branches[slot].prompt.count
            guard isScored else { return false }
            endUnsampled(slot, &events)
            return true
        }
        precondition(tokens.count <= work.sampledTokens, "more tokens came back than were asked for")
        if work.sampledTokens > 1 { observeDrafts(work.sampledTokens - 1, returned: tokens.count, of: slot) }
        let (taken, reason, stopToken) = branches[slot].append(tokens)
        branches[slot].settle(work, returned: taken)
        remember(slot)
        counters.generationTokens += taken
        if taken > 0 {
            let run = taken == tokens.count ? tokens : TokenRun(Array(tokens.prefix(taken)))
            events.append(.tokens(branches[slot].request, branch: branches[slot].rank.branch, run))
        }
        guard let reason else { return false }
        finish(slot, reason, stopToken, &events)
        return true
    }

    /// Makes blocks that have filled up findable.
    @inline(__always)
    private mutating func remember(_ slot: Int) {
        guard memory.usesPrefixes else { return }
        while (branches[slot].remembered + 1) * memory.blockSize <= branches[slot].computed { rememberNext(slot) }
    }

    mutating func rememberNext(_ slot: Int) {
        let index: Int = branches[slot].remembered
        let span = TokenSpan(
            prompt: branches[slot].prompt, answer: branches[slot].answer, start: index * memory.blockSize)
        let known: [BlockHash] = branches[slot].hashes
        let hash: BlockHash = index < known.count ? known[index] : memory.next(branches[slot].lastHash, span)
        memory.remember(branches[slot].table[index], hash: hash, tokens: span)
        branches[slot].lastHash = hash
        branches[slot].remembered += 1
    }

    /// Ends a request that only wanted its prompt scored.
    private mutating func endUnsampled(_ slot: Int, _ events: inout [SchedulerEvent]) {
        let id: RequestID = branches[slot].request
        guard let state = requests[id] else { return }
        for branch in state.places.indices { end(id, branch, .length, nil, report: true, &events) }
    }

    /// Marks a running branch as ended and reports it; ``sweep(_:_:)`` takes it off the list.
    mutating func finish(
        _ slot: Int, _ reason: FinishReason, _ stopToken: TokenID?, _ events: inout [SchedulerEvent]
    ) {
        let id: RequestID = branches[slot].request
        let branch: Int = branches[slot].branch
        branches[slot].phase = .ended
        events.append(.finished(id, branch: branch, reason: reason, stopToken: stopToken, slot: slot))
        strikeOut(id, branch)
    }

    /// Takes ended branches off the running list; gives back what no micro-batch in flight uses.
    private mutating func sweep(_ batch: MicroBatch, _ events: inout [SchedulerEvent]) {
        running.removeAll { branches[$0].phase == .ended || branches[$0].phase == .vacant }
        for entry in batch.entries where branches[entry.slot].phase == .ended && branches[entry.slot].inFlight == 0 {
            vacate(entry.slot, &events)
        }
    }

    /// Ends one branch of a request, wherever it is.
    private mutating func end(
        _ id: RequestID, _ branch: Int, _ reason: FinishReason, _ stopToken: TokenID?, report: Bool,
        _ events: inout [SchedulerEvent]
    ) {
        guard let state = requests[id] else { return }
        var slot: Int?
        switch state.places[branch] {
        case .ended: return
        case .waiting: waiting.remove(id, branch: branch, priority: state.request.priority)
        case .slot(let number): slot = number
        }
        if report { events.append(.finished(id, branch: branch, reason: reason, stopToken: stopToken, slot: slot)) }
        strikeOut(id, branch)
        if let slot { leave(slot, &events) }
    }

    /// Takes a branch out of its slot, or, if others wait for its prompt, lets it compute on unseen.
    private mutating func leave(_ slot: Int, _ events: inout [SchedulerEvent]) {
        if branches[slot].phase == .parked {
            leaveLeader(slot, &events)
            return
        }
        if !branches[slot].followers.isEmpty {
            branches[slot].phase = .ghost
            branches[slot].wantsPromptLogprobs = false
            return
        }
        retire(slot, &events)
    }

    /// Takes a branch that waits for another's prompt out of its slot; a ghost with nobody left to wait ends too.
    private mutating func leaveLeader(_ slot: Int, _ events: inout [SchedulerEvent]) {
        for leader in running where branches[leader].followers.contains(slot) {
            branches[leader].followers.removeAll { $0 == slot }
            if branches[leader].phase == .ghost, branches[leader].followers.isEmpty { retire(leader, &events) }
            break
        }
        vacate(slot, &events)
    }

    /// Ends a running branch now: its slot and blocks are free at once, or when its micro-batches have landed.
    private mutating func retire(_ slot: Int, _ events: inout [SchedulerEvent]) {
        branches[slot].phase = .ended
        running.removeAll { $0 == slot }
        if branches[slot].inFlight == 0 { vacate(slot, &events) }
    }

    private mutating func strikeOut(_ id: RequestID, _ branch: Int) {
        requests[id]?.places[branch] = .ended
        requests[id]?.alive -= 1
        if requests[id]?.alive == 0 { requests[id] = nil }
    }

    /// Frees a slot and everything it held.
    mutating func vacate(_ slot: Int, _ events: inout [SchedulerEvent]) {
        vacate(slot)
        events.append(.released(slot: slot))
    }

    mutating func vacate(_ slot: Int) {
        if let source = branches[slot].source { memory.release(source) }
        memory.release(branches[slot].table)
        branches[slot] = BranchState()
        freeSlots.append(slot)
    }
}
