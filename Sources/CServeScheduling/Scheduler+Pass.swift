// Fills a micro-batch: decodes first, then running prompts, then prompts that are admitted.
import CServeCore

extension Scheduler {
    /// Schedules the running branches that have one token to compute; collects those that have more.
    mutating func scheduleDecodes(_ pass: inout Pass) {
        let share = decodeShare()
        let lookAhead: Int = configuration.lookAhead
        var index: Int = 0
        while index < running.count {
            let slot: Int = running[index]
            index += 1
            let due: Int = branches[slot].due(lookAhead: lookAhead)
            if due > 1 { pass.prompts.append(slot) }
            guard due == 1, pass.budget > 0 else { continue }
            if share.isLimited, !joins(slot, share, pass.load) { continue }
            guard makeRoom(for: slot, behind: index, &pass) else {
                pass.isClosed = true
                continue
            }
            scheduleDecode(slot, &pass)
        }
    }

    /// Whether a decode joins its pipeline's next micro-batch; remembers it if not.
    private mutating func joins(_ slot: Int, _ share: DecodeShare, _ load: BatchLoad) -> Bool {
        let joins: Bool = share.hasRoom(
            load, start: branches[slot].scheduled, wasPassedOver: branches[slot].wasPassedOver)
        branches[slot].wasPassedOver = !joins
        return joins
    }

    private mutating func scheduleDecode(_ slot: Int, _ pass: inout Pass) {
        let entry = branches[slot].makeEntry(slot: slot, count: 1)
        pass.budget -= 1
        pass.load.addDecode(start: entry.start)
        pass.entries.append(entry)
        noteFork(slot, &pass)
    }

    /// Makes sure of a block of the branch's own for its next position; false if it has to wait for one.
    @inline(__always)
    private mutating func makeRoom(for slot: Int, behind index: Int, _ pass: inout Pass) -> Bool {
        let room: Int = branches[slot].table.count * memory.blockSize
        return branches[slot].scheduled < room || addBlock(for: slot, behind: index, &pass)
    }

    private mutating func addBlock(for slot: Int, behind index: Int, _ pass: inout Pass) -> Bool {
        while true {
            if let source = branches[slot].source, !memory.isShared(source) {
                memory.own(source)
                branches[slot].source = nil
                branches[slot].table.ids.append(source)
                return true
            }
            if let block = memory.take() {
                if let source = branches[slot].source {
                    pass.copies.append(BlockCopy(source: source, destination: block))
                    memory.release(source)
                    branches[slot].source = nil
                }
                branches[slot].table.ids.append(block)
                return true
            }
            guard preemptNewest(from: index) else { return false }
            if configuration.growthReserve == .none { pass.isClosed = true }
        }
    }

    /// Preempts the lowest ranked running branch at or behind an index that is not in flight.
    private mutating func preemptNewest(from index: Int) -> Bool {
        var place: Int = running.count - 1
        while place >= index {
            if branches[running[place]].inFlight == 0 {
                preempt(place)
                return true
            }
            place -= 1
        }
        return false
    }

    /// Puts a running branch back into the queue; branches that wait for its prompt go with it.
    private mutating func preempt(_ place: Int) {
        let slot: Int = running.remove(at: place)
        let followers: [Int] = branches[slot].followers
        let leaders: [Int] = branches[slot].phase == .ghost ? [] : [slot]
        let returning: [Int] = leaders + followers
        let numbers: [Int] = returning.map { branches[$0].branch }
        let id: RequestID = branches[slot].request
        var rank: Rank = branches[slot].rank
        rank.branch = numbers[0]
        waiting.insert(
            WaitingRequest(
                request: id, rank: rank, branches: numbers, promptCount: branches[slot].prompt.count,
                answer: branches[slot].answer, wasPreempted: true))
        for (number, slot) in zip(numbers, returning) {
            requests[id]?.places[number] = .waiting
            news.append(.preempted(id, branch: number, slot: slot))
        }
        for slot in followers + [slot] {
            vacate(slot)
            news.append(.released(slot: slot))
        }
        reserve.preempted()
        counters.preemptions += 1
    }

