// When drafts are made, how many, and what they may take.
import CServeCore
import Testing

@testable import CServeScheduling

struct DraftTests {
    /// What a policy of given rate does with given costs.
    private static func count(_ rate: Double, cost: Double, most: Int = 8) -> Int {
        var policy = DraftPolicy()
        return policy.count(breakEven: cost, common: rate, most: most)
    }

    @Test("As many drafts are tried as are likelier right than a row costs of the pass")
    func breakEven() {
        #expect(Self.count(0.5, cost: 0.3) == 1)
        #expect(Self.count(0.5, cost: 0.2) == 2)
        #expect(Self.count(0.9, cost: 0.5) == 6)
        #expect(Self.count(1, cost: 0.9) == 8)
        #expect(Self.count(0.4, cost: 0.4) == 0)
        // A row is never taken to be free.
        #expect(Self.count(0.5, cost: 0) == 4)
    }

    @Test("Where drafts do not pay, one is tried after 8, 16, 32, ... guesses, and success brings them back")
    func backOff() {
        var policy = DraftPolicy()
        var common: Double = 0.1
        func guessesUntilDraft() -> Int {
            for guess in 1...1000 where policy.count(breakEven: 0.5, common: common, most: 4) > 0 { return guess }
            return 0
        }
        for pause in [8, 16, 32, 64, 128, 128] {
            #expect(guessesUntilDraft() == pause)
            policy.observe(drafts: 1, accepted: 0, common: &common)
        }
        #expect(guessesUntilDraft() == 128)
        for _ in 0..<8 { policy.observe(drafts: 1, accepted: 1, common: &common) }
        #expect(guessesUntilDraft() == 1)
        #expect(common > 0.1 && common < 0.3)
    }

    @Test("Rates count each draft up to the first wrong one")
    func rates() {
        var policy = DraftPolicy()
        var common: Double = 0.5
        policy.observe(drafts: 4, accepted: 4, common: &common)
        // 1 - 0.5 * 0.9^4 and 1 - 0.5 * 0.98^4, by hand.
        #expect(abs((policy.rate ?? 0) - 0.67195) < 1e-9)
        #expect(abs(common - 0.53881592) < 1e-9)
        policy.observe(drafts: 4, accepted: 0, common: &common)
        #expect(abs((policy.rate ?? 0) - 0.604755) < 1e-9)
    }

    /// A request whose text repeats the four tokens 1, 2, 3, 4.
    private static func repeating(_ id: UInt64, answer: Int = 40) -> Request {
        var request = Request(id: RequestID(id), promptTokens: [1, 2, 3, 4, 1, 2, 3, 4, 1])
        request.sampling.maxTokens = answer
        request.sampling.ignoreEOS = true
        return request
    }

    /// Answers with the repetition, drafts checked; returns the passes.
    /// - Parameter odd: One in so many tokens is another.
    private static func run(
        _ scheduler: inout Scheduler, passTime: (BatchLoad) -> Nanoseconds, odd: UInt64 = .max
    ) -> [MicroBatch] {
        var batches: [MicroBatch] = []
        var now: Nanoseconds = 0
        while batches.count < 400, let batch = scheduler.nextMicroBatch(at: now) {
            batches.append(batch)
            now += passTime(batch.load)
            let outputs = batch.entries.map { entry -> EntryOutput in
                guard entry.sampledTokens > 0 else { return EntryOutput(tokens: TokenRun()) }
                let end: Int = entry.start + entry.tokens.count
                let next = (0...entry.drafts.count).map { offset -> TokenID in
                    var dice = SplitMix(UInt64(end + offset))
                    return TokenID((end + offset) % 4 + 1) + (dice.next() % odd == 0 ? 7 : 0)
                }
                let right: Int = zip(next, entry.drafts).prefix { $0 == $1 }.count
                return EntryOutput(tokens: Array(next[...right]))
            }
            _ = scheduler.complete(batch, outputs: outputs, at: now)
        }
        return batches
    }

    private static func configuration(_ change: (inout SchedulerConfiguration) -> Void = { _ in })
        -> SchedulerConfiguration
    {
        var made = SchedulerConfiguration(blockCount: 64, blockSize: 4, maxNumSeqs: 8, maxModelLength: 200)
        made.draftTokens = 4
        change(&made)
        return made
    }

