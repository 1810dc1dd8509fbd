// Skips ahead: a simulator need not ask step by step while every running branch only decodes.
import CServeCore

/// What a skip ahead did.
public struct SteadyRun: Hashable, Sendable {
    /// Steps taken.
    public var steps: Int
    /// When the last of them ended.
    public var end: Nanoseconds
    /// The news of all steps; the tokens of one branch in one event.
    public var events: [SchedulerEvent]
}

/// One step of a skip ahead, as far as its time and its measures depend on it.
public struct SteadyStep: Hashable, Sendable {
    /// Its size; all of it decodes.
    public var load: BatchLoad
    /// Positions that the longest of its decodes attends, its own included.
    public var longestContext: Int
    /// KV blocks that are held while it runs.
    public var usedBlocks: Int
}

extension Scheduler {
    /// How many of the next steps are alike: all running branches decode one token each, nobody starts or is preempted,
    /// and nobody ends before the last of them (unless a token ends an answer).
    ///
    /// 0 with micro-batches in flight, several stages, look-ahead or drafts. Cost: a few passes over the running
    /// branches, and one over the steps while the queue's head waits for blocks.
    public func steadySteps() -> Int {
        guard configuration.depth == 1, configuration.draftTokens == 0, inFlight.isEmpty, !running.isEmpty,
            running.count <= configuration.maxNumBatchedTokens
        else { return 0 }
        var most: Int = Int.max
        for slot in running {
            let isPlain: Bool = branches[slot].phase == .running && branches[slot].source == nil
            guard isPlain, branches[slot].followers.isEmpty, !branches[slot].wantsPromptLogprobs,
                branches[slot].due(lookAhead: 0) == 1
            else { return 0 }
            most = min(most, branches[slot].growth)
        }
        let lasting: Int = blocksNeeded(steps: most) <= memory.freeCount ? most : stepsWithin(most)
        return stepsOfWaiting(lasting)
    }

    /// Does exactly what that many calls of ``nextMicroBatch(at:)`` and ``complete(_:outputs:at:)`` would do if every
    /// decode gave `token`, blocks and statistics included; at most ``steadySteps()``, and fewer where the answers fill
    /// a block that the queue's head can reuse.
    ///
    /// - Parameters:
    ///   - start: when the first step begins; each begins when the one before it ends.
    ///   - deadline: no step begins at or after it (the next arrival).
    ///   - token: if it would end a running answer, no step is taken.
    ///   - duration: the time of a step; called once for every step, in order.
    ///
    /// Cost: proportional to branches plus steps plus blocks taken, not to their product.
    public mutating func advance(
        steps: Int, from start: Nanoseconds, until deadline: Nanoseconds = .max, token: TokenID,
        duration: (SteadyStep) -> Nanoseconds
    ) -> SteadyRun {
        let most: Int = min(steps, steadySteps())
        guard most > 0, start < deadline, !running.contains(where: { branches[$0].ends.contains(token) }) else {
            return SteadyRun(steps: 0, end: start, events: [])
        }
        let tokens = [TokenID](repeating: token, count: most)
        for slot in running { branches[slot].answer.append(contentsOf: tokens) }
        let (done, end) = passTime(most, from: start, until: deadline, duration)
        var events = takeEvents()
        settle(steps: done, surplus: most - done, token: token, &events)
        return SteadyRun(steps: done, end: end, events: events)
    }

    /// Steps through time, taking and remembering blocks in the order in which single steps would.
    private mutating func passTime(
        _ most: Int, from start: Nanoseconds, until deadline: Nanoseconds, _ duration: (SteadyStep) -> Nanoseconds
    ) -> (steps: Int, end: Nanoseconds) {
        let size: Int = memory.blockSize
        var takers: [[Int]] = Array(repeating: [], count: size)
        var fillers: [[Int]] = Array(repeating: [], count: size)
        var next = SteadyStep(load: BatchLoad(), longestContext: 0, usedBlocks: 0)
        let missing: BlockHash? = waiting.first.flatMap { cacheView(of: $0).missing }
        for slot in running {
            let position: Int = branches[slot].scheduled
            takers[(size - position % size) % size].append(slot)
            fillers[size - 1 - position % size].append(slot)
            next.load.addDecode(start: position)
            next.longestContext = max(next.longestContext, position + 1)
        }
        var now: Nanoseconds = start
        var step: Int = 0
        while step < most, now < deadline {
            for slot in takers[step % size] where branches[slot].table.count * size <= branches[slot].scheduled + step {
                guard let block = memory.take() else { preconditionFailure("a steady step ran out of blocks") }
                branches[slot].table.ids.append(block)
            }
            next.usedBlocks = configuration.blockCount - memory.freeCount
            let span: Nanoseconds = duration(next)
            now += span
            if span > 0 { estimator.observe(next.load, took: span) }
            if memory.usesPrefixes {
                for slot in fillers[step % size] { rememberNext(slot) }
            }
            next.load.context += running.count
            next.longestContext += 1
            step += 1
            if let missing, memory.cache.contains(missing) { break }
        }
        lastCompletion = now
        return (step, now)
    }

    /// Brings branches and counters to where the steps left them.
    private mutating func settle(steps: Int, surplus: Int, token: TokenID, _ events: inout [SchedulerEvent]) {
        let run = TokenRun([TokenID](repeating: token, count: steps))
        let count: Int = running.count
        var ended: [Int] = []
        for slot in running {
            branches[slot].answer.removeLast(surplus)
            branches[slot].scheduled += steps
            branches[slot].computed += steps
            branches[slot].isFirst = false
            events.append(.tokens(branches[slot].request, branch: branches[slot].branch, run))
            if branches[slot].growth == 0 {
                finish(slot, .length, nil, &events)
                ended.append(slot)
            }
        }
        running.removeAll { branches[$0].phase == .ended }
        for slot in ended { vacate(slot, &events) }
        nextBatch += UInt64(steps)
        reserve.stepped(steps)
        counters.steps += steps
        counters.computedTokens += steps * count
        counters.generationTokens += steps * count
    }

    private func blocksNeeded(steps: Int) -> Int {
        running.reduce(0) { (sum: Int, slot: Int) -> Int in
            sum + max(0, memory.blocks(for: branches[slot].scheduled + steps) - branches[slot].table.count)
        }
    }

    /// The most steps for which the free blocks last, by bisection.
    private func stepsWithin(_ most: Int) -> Int {
        var low: Int = 0
        var high: Int = most
        while low < high {
            let middle: Int = (low + high + 1) / 2
            if blocksNeeded(steps: middle) <= memory.freeCount { low = middle } else { high = middle - 1 }
        }
        return low
    }
}
