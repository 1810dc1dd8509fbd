import CServeCore
import Testing

@testable import CServeEngine

@Suite("Batch invariance")
struct CompanyTests {
    static func request(_ id: UInt64) -> Request {
        var request = Request.test(id, prompt: (0..<(5 + TokenID(id % 40))).map { ($0 &* 7 &+ TokenID(id)) % 60 }) {
            $0.maxTokens = 24
            $0.temperature = id % 3 == 0 ? 0 : 0.9
            $0.topP = id % 2 == 0 ? 0.9 : 1
            $0.seed = id
            $0.logprobs = 5
            $0.repetitionPenalty = id % 5 == 0 ? 1.3 : 1
        }
        request.id = RequestID(id)
        return request
    }

    static func alone(_ id: UInt64) async throws -> Answer {
        try await Engine.toy().submit(request(id)).answer()
    }

    /// Answers in each other's company: a gated engine starts when all have been submitted.
    static func together(
        _ engine: Engine, _ gate: Gate, _ ids: ClosedRange<UInt64>
    ) async throws -> [UInt64: Answer] {
        let streams = try ids.map { ($0, try engine.submit(request($0))) }
        gate.open()
        var answers: [UInt64: Answer] = [:]
        for (id, stream) in streams { answers[id] = await stream.answer() }
        return answers
    }

    @Test("tokens and log-probabilities are equal alone and among 31 others, chunked, and preempted")
    func companyDoesNotMatter() async throws {
        let gates = [Gate(), Gate(), Gate()]
        let crowded = try Engine.toy(gate: gates[0])
        let chunked = try Engine.toy(seqs: 9, batchedTokens: 9, gate: gates[1]) { $0.chunkedPrefillSize = 3 }
        let tight = try Engine.toy(blocks: 40, gate: gates[2])
        let results = try await zip([crowded, chunked, tight], gates).asyncMap {
            try await Self.together($0, $1, 1...32)
        }
        #expect(tight.snapshot().preemptions > 0)
        for id: UInt64 in 1...32 {
            let expected = try await Self.alone(id)
            #expect(expected.ids.count == 24)
            for (engine, result) in zip(["crowded", "chunked", "tight"], results) {
                let isEqual = result[id]?.tokens == expected.tokens
                #expect(isEqual, "request \(id) in a \(engine) engine")
                #expect(result[id]?.reasons == [.length])
            }
        }
    }

    @Test("an answer from cached prefixes equals the first one")
    func prefixesDoNotMatter() async throws {
        let engine = try Engine.toy()
        var request = Self.request(38)
        let first = try await engine.submit(request).answer()
        request.id = RequestID(39)
        let second = try await engine.submit(request).answer()
        #expect(second.cachedTokens ?? 0 > 0)
        let isEqual = second.tokens == first.tokens
        #expect(isEqual)
        request.id = RequestID(40)
        request.sampling.promptLogprobs = 1
        let scored = try await engine.submit(request).answer()
        #expect(scored.cachedTokens == 0)
        #expect(scored.prompt.count == request.promptTokens.count)
        let isScoredEqual = scored.tokens == first.tokens
        #expect(isScoredEqual)
    }

    @Test("branches differ from each other and equal themselves, alone and in a tight cache")
    func branchesDoNotMatter() async throws {
        var request = Self.request(31)
        request.sampling.n = 3
        request.sampling.bestOf = 4
        request.sampling.logprobs = nil
        let calm = try await Engine.toy().submit(request).answer(branches: 4)
        #expect(Set(calm.tokens.map { $0.map(\.token) }).count == 4)
        #expect(calm.tokens.allSatisfy { $0.count == 24 && $0.allSatisfy { $0.logprob != nil } })
        let gate = Gate()
        let tight = try Engine.toy(blocks: 40, gate: gate)
        let stream = try tight.submit(request)
        _ = try await Self.together(tight, gate, 1...20)
        let isEqual = await stream.answer(branches: 4).tokens == calm.tokens
        #expect(isEqual)
    }

    @Test("prompt scores are equal whole and in pieces")
    func promptPiecesDoNotMatter() async throws {
        var request = Self.request(37)
        request.sampling.promptLogprobs = 3
        let whole = try await Engine.toy().submit(request).answer()
        let pieces = try await Engine.toy(seqs: 5, batchedTokens: 5).submit(request).answer()
        #expect(whole.prompt.count == request.promptTokens.count)
        let isEqual = whole.prompt == pieces.prompt && whole.tokens == pieces.tokens
        #expect(isEqual)
    }
}

extension Sequence {
    func asyncMap<T>(_ transform: (Element) async throws -> T) async rethrows -> [T] {
        var result: [T] = []
        for element in self { result.append(try await transform(element)) }
        return result
    }
}
