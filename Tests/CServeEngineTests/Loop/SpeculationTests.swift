import CServeCore
import CServeScheduling
import Testing

@testable import CServeEngine

/// Drafts must change how many tokens come per step, and nothing else.
@Suite("Speculation")
struct SpeculationTests {
    /// A core without a thread: its clock stands still, so that drafts are made as if they cost nothing.
    static func core(
        _ executor: any ModelExecutor, drafts: Int, _ change: (inout SchedulerConfiguration) -> Void = { _ in }
    ) -> (core: EngineCore, configuration: EngineConfiguration) {
        var scheduler = SchedulerConfiguration(
            blockCount: executor.totalBlocks, blockSize: executor.blockSize, maxNumSeqs: 40,
            maxNumBatchedTokens: executor.maxBatchedTokens, maxModelLength: executor.maxModelLength)
        scheduler.draftTokens = drafts
        scheduler.draftLookup = 1...3
        change(&scheduler)
        var configuration = EngineConfiguration(scheduler: scheduler, vocabularySize: executor.vocabularySize)
        configuration.logitMask = { request, _ in request.id.value % 6 == 5 ? AlternatingMask() : nil }
        return (EngineCore(scheduler, runner: ModelStepRunner(executor), clock: { 0 }), configuration)
    }

    /// Runs requests to their end and collects their answers.
    static func answers(
        _ requests: [Request], _ made: (core: EngineCore, configuration: EngineConfiguration)
    ) async -> [Answer] {
        var streams: [RequestStream] = []
        for request in requests {
            let (stream, continuation) = AsyncStream<[RequestEvent]>.makeStream()
            made.core.add(
                LiveRequest(request, arrival: 0, configuration: made.configuration, stream: continuation))
            streams.append(RequestStream(stream))
        }
        while made.core.step() {}
        var answers: [Answer] = []
        for (request, stream) in zip(requests, streams) {
            answers.append(await stream.answer(branches: request.sampling.branches))
        }
        return answers
    }

    /// Requests that between them use all that bears on sampling; few tokens are allowed, so that drafts are often right.
    static func request(_ id: UInt64) -> Request {
        Request.test(id, prompt: (0..<(4 + TokenID(id % 30))).map { $0 % 5 + 1 }, maxTokens: 3 + Int(id * 7 % 50)) {
            $0.temperature = id % 3 == 0 ? 0 : 0.8
            $0.seed = id % 4 == 0 ? nil : id
            $0.topK = id % 5 == 1 ? 2 : 0
            $0.topP = id % 5 == 2 ? 0.7 : 1
            $0.minP = id % 5 == 3 ? 0.1 : 0
            $0.allowedTokenIDs = [1, 2, 3 + TokenID(id % 3)]
            $0.logprobs = id % 2 == 0 ? 3 : nil
            $0.promptLogprobs = id % 7 == 3 ? 2 : nil
            $0.repetitionPenalty = id % 8 == 1 ? 1.2 : 1
            $0.frequencyPenalty = id % 8 == 2 ? 0.3 : 0
            $0.presencePenalty = id % 8 == 3 ? 0.3 : 0
            if id % 8 == 4 { $0.logitBias = [1: 1.5] }
            if id % 8 == 5 { $0.badWords = [[1, 2], [3]] }
            if id % 4 == 2 {
                $0.stopTokenIDs = [2]
                $0.minTokens = Int(id % 12)
            }
            if id % 9 == 0 {
                $0.n = 2
                $0.bestOf = id % 2 == 0 ? 3 : 2
            }
        }
    }

    @Test("Tokens, scores and ends are the same with drafts: in company, in pieces and in a tight cache")
    func exact() async {
        let requests = (1...40).map { Self.request(UInt64($0)) }
        let plain = Self.core(ToyExecutor(totalBlocks: 800), drafts: 0)
        let expected = await Self.answers(requests, plain)
        #expect(plain.core.snapshot().speculation == nil)
        #expect(expected.count { $0.failure == nil } > 30)
        for (name, drafts, blocks, budget) in [
            ("roomy", 4, 800, 200), ("one draft", 1, 800, 64), ("chunked", 3, 800, 40), ("tight", 5, 24, 64),
        ] {
            let made = Self.core(ToyExecutor(totalBlocks: blocks, maxBatchedTokens: budget), drafts: drafts)
            let answers = await Self.answers(requests, made)
            for (id, (answer, expected)) in zip(answers, expected).enumerated() {
                #expect(answer.tokens == expected.tokens, "request \(id + 1), \(name)")
                #expect(answer.reasons == expected.reasons && answer.stopTokens == expected.stopTokens)
                #expect(answer.prompt == expected.prompt && answer.failure == expected.failure)
            }
            let snapshot = made.core.snapshot()
            let counters = snapshot.speculation ?? SpeculationCounters()
            #expect(counters.acceptedTokens > 100 && counters.draftTokens > counters.acceptedTokens + 100, "\(name)")
            #expect(counters.acceptedPerPosition.count == drafts)
            #expect(snapshot.freeBlocks == blocks)
            #expect((snapshot.preemptions > 0) == (name == "tight"))
            #expect(snapshot.generationTokens == plain.core.snapshot().generationTokens)
        }
    }

