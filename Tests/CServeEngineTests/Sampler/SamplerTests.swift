import CServeCore
import Foundation
import Testing

@testable import CServeEngine

/// Expected values come from the formulas in vLLM's documentation of SamplingParams and its V1 sampler, worked out in
/// the tests in Double over the whole row, without any of the sampler's short cuts.
@Suite("Sampler")
struct SamplerTests {
    static func state(
        prompt: [TokenID] = [1], id: UInt64 = 1, branch: Int = 0, engineSeed: UInt64 = 0, eos: [TokenID] = [],
        _ change: (inout SamplingParameters) -> Void = { _ in }
    ) -> BranchState {
        var sampling = SamplingParameters()
        change(&sampling)
        let request = Request(id: RequestID(id), promptTokens: prompt, sampling: sampling)
        return BranchState(request: request, branch: branch, endTokens: eos, engineSeed: engineSeed)
    }

    static func sample(_ logits: [Float], _ state: BranchState, scored: Bool = false) throws -> ScoredToken {
        try logits.withUnsafeBufferPointer {
            try Sampler(vocabularySize: logits.count).sample($0, for: state, scored: scored)
        }
    }

    static func row(_ count: Int, seed: UInt64) -> [Float] {
        (0..<count).map { index in
            let bits = RandomStream.mix(seed &+ UInt64(index) &* 977)
            return Float(Int64(bitPattern: bits) >> 40) / 2_000_000
        }
    }

    @Test("greedy takes the likeliest token, the lowest id on ties, in rows of every remainder of the vector width")
    func greedyTakesTheLowestOfEquals() throws {
        for count in 3...40 {
            for place in 0..<(count - 1) {
                var logits = [Float](repeating: -1, count: count)
                logits[place] = 2
                logits[count - 1] = 2
                let token = try Self.sample(logits, Self.state { $0.temperature = 0 }).token
                #expect(token == TokenID(place))
            }
        }
    }

    @Test("log-probabilities are of the raw logits, whatever temperature and penalties do")
    func logprobsAreRaw() throws {
        let logits: [Float] = [0.5, 2, -1, 2, 0, 1.25, -3, 0.75, 0.1, -0.2]
        let normaliser = Foundation.log(logits.map { Foundation.exp(Double($0)) }.reduce(0, +))
        let state = Self.state(prompt: [1, 3]) {
            $0.temperature = 0
            $0.repetitionPenalty = 4
            $0.logprobs = 3
        }
        let scored = try Self.sample(logits, state)
        #expect(scored.token == 5)
        let own = try #require(scored.logprob)
        #expect(abs(Double(own.logprob) - (1.25 - normaliser)) < 1e-6)
        #expect(own.rank == 3)
        #expect(scored.top.map(\.token) == [1, 3, 5])
        #expect(scored.top.map(\.rank) == [1, 2, 3])
        #expect(abs(Double(scored.top[0].logprob) - (2 - normaliser)) < 1e-6)
    }

    @Test("no log-probability is worked out unless asked for, and best_of asks for the token's own")
    func logprobsOnlyOnRequest() throws {
        let logits: [Float] = [0, 1]
        #expect(try Self.sample(logits, Self.state { $0.temperature = 0 }).logprob == nil)
        let scored = try Self.sample(logits, Self.state { $0.temperature = 0 }, scored: true)
        #expect(scored.logprob?.rank == 1)
        #expect(scored.top.isEmpty)
    }

    @Test("the repetition penalty sees prompt and answer, the other two the answer only")
    func penaltiesSeeWhatTheyShould() throws {
        let state = Self.state(prompt: [0]) {
            $0.temperature = 0
            $0.repetitionPenalty = 2
            $0.frequencyPenalty = 0.5
            $0.presencePenalty = 0.25
        }
        for token: TokenID in [1, 1, 2] { state.append(token) }
        let logits: [Float] = [4, 4, -1, 3]
        var adjusted = [Float](repeating: 0, count: 4)
        logits.withUnsafeBufferPointer { row in
            adjusted.withUnsafeMutableBufferPointer { LogitAdjustment.apply(state, from: row, into: $0) }
        }
        // 4 / 2; 4 / 2 - 2 * 0.5 - 0.25; -1 * 2 - 0.5 - 0.25; untouched.
        #expect(adjusted == [2, 0.75, -2.75, 3])
    }

    @Test("allowed tokens, bad words, min_tokens and logit_bias decide what greedy can take")
    func masksDecide() throws {
        let logits: [Float] = [5, 4, 3, 2, 1]
        #expect(
            try Self.sample(
                logits,
                Self.state {
                    $0.temperature = 0; $0.allowedTokenIDs = [3, 4]
                }
            ).token == 3)
        #expect(
            try Self.sample(
                logits,
                Self.state {
                    $0.temperature = 0; $0.logitBias = [4: 50]
                }
            ).token == 4)
        #expect(
            try Self.sample(
                logits,
                Self.state {
                    $0.temperature = 0; $0.badWords = [[0], [1]]
                }
            ).token == 2)
        let run = Self.state {
            $0.temperature = 0; $0.badWords = [[0, 1, 0]]
        }
        #expect(try (0..<2).map { _ in try Self.sample(logits, run).token } == [0, 0])
        run.append(1)
        #expect(try Self.sample(logits, run).token == 1)
        let patient = Self.state(eos: [0]) {
            $0.temperature = 0
            $0.minTokens = 2
            $0.stopTokenIDs = [1]
        }
        #expect(try (0..<3).map { _ in try Self.sample(logits, patient).token } == [2, 2, 0])
    }

    @Test("a row without a usable number ends the request with a reason")
    func brokenRowsAreRefused() {
        for place in [0, 7, 8, 16] {
            var logits = [Float](repeating: 0, count: 17)
            logits[place] = .nan
            #expect(throws: SamplingError.notANumber) { try Self.sample(logits, Self.state()) }
            logits[place] = .infinity
            #expect(throws: SamplingError.infinite) { try Self.sample(logits, Self.state()) }
        }
        let none = [Float](repeating: -.infinity, count: 9)
        #expect(throws: SamplingError.allMasked) { try Self.sample(none, Self.state()) }
        let banned = Self.state {
            $0.allowedTokenIDs = [1]; $0.badWords = [[1]]
        }
        #expect(throws: SamplingError.allMasked) { try Self.sample([0, 0, 0], banned) }
        for error in [SamplingError.notANumber, .infinite, .allMasked] { #expect(error.description.hasSuffix(".")) }
    }

    @Test("the same seed and position give the same token whatever the request's name; branches differ")
    func seedsAreReproducible() throws {
        let logits = Self.row(64, seed: 5)
        func run(id: UInt64, branch: Int, seed: UInt64?, engineSeed: UInt64 = 0) throws -> [TokenID] {
            let state = Self.state(id: id, branch: branch, engineSeed: engineSeed) { $0.seed = seed }
            return try (0..<24).map { _ in try Self.sample(logits, state).token }
        }
        #expect(try run(id: 1, branch: 0, seed: 9) == run(id: 77, branch: 0, seed: 9, engineSeed: 4))
        #expect(try run(id: 1, branch: 0, seed: 9) != run(id: 1, branch: 1, seed: 9))
        #expect(try run(id: 1, branch: 0, seed: 9) != run(id: 1, branch: 0, seed: 10))
        #expect(try run(id: 1, branch: 0, seed: nil) != run(id: 2, branch: 0, seed: nil))
        #expect(try run(id: 1, branch: 0, seed: nil, engineSeed: 3) == run(id: 1, branch: 0, seed: nil, engineSeed: 3))
    }
}
