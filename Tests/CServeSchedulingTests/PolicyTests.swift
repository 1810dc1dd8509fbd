// The pure values beside the scheduler: admission, reserve, policies, balance and the step-time estimate.
import CServeCore
import Testing

@testable import CServeScheduling

struct PolicyTests {
    @Test("Requests that can never run are refused with the numbers at fault")
    func impossible() {
        var configuration = roomy(blocks: 4, blockSize: 4)
        configuration.maxModelLength = 100
        let scheduler = Scheduler(configuration)
        var many = request(1, prompt: 3)
        many.sampling.n = 9
        let cases: [(Request, RequestError)] = [
            (request(1, prompt: 0), .emptyPrompt),
            (request(1, prompt: 17), .promptExceedsCache(prompt: 17, capacity: 16)),
            (request(1, prompt: 100), .contextExceeded(prompt: 100, maxTokens: 4, maxModelLength: 100)),
            (many, .outOfRange(parameter: "n", value: "9", range: "from 1 to 8")),
        ]
        for (made, error) in cases {
            #expect(scheduler.admission(of: made) == .invalid(error))
            var copy = scheduler
            #expect(copy.add(made, at: 0) == [.failed(made.id, message: error.description)])
            #expect(copy.isIdle)
        }
        #expect(scheduler.admission(of: request(1, prompt: 16)) == nil)
    }