    @Test("What drafts left in the prefix cache is what the tokens would have left")
    func prefixes() async {
        let made = Self.core(ToyExecutor(totalBlocks: 800), drafts: 4)
        let first = (1...20).map { Self.request(UInt64($0) * 4 + 1) }
        let answers = await Self.answers(first, made)
        let second = zip(first, answers).enumerated().map { index, pair -> Request in
            var request = Self.request(UInt64(index) + 100)
            request.promptTokens = Array((pair.0.promptTokens + pair.1.ids).prefix(70))
            request.sampling.promptLogprobs = nil
            return request
        }
        let cached = await Self.answers(second, made)
        let fresh = await Self.answers(second, Self.core(ToyExecutor(totalBlocks: 800), drafts: 0))
        #expect(cached.contains { ($0.cachedTokens ?? 0) > 40 })
        for (left, right) in zip(cached, fresh) { #expect(left.tokens == right.tokens) }
    }

    @Test("A row that cannot be sampled behind a right draft fails its request where it fails without drafts")
    func failures() async {
        // The answer is 2, and behind it 61 (another 2 is banned), whose own row holds NaN.
        let broken = ToyExecutor.notANumber
        let request = Request.test(1, prompt: [1, 2, broken, 1, 2, broken, 1], maxTokens: 60) {
            $0.allowedTokenIDs = [2, broken]
            $0.logitBias = [2: 100]
            $0.badWords = [[2, 2]]
            $0.temperature = 0
        }
        for drafts in [0, 4] {
            let made = Self.core(ToyExecutor(totalBlocks: 80), drafts: drafts)
            let answer = await Self.answers([request], made)[0]
            #expect(answer.ids == [2, broken])
            #expect(answer.failure?.contains("not numbers") == true, "\(answer.failure ?? "none")")
            #expect(made.core.snapshot().speculation?.drafts ?? 1 > 0)
        }
    }

    @Test("On models tokens and log-probabilities are bit-equal with drafts", arguments: BackendTable.rows.map(\.name))
    func models(backend: String) async throws {
        for family in ["llama", "gemma2", "mixtral", "qwen3"] {
            var accepted = 0
            var expected: [Answer] = []
            for drafts in [0, 4] {
                let runner = try ModelRunner(
                    checkpoint: TinyCheckpoint.make(family), recipe: TinyCheckpoint.recipe(),
                    backend: BackendTable.make(backend, threads: 2))
                let made = Self.core(runner, drafts: drafts) { $0.maxNumSeqs = 8 }
                let requests = (1...12).map { id in
                    Request.test(UInt64(id), prompt: (0..<12).map { TokenID(($0 % 4) * id % 60) }, maxTokens: 30) {
                        $0.temperature = id % 3 == 0 ? 0.3 : 0
                        $0.seed = UInt64(id)
                        $0.logprobs = 2
                        $0.ignoreEOS = true
                    }
                }
                let answers = await Self.answers(requests, made)
                if drafts == 0 { expected = answers }
                for (answer, expected) in zip(answers, expected) { #expect(answer.tokens == expected.tokens) }
                accepted += made.core.snapshot().speculation?.acceptedTokens ?? 0
            }
            #expect(accepted > 20, "\(family)")
        }
    }

    @Test("The live engine speculates as its recipe says, and the null engine answers as without")
    func live() async throws {
        let request = Request.test(1, prompt: [1, 2, 3, 1, 2, 3, 1, 2, 3], maxTokens: 100) {
            $0.allowedTokenIDs = [1, 2]
            $0.temperature = 0
        }
        let engine = try Engine.toy { $0.specProposer = "ngram" }
        let answer = try await engine.submit(request).answer()
        await engine.drain()
        let counters = try #require(engine.snapshot().speculation)
        #expect(counters.drafts > 0 && counters.acceptedPerPosition.count == 4)
        let isEqual = try await Engine.toy().submit(request).answer().tokens == answer.tokens
        #expect(isEqual)
        let null = try Engine.null(recipe: smallRecipe { $0.specProposer = "ngram" }, tokens: [7, 8])
        let plain = try Engine.null(recipe: smallRecipe(), tokens: [7, 8])
        let words = Request.test(2, maxTokens: 200) { $0.logprobs = 1 }
        let isNullEqual = try await null.submit(words).answer().tokens == plain.submit(words).answer().tokens
        #expect(isNullEqual)
        await null.drain()
        #expect(null.snapshot().speculation?.acceptedTokens ?? 0 > 0)
    }
}

/// A grammar of two states: a token's parity must differ from the one before wherever the answer's length is even.
private final class AlternatingMask: LogitMask {
    private var taken: [TokenID] = []

    func apply(to logits: UnsafeMutableBufferPointer<Float>) {
        guard taken.count % 2 == 0, let last = taken.last else { return }
        for token in logits.indices where token % 2 == Int(last) % 2 { logits[token] = -.infinity }
    }

    func advance(by token: TokenID) { taken.append(token) }
}