    /// Computes on the prompts of running branches, within the pass's budget.
    mutating func schedulePrompts(_ pass: inout Pass) {
        for slot in pass.prompts {
            let remaining: Int = branches[slot].due(lookAhead: configuration.lookAhead)
            // Blocks stand for all but a newest token that came back from drafts; that one decodes next.
            let room: Int = branches[slot].table.count * memory.blockSize - branches[slot].scheduled
            let count: Int = pieceSize(of: min(remaining, room), in: pass)
            guard count > 0 else {
                pass.isClosed = true
                return
            }
            schedulePiece(slot, count, &pass)
        }
    }

    mutating func schedulePiece(_ slot: Int, _ count: Int, _ pass: inout Pass) {
        let entry = branches[slot].makeEntry(slot: slot, count: count)
        pass.budget -= count
        pass.promptBudget -= count
        pass.load.addPrefill(start: entry.start, tokens: count)
        pass.entries.append(entry)
        noteFork(slot, &pass)
    }

    /// How many of a prompt's remaining tokens the pass takes; 0 if the prompt has to wait.
    func pieceSize(of remaining: Int, in pass: Pass) -> Int {
        guard pass.promptBudget > 0 else { return 0 }
        if !configuration.useChunkedPrefill {
            if remaining <= configuration.maxNumBatchedTokens { return remaining <= pass.budget ? remaining : 0 }
            return pass.budget
        }
        return min(remaining, configuration.chunkedPrefillSize ?? remaining, pass.promptBudget, pass.budget)
    }

    @inline(__always)
    private func noteFork(_ slot: Int, _ pass: inout Pass) {
        if !branches[slot].followers.isEmpty, branches[slot].limit > 0,
            branches[slot].scheduled >= branches[slot].prompt.count
        {
            pass.forks.append(slot)
        }
    }

    /// Lets the other branches of a request start where the first one's prompt ends.
    ///
    /// They share its full blocks and compute the prompt's last token themselves, each for its own first sample; the
    /// block that this token lies in is copied when they do (or taken over, if nobody else holds it any more).
    mutating func forkFollowers(of pass: Pass) {
        for leader in pass.forks {
            let followers = branches[leader].followers
            branches[leader].followers = []
            for slot in followers { fork(slot, from: leader) }
            if branches[leader].phase == .ghost {
                branches[leader].phase = .ended
                running.removeAll { $0 == leader }
            }
        }
    }

    private mutating func fork(_ slot: Int, from leader: Int) {
        let last: Int = branches[leader].prompt.count - 1
        let shared: Int = last / memory.blockSize
        let ids: [BlockID] = Array(branches[leader].table.ids[..<shared])
        for block in ids { memory.share(block) }
        if last % memory.blockSize != 0 {
            let source: BlockID = branches[leader].table[shared]
            memory.share(source)
            branches[slot].source = source
        }
        branches[slot].table = BlockTable(ids)
        branches[slot].hashes = branches[leader].hashes
        branches[slot].computed = last
        branches[slot].scheduled = last
        branches[slot].remembered = shared
        if memory.usesPrefixes, shared > 0 { branches[slot].lastHash = branches[leader].hashes[shared - 1] }
        branches[slot].phase = .running
        insertRunning(slot)
    }

    mutating func insertRunning(_ slot: Int) {
        var place: Int = running.count
        while place > 0, branches[slot].rank < branches[running[place - 1]].rank { place -= 1 }
        running.insert(slot, at: place)
    }

    /// Turns a pass into a micro-batch in flight; nil if it is empty.
    mutating func launch(_ pass: Pass, at now: Nanoseconds) -> MicroBatch? {
        guard !pass.entries.isEmpty else { return nil }
        let predicted: Nanoseconds = configuration.stages > 1 ? predictor.predict(pass.load) ?? 0 : 0
        let batch = MicroBatch(
            id: nextBatch, entries: pass.entries, copies: pass.copies, load: pass.load, predicted: predicted)
        nextBatch += 1
        inFlight.append(PassInFlight(id: batch.id, issuedAt: now, load: pass.load, predicted: predicted))
        reserve.stepped()
        return batch
    }
}
