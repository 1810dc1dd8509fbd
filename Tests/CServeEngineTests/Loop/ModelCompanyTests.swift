import CServeCore
import CServeScheduling
import Testing

@testable import CServeEngine

/// A real forward pass on every backend: company, pieces, preemption and cached prefixes change no bit.
@Suite("Batch invariance of models")
struct ModelCompanyTests {
    static let families = ["llama", "gemma2", "mixtral"]

    static func engine(
        _ backend: String, family: String = "llama", blocks: Int = 400, seqs: Int = 40, batchedTokens: Int = 64,
        _ change: (inout Recipe) -> Void = { _ in }
    ) throws -> Engine {
        var recipe = Recipe()
        recipe.device = backend
        recipe.threads = 2
        recipe.blockSize = 4
        recipe.maxNumSeqs = seqs
        recipe.maxNumBatchedTokens = batchedTokens
        recipe.kvCacheMemoryBytes = blocks * bytesPerBlock
        change(&recipe)
        return try Engine.load(TinyCheckpoint.make(family), recipe: recipe)
    }

    /// 4 layers * (keys, values) * 2 heads * 8 numbers * 4 positions in f32.
    static let bytesPerBlock = 4 * 2 * 2 * 8 * 4 * 4

    static func request(_ id: UInt64) -> Request {
        Request.test(id, prompt: (0..<(3 + TokenID(id % 14))).map { ($0 &* 5 &+ TokenID(id)) % 60 }, maxTokens: 6) {
            $0.temperature = id % 3 == 0 ? 0 : 1.2
            $0.seed = id
            $0.logprobs = 4
            $0.ignoreEOS = true
        }
    }

    static func together(_ engine: Engine) async throws -> [Answer] {
        let streams = try (1...32).map { try engine.submit(request(UInt64($0))) }
        return await streams.asyncMap { await $0.answer() }
    }

    @Test(
        "tokens and log-probabilities are bit-equal alone, among 31 others, in pieces and in a tight cache",
        arguments: BackendTable.rows.map(\.name), families)
    func companyDoesNotMatter(backend: String, family: String) async throws {
        let alone = try Self.engine(backend, family: family)
        var expected: [Answer] = []
        for id: UInt64 in 1...32 { expected.append(try await alone.submit(Self.request(id)).answer()) }
        #expect(expected.allSatisfy { $0.ids.count == 6 })
        #expect(Set(expected.map(\.ids)).count > 20)
        let engines = [
            ("crowded", try Self.engine(backend, family: family)),
            ("tight", try Self.engine(backend, family: family, blocks: 26)),
            (
                "chunked",
                try Self.engine(backend, family: family, seqs: 9, batchedTokens: 9) { $0.chunkedPrefillSize = 3 }
            ),
        ]
        for (name, engine) in engines {
            let answers = try await Self.together(engine)
            for (answer, expected) in zip(answers, expected) {
                let isEqual = answer.tokens == expected.tokens
                #expect(isEqual, "\(name)")
            }
        }
    }

    @Test("branches that preempt each other are bit-equal", arguments: BackendTable.rows.map(\.name), families)
    func preemptionDoesNotMatter(backend: String, family: String) async throws {
        var request = Self.request(4)
        request.sampling.n = 3
        request.sampling.maxTokens = 40
        let calm = try await Self.engine(backend, family: family).submit(request).answer(branches: 3)
        // Three answers of 40 tokens fill 30 blocks of 4.
        let tight = try Self.engine(backend, family: family, blocks: 17)
        let answer = try await tight.submit(request).answer(branches: 3)
        #expect(tight.snapshot().preemptions > 0)
        #expect(answer.tokens.map(\.count) == [40, 40, 40])
        let isEqual = answer.tokens == calm.tokens
        #expect(isEqual)
    }

    @Test(
        "an answer from cached prefixes, or with its prompt scored, is bit-equal",
        arguments: BackendTable.rows.map(\.name), families)
    func prefixesDoNotMatter(backend: String, family: String) async throws {
        let engine = try Self.engine(backend, family: family)
        var request = Self.request(27)
        request.sampling.promptLogprobs = nil
        let first = try await engine.submit(request).answer()
        request.id = RequestID(100)
        let second = try await engine.submit(request).answer()
        #expect(second.cachedTokens == 12)
        let isEqual = second.tokens == first.tokens
        #expect(isEqual)
        request.id = RequestID(101)
        request.sampling.promptLogprobs = 2
        let scored = try await engine.submit(request).answer()
        let isScoredEqual = scored.tokens == first.tokens
        #expect(isScoredEqual)
        #expect(scored.prompt.count == request.promptTokens.count)
        let pieces = try Self.engine(backend, family: family, seqs: 5, batchedTokens: 5)
        let isPieceEqual = try await pieces.submit(request).answer().prompt == scored.prompt
        #expect(isPieceEqual)
    }

    @Test("an engine tells what it loaded and refuses what its model cannot do")
    func loading() throws {
        let engine = try Self.engine("reference")
        #expect(engine.model?.backend == "reference")
        #expect(engine.maxModelLength == 64)
        #expect(engine.vocabularySize == 61)
        #expect(engine.configuration.scheduler.eosTokenIDs.isEmpty)
        #expect(throws: RecipeError.lengthAboveModel(asked: 65, model: 64)) {
            try Self.engine("reference") { $0.maxModelLen = 65 }
        }
        let stretched = try Self.engine("reference", family: "llama-dynamic") { $0.maxModelLen = 256 }
        #expect(stretched.maxModelLength == 256)
        #expect(throws: RecipeError.lengthAboveModel(asked: 257, model: 256)) {
            try Self.engine("reference", family: "llama-dynamic") { $0.maxModelLen = 257 }
        }
        let null = try Self.engine("null")
        #expect(null.vocabularySize == 61)
        #expect(AvailableMemory.bytes() ?? 1 > 0)
    }
}
