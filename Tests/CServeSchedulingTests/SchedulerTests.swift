// The scheduler's rules, one by one, on cases small enough to read.
import CServeCore
import Foundation
import Testing

@testable import CServeScheduling

/// A request whose answer never ends by itself.
func request(_ id: UInt64, prompt: Int, answer: Int = 4, priority: Int = 0, family: Int = 0) -> Request {
    var made = Request(
        id: RequestID(id), promptTokens: (0..<prompt).map { TokenID($0 % 7 + 10 * family) }, priority: priority)
    made.sampling.maxTokens = answer
    made.sampling.ignoreEOS = true
    return made
}

/// Settings that nothing limits but what a test sets.
func roomy(blocks: Int = 64, blockSize: Int = 4) -> SchedulerConfiguration {
    var made = SchedulerConfiguration(
        blockCount: blocks, blockSize: blockSize, maxNumSeqs: 8, maxNumBatchedTokens: 32, maxModelLength: 200)
    made.policy = .throughput
    return made
}

struct SchedulerTests {
    @Test("Decodes go first, then running prompts, then new ones, within the token budget")
    func order() throws {
        var world = World(roomy())
        world.add(request(1, prompt: 5, answer: 20, family: 1))
        world.launch()
        world.land()
        world.add(request(2, prompt: 50, family: 2))
        world.add(request(3, prompt: 6, family: 3))
        world.launch()
        world.land()
        world.launch()
        let second = world.batches[1].entries.map { ($0.request.value, $0.start, $0.tokens.count) }
        #expect(second.map { $0.0 } == [1, 2])
        #expect(second.map { $0.2 } == [1, 31])
        let third = world.batches[2].entries.map { ($0.request.value, $0.start, $0.tokens.count) }
        #expect(third.map { $0.0 } == [1, 2, 3])
        #expect(third.map { $0.1 } == [6, 31, 0])
        #expect(third.map { $0.2 } == [1, 19, 6])
        #expect(world.batches[1].entries.map(\.sampledTokens) == [1, 0])
    }

    @Test("chunked_prefill_size bounds a prompt's piece; without chunking a prompt waits to be taken whole")
    func chunks() {
        var configuration = roomy()
        configuration.chunkedPrefillSize = 10
        var world = World(configuration)
        world.add(request(1, prompt: 25))
        world.drain()
        #expect(world.batches.prefix(3).map { $0.entries[0].tokens.count } == [10, 10, 5])

        configuration = roomy()
        configuration.useChunkedPrefill = false
        world = World(configuration)
        world.add(request(1, prompt: 20, family: 1))
        world.add(request(2, prompt: 20, family: 2))
        world.launch()
        world.land()
        world.launch()
        #expect(world.batches[0].entries.map { $0.tokens.count } == [20])
        #expect(world.batches[1].entries.map { $0.tokens.count } == [1, 20])
    }

    @Test("Lower priority values start first; the head of the line is not overtaken")
    func priorities() {
        var configuration = roomy(blocks: 10)
        configuration.maxNumSeqs = 1
        var world = World(configuration)
        world.add(request(1, prompt: 4, priority: 1))
        world.add(request(2, prompt: 30, priority: 0))
        world.add(request(3, prompt: 4, priority: 0))
        world.add(request(4, prompt: 4, priority: -1))
        world.drain()
        #expect(world.startOrder.map(\.value) == [4, 2, 3, 1])
    }

    @Test("The victim of a full cache has the lowest priority, then is the newest; it loses nothing")
    func preemption() {
        var configuration = roomy(blocks: 9, blockSize: 2)
        configuration.usePrefixCaching = false
        var world = World(configuration)
        // Admission would hold the third back: let the reserve decay first.
        for _ in 0..<400 { world.scheduler.reserve.stepped() }
        for (id, priority) in [(1, 0), (2, 1), (3, 1)] {
            world.add(request(UInt64(id), prompt: 3, answer: 9, priority: priority, family: id))
        }
        world.drain()
        world.verifyAnswers()
        world.verifyEmpty()
        #expect(world.problem == nil)
        let victims = world.log.compactMap { (event: SchedulerEvent) -> UInt64? in
            guard case .preempted(let id, _, _) = event else { return nil }
            return id.value
        }
        #expect(victims.first == 3)
        #expect(!victims.contains(1))
        #expect(world.scheduler.statistics.preemptions == victims.count)
    }

    @Test("A request admitted alone runs until the whole cache is full, and ends with length")
    func lonely() {
        var world = World(roomy(blocks: 3, blockSize: 4))
        world.add(request(1, prompt: 5, answer: 100))
        world.drain()
        #expect(world.books[RequestID(1)]?.ends == [.length])
        // 12 positions in the cache, and one token more that needs no position.
        #expect(world.books[RequestID(1)]?.answers[0].count == 8)
        world.verifyAnswers()
        #expect(world.problem == nil)
    }

    @Test("Branches share the prompt's full blocks and copy the one that they write to")
    func branches() {
        var world = World(roomy())
        var three = request(1, prompt: 10)
        three.sampling.n = 3
        world.add(three)
        world.launch()
        world.land()
        world.launch()
        let batch = world.batches[1]
        #expect(batch.entries.map(\.branch) == [0, 1, 2])
        #expect(batch.entries.map(\.start) == [10, 9, 9])
        #expect(batch.copies.map(\.source) == [2, 2])
        #expect(Set(batch.entries.map { $0.blocks.ids[..<2] }) == [[0, 1]])
        #expect(Set(batch.entries.map { $0.blocks.ids[2] }).count == 3)
        world.drain()
        world.verifyAnswers()
        world.verifyEmpty()
        #expect(world.problem == nil)
        #expect(Set(world.books[RequestID(1)]?.answers ?? []).count == 3)
    }