    @Test("A full queue refuses with the seconds until it is about drained")
    func overloaded() throws {
        var configuration = roomy()
        configuration.maxQueuedRequests = 2
        configuration.maxQueuedTokens = 50
        var scheduler = Scheduler(configuration, stepTime: .given("slow") { _ in 3 * Nanoseconds.second })
        _ = scheduler.add(request(1, prompt: 40), at: 0)
        guard case .overloaded(let message, let seconds)? = scheduler.admission(of: request(2, prompt: 11)) else {
            Issue.record("51 tokens are too many")
            return
        }
        // 40 waiting tokens take two passes of 32 tokens, 3 s each.
        #expect(seconds == 6)
        #expect(
            message
                == "40 prompt tokens are waiting; with this request's 11 they would exceed 50 "
                + "(--max-num-queued-tokens). Try again in 6 s.")
        #expect(scheduler.admission(of: request(2, prompt: 10)) == nil)
        _ = scheduler.add(request(2, prompt: 5), at: 0)
        guard case .overloaded(let second, _)? = scheduler.admission(of: request(3, prompt: 1)) else {
            Issue.record("three requests are too many")
            return
        }
        #expect(second == "2 requests are waiting, and 2 may (--max-num-queued-reqs). Try again in 6 s.")
    }

    @Test("The reserve rises with preemptions, falls with steps, and stays within its bounds")
    func reserve() {
        var reserve = GrowthReserve()
        #expect(reserve.tokens(of: 100) == 70)
        reserve.preempted()
        #expect(reserve.thousandths == 750)
        reserve.stepped(25)
        #expect(reserve.thousandths == 700)
        reserve.stepped(10_000)
        #expect(reserve.thousandths == GrowthReserve.least)
        for _ in 0..<50 { reserve.preempted() }
        #expect(reserve.thousandths == 1000)
    }

    @Test("A prompt starts only if it fits beside the reserve for those that run")
    func admission() {
        var world = World(roomy(blocks: 10, blockSize: 4))
        world.add(request(1, prompt: 8, answer: 20, family: 1))
        world.launch()
        world.land()
        // 8 blocks are free; 20 tokens to come at 0.7 and this request's own ask for 4 and more.
        world.add(request(2, prompt: 19, answer: 4, family: 2))
        world.launch()
        #expect(world.batches[1].entries.count == 1)
        #expect(world.scheduler.statistics.waitingTokens == 19)
        world.drain()
        #expect(world.scheduler.statistics.preemptions == 0)
        world.verifyAnswers()
        #expect(world.problem == nil)
    }

    @Test("The estimator finds the coefficients of a linear step time")
    func estimator() throws {
        var estimator = StepTimeEstimator()
        var random = SplitMix(5)
        #expect(estimator.model == nil)
        for _ in 0..<300 {
            let load = BatchLoad(
                tokens: random.int(1...2048), prefillTokens: 0, decodes: 0, context: random.int(1...2_000_000))
            let span = Nanoseconds(4_000_000 + load.tokens * 3_000 + load.context * 5)
            estimator.observe(load, took: span)
        }
        let model = try #require(estimator.model)
        #expect(abs(model.fixed - 4_000_000) < 80_000)
        #expect(abs(model.perToken - 3_000) < 60)
        #expect(abs(model.perContext - 5) < 0.1)
    }

    @Test("Passes that are all alike give that time, and never a negative slope")
    func flat() throws {
        var estimator = StepTimeEstimator()
        let load = BatchLoad(tokens: 8, prefillTokens: 0, decodes: 8, context: 800)
        for _ in 0..<50 { estimator.observe(load, took: 1_000_000) }
        let model = try #require(estimator.model)
        #expect(abs(model.predict(load) - 1_000_000) < 1000)
        for tokens in 1...40 {
            let load = BatchLoad(tokens: tokens, prefillTokens: 0, decodes: 0, context: 0)
            estimator.observe(load, took: 50_000_000 / Nanoseconds(tokens))
        }
        let falling = try #require(estimator.model)
        #expect(falling.perToken >= 0 && falling.perContext >= 0 && falling.fixed >= 0)
    }

    @Test("Throughput fills the budget, latency stays near the decodes' time, auto takes pieces that pay")
    func policies() {
        let linear = LinearStepTime(fixed: 1000, perToken: 10, perContext: 0)
        let predictor = StepTimePredictor(function: nil, linear: linear)
        var decodes = BatchLoad()
        for _ in 0..<10 { decodes.addDecode(start: 100) }
        var situation = PromptSituation(
            decodes: decodes, room: 5000, waitingTokens: 8000, batchedTokens: 5010, blockSize: 16)
        // Ten decodes take 1100: twice that leaves 110 tokens of 10, 16 times 1650, 32 times 3410.
        #expect(SchedulingPolicy.throughput.promptTokens(situation, predictor) == 5000)
        #expect(SchedulingPolicy.latency.promptTokens(situation, predictor) == 110)
        #expect(SchedulingPolicy.auto.promptTokens(situation, predictor) == 1650)
        situation.waitingTokens = 20_000
        #expect(SchedulingPolicy.auto.promptTokens(situation, predictor) == 3410)
        // One decode would take 1010, and an empty pass costs 1000 of 32 times that.
        situation.decodes = BatchLoad()
        #expect(SchedulingPolicy.auto.promptTokens(situation, predictor) == 3132)
        #expect(SchedulingPolicy.latency.promptTokens(situation, predictor) == 5000)
        // Before anything is known of times, every policy fills the budget.
        let ignorant = StepTimePredictor(function: nil, linear: nil)
        #expect(SchedulingPolicy.allCases.allSatisfy { $0.promptTokens(situation, ignorant) == 5000 })
    }

    @Test("Under auto, a crowd of short requests decodes together instead of trickling in")
    func crowd() {
        // A closed loop of 32 clients, 128 tokens in and 64 out, on a machine where a step costs 6 ms and 0.7 ms a token
        // (160M weights on two cores): a full batch needs prompts to take more than half of the time.
        var configuration = SchedulerConfiguration(
            blockCount: 4096, maxNumSeqs: 128, maxNumBatchedTokens: 2048, maxModelLength: 2048)
        configuration.policy = .auto
        configuration.usePrefixCaching = false
        let model = StepTimeModel.given("160M") { 6_000_000 + Nanoseconds($0.tokens) * 700_000 }
        var scheduler = Scheduler(configuration, stepTime: model)
        var (sent, ended, steps, now): (Int, Int, Int, Nanoseconds) = (0, 0, 0, 0)
        while ended < 320 {
            while sent < min(320, ended + 32) {
                sent += 1
                _ = scheduler.add(request(UInt64(sent), prompt: 128, answer: 64, family: sent), at: now)
            }
            guard let batch = scheduler.nextMicroBatch(at: now) else { break }
            now += model.function?(batch.load) ?? 0
            steps += 1
            let outputs = batch.entries.map { EntryOutput(tokens: $0.sampledTokens == 0 ? [] : [50]) }
            let events = scheduler.complete(batch, outputs: outputs, at: now)
            ended += events.count { if case .finished = $0 { true } else { false } }
        }
        #expect(ended == 320)
        // 320 answers of 64 tokens: 20,480 decodes; with a stretch of 2 they came 8 at a time.
        #expect(Double(320 * 64) / Double(steps) > 16, "\(steps) steps")
    }

    @Test("With several stages, decodes are shared out evenly by predicted time")
    func balance() {
        var configuration = roomy(blocks: 400)
        configuration.stages = 4
        configuration.maxNumSeqs = 16
        configuration.maxNumBatchedTokens = 400
        let model = StepTimeModel.given("by context") { 100 + Nanoseconds($0.tokens) * 10 + Nanoseconds($0.context) }
        var scheduler = Scheduler(configuration, stepTime: model)
        var contexts: [Int] = []
        for id in 1...16 {
            contexts.append(id % 4 == 0 ? 90 : 10)
            _ = scheduler.add(request(UInt64(id), prompt: contexts[id - 1], answer: 60, family: id), at: 0)
        }
        var flying: [MicroBatch] = []
        var decoding: [Nanoseconds] = []
        var lastSeen: [Int: UInt64] = [:]
        var longestGap: UInt64 = 0
        for now in 0..<200 as Range<Nanoseconds> {
            while let batch = scheduler.nextMicroBatch(at: now) {
                flying.append(batch)
                guard batch.load.decodes > 0, batch.load.prefillTokens == 0 else { continue }
                decoding.append(batch.predicted)
                for entry in batch.entries {
                    longestGap = max(longestGap, batch.id - (lastSeen[entry.slot] ?? batch.id))
                    lastSeen[entry.slot] = batch.id
                }
            }
            guard !flying.isEmpty, decoding.count < 60 else { break }
            let batch = flying.removeFirst()
            let outputs = batch.entries.map { EntryOutput(tokens: $0.sampledTokens == 0 ? [] : [50]) }
            _ = scheduler.complete(batch, outputs: outputs, at: now)
        }
        let steady = decoding.suffix(30)
        #expect(steady.count == 30)
        let (least, most) = (steady.min() ?? 0, steady.max() ?? 0)
        #expect(Double(most) < 1.4 * Double(least), "\(Array(steady))")
        // Four stages: a branch that is never passed over decodes in every fourth micro-batch.
        #expect(longestGap <= 12)
    }

    @Test("Prompt tokens are throttled by what waits and by the free share of the cache")
    func throttle() {
        #expect(PromptThrottle.tokens(waiting: 8000, freeShare: 1, most: 2048) == 1000)
        #expect(PromptThrottle.tokens(waiting: 80000, freeShare: 1, most: 2048) == 2048)
        #expect(PromptThrottle.tokens(waiting: 80000, freeShare: 0.525, most: 2048) == 1024)
        #expect(PromptThrottle.tokens(waiting: 10, freeShare: 1, most: 2048) == 32)
        #expect(PromptThrottle.tokens(waiting: 10, freeShare: 0, most: 16) == 16)
    }
}