    @Test("A repeating answer comes five tokens at a time, the first token alone, and no draft reaches behind its end")
    func repetition() {
        var scheduler = Scheduler(Self.configuration())
        _ = scheduler.add(Self.repeating(1), at: 0)
        let batches = Self.run(&scheduler, passTime: { _ in 1000 })
        let drafts = batches.map { $0.entries[0].drafts.count }
        #expect(drafts.prefix(3) == [0, 3, 4] || drafts.prefix(3) == [0, 4, 4], "\(drafts)")
        let counters = scheduler.statistics
        #expect(counters.generationTokens == 40)
        #expect(counters.speculation.acceptedTokens == counters.speculation.draftTokens)
        #expect(counters.speculation.drafts == batches.count - 1)
        #expect(counters.speculation.acceptedPerPosition.reduce(0, +) == counters.speculation.acceptedTokens)
        #expect(counters.steps == batches.count && batches.count < 11)
        #expect(counters.freeBlocks == 64)
    }

    @Test("Where every row costs a whole pass one guess in 8 is tried at most; where rows are cheap all are")
    func costs() {
        for (rowTime, isCheap) in [(Nanoseconds(10), true), (1_000_000, false)] {
            var scheduler = Scheduler(
                Self.configuration(),
                stepTime: .given("row") { 1000 + Nanoseconds($0.tokens) * rowTime })
            for id in UInt64(1)...4 { _ = scheduler.add(Self.repeating(id), at: 0) }
            let batches = Self.run(&scheduler, passTime: { _ in 1000 })
            let drafted: Int = scheduler.statistics.speculation.draftTokens
            #expect(isCheap ? drafted > 110 : drafted <= 160 / 8, "\(drafted)")
            #expect((batches.count < 15) == isCheap)
        }
    }

    @Test("The cost of a row is learned from the passes themselves, also while all of them hold drafts")
    func learning() {
        func drafted(fixed: Nanoseconds, perToken: Nanoseconds) -> Int {
            var scheduler = Scheduler(Self.configuration { $0.blockCount = 400 })
            for id in UInt64(1)...2 { _ = scheduler.add(Self.repeating(id, answer: 190), at: 0) }
            _ = Self.run(&scheduler, passTime: { fixed + perToken * Nanoseconds($0.tokens) }, odd: 4)
            #expect(scheduler.statistics.generationTokens == 380)
            return scheduler.statistics.speculation.draftTokens
        }
        // Three of four drafts are right: they pay where two rows lengthen a pass by 5%, not by 99%.
        let cheap: Int = drafted(fixed: 4_000_000, perToken: 100_000)
        let dear: Int = drafted(fixed: 100_000, perToken: 4_000_000)
        #expect(cheap > 300 && dear < 80, "\(cheap) \(dear)")
    }

    @Test("Drafts leave every decode its token, prompts half of the room, and others' blocks alone")
    func room() {
        var scheduler = Scheduler(Self.configuration { $0.maxNumBatchedTokens = 12 })
        for id in UInt64(1)...7 { _ = scheduler.add(Self.repeating(id), at: 0) }
        let batches = Self.run(&scheduler, passTime: { _ in 1000 })
        #expect(batches.allSatisfy { $0.load.tokens <= 12 })
        #expect(batches.contains { $0.load.decodes == 7 && $0.load.tokens == 12 })
        // While prompts of 9 tokens wait, the pass keeps half of what its decodes leave for them.
        for batch in batches where batch.load.prefillTokens > 0 {
            let drafts: Int = batch.entries.reduce(0) { $0 + $1.drafts.count }
            #expect(drafts <= (12 - batch.load.decodes) / 2)
        }
        // 4 requests of 49 tokens fill 52 blocks: with 26 some are preempted, never for a draft alone.
        scheduler = Scheduler(
            Self.configuration {
                $0.blockCount = 26; $0.maxModelLength = 100
            })
        for id in UInt64(1)...4 { _ = scheduler.add(Self.repeating(id), at: 0) }
        _ = Self.run(&scheduler, passTime: { _ in 1000 })
        #expect(scheduler.statistics.generationTokens == 160)
        #expect(scheduler.statistics.freeBlocks == 26)
    }

    @Test("A token that would end the answer is never drafted")
    func ends() {
        var scheduler = Scheduler(Self.configuration())
        var request = Self.repeating(1)
        request.sampling.stopTokenIDs = [3]
        request.sampling.minTokens = 20
        _ = scheduler.add(request, at: 0)
        let batches = Self.run(&scheduler, passTime: { _ in 1000 })
        let drafts = batches.flatMap { $0.entries[0].drafts.array }
        #expect(!drafts.isEmpty && !drafts.contains(3))
    }
}