    @Test("max_num_seqs counts branches: a request starts only when all of its branches have a slot")
    func slots() {
        var configuration = roomy()
        configuration.maxNumSeqs = 3
        var world = World(configuration)
        world.add(request(1, prompt: 4, answer: 8, family: 1))
        var three = request(2, prompt: 4, family: 2)
        three.sampling.bestOf = 3
        world.add(three)
        world.launch()
        #expect(world.batches[0].entries.count == 1)
        world.drain()
        world.verifyAnswers()
        #expect(world.problem == nil)
    }

    @Test("Cancelled while in flight, a request keeps its blocks and slot until its micro-batch lands")
    func cancelInFlight() {
        var world = World(roomy())
        world.add(request(1, prompt: 10))
        world.launch()
        world.cancel(RequestID(1))
        #expect(world.scheduler.statistics.freeBlocks == 61)
        #expect(world.log.last == .finished(RequestID(1), branch: 0, reason: .abort, stopToken: nil, slot: 0))
        world.land()
        #expect(world.log.last == .released(slot: 0))
        #expect(world.scheduler.statistics.freeBlocks == 64)
        #expect(world.books[RequestID(1)]?.answers == [[]])
    }

    @Test("A failed step fails its requests and no others")
    func failure() {
        var configuration = roomy()
        configuration.stages = 2
        var world = World(configuration)
        world.add(request(1, prompt: 8, family: 1))
        world.launch()
        world.add(request(2, prompt: 8, family: 2))
        world.launch()
        world.land(failing: true)
        #expect(world.books[RequestID(1)]?.failed == true)
        world.drain()
        world.verifyAnswers()
        world.verifyEmpty()
        #expect(world.problem == nil)
        #expect(world.books[RequestID(2)]?.failed == false)
        #expect(world.scheduler.statistics.failedSteps == 1)
    }

    @Test("A request that only wants its prompt scored is computed once and ends with length, without a look-up")
    func promptOnly() {
        var world = World(roomy())
        world.add(request(1, prompt: 12))
        world.drain()
        var scoring = request(2, prompt: 12, answer: 0)
        scoring.sampling.promptLogprobs = 1
        world.add(scoring)
        world.drain()
        let entry = world.batches.last?.entries[0]
        #expect(entry?.start == 0)
        #expect(entry?.sampledTokens == 0)
        #expect(entry?.wantsPromptLogprobs == true)
        #expect(world.books[RequestID(2)]?.ends == [.length])
        #expect(world.scheduler.statistics.prefixQueries == 12)
    }

    @Test("Stop tokens, end tokens, min_tokens and ignore_eos decide where an answer ends")
    func stops() {
        var configuration = roomy()
        configuration.eosTokenIDs = [5]
        for (give, minTokens, ignores, stops, expected) in [
            ([9, 5, 9, 9] as [TokenID], 0, false, [] as [TokenID], 2), ([9, 5, 9, 9], 0, true, [], 4),
            ([9, 5, 8, 9], 2, false, [8], 3), ([8, 9, 9, 9], 0, true, [8], 1),
        ] {
            var scheduler = Scheduler(configuration)
            var made = request(1, prompt: 3)
            made.sampling.minTokens = minTokens
            made.sampling.ignoreEOS = ignores
            made.sampling.stopTokenIDs = stops
            _ = scheduler.add(made, at: 0)
            var count: Int = 0
            while let batch = scheduler.nextMicroBatch(at: 0) {
                _ = scheduler.complete(batch, outputs: [EntryOutput(tokens: [give[count]])], at: 1)
                count += 1
            }
            #expect(count == expected)
            #expect(scheduler.isIdle)
        }
    }

    @Test("A placeholder stands for a token in flight; what was computed after the end is ignored")
    func lookAhead() {
        var configuration = roomy()
        configuration.lookAhead = 1
        configuration.eosTokenIDs = [5]
        var scheduler = Scheduler(configuration)
        var made = request(1, prompt: 3, answer: 50)
        made.sampling.ignoreEOS = false
        _ = scheduler.add(made, at: 0)
        guard let first = scheduler.nextMicroBatch(at: 0), let second = scheduler.nextMicroBatch(at: 0) else {
            Issue.record("two micro-batches fit in flight")
            return
        }
        #expect(scheduler.nextMicroBatch(at: 0) == nil)
        #expect(second.entries[0].tokens.array == [MicroBatch.placeholder])
        let events = scheduler.complete(first, outputs: [EntryOutput(tokens: [5])], at: 1)
        #expect(events.last == .finished(RequestID(1), branch: 0, reason: .stop, stopToken: 5, slot: 0))
        #expect(scheduler.complete(second, outputs: [EntryOutput(tokens: [7])], at: 2) == [.released(slot: 0)])
        #expect(scheduler.isIdle)
    }

    @Test("A micro-batch survives JSON")
    func codable() throws {
        var world = World.randomRun(seed: 4, disturbed: false)
        var three = request(100, prompt: 2)
        three.sampling.n = min(2, world.scheduler.configuration.maxNumSeqs)
        world.add(three)
        world.drain()
        #expect(world.batches.contains { !$0.entries.isEmpty })
        for batch in world.batches {
            let data = try JSONEncoder().encode(batch)
            #expect(try JSONDecoder().decode(MicroBatch.self, from: data) == batch)
        }
    }
}
