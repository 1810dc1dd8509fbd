import CServeCore
import Foundation
import Testing

@testable import CServeEngine

@Suite("Sampling distributions")
struct DistributionTests {
    /// What vLLM's V1 sampler leaves of a row, in Double: min_p, then top_k, then top_p, after temperature.
    static func reference(_ logits: [Float], _ sampling: SamplingParameters) -> [Double] {
        let scaled = logits.map { Double($0) / Double(sampling.temperature) }
        let greatest = scaled.max() ?? 0
        var weights = scaled.map { exp($0 - greatest) }
        for index in weights.indices where weights[index] < Double(sampling.minP) { weights[index] = 0 }
        let order = weights.indices.sorted { weights[$0] > weights[$1] || (weights[$0] == weights[$1] && $0 < $1) }
        if sampling.topK > 0 { for index in order.dropFirst(sampling.topK) { weights[index] = 0 } }
        let total = weights.reduce(0, +)
        var sum = 0.0
        for index in order {
            if sum >= Double(sampling.topP) * total { weights[index] = 0 }
            sum += weights[index]
        }
        let kept = weights.reduce(0, +)
        return weights.map { $0 / kept }
    }

    @Test(
        "a thousand draws follow the reference distribution",
        arguments: [
            (1, 0, 1, 0), (0.7, 0, 1, 0), (1, 5, 1, 0), (1, 0, 0.6, 0), (1.3, 0, 1, 0.2), (0.8, 12, 0.8, 0.05),
            (2, 40, 0.95, 0), (1, 300, 0.999, 0),
        ] as [(Float, Int, Float, Float)])
    func drawsFollowTheReference(_ setting: (Float, Int, Float, Float)) throws {
        let logits = SamplerTests.row(50, seed: 11)
        var sampling = SamplingParameters()
        (sampling.temperature, sampling.topK, sampling.topP, sampling.minP) = setting
        let expected = Self.reference(logits, sampling)
        let draws = 1000
        let request = Request(id: RequestID(3), promptTokens: [0], sampling: sampling)
        let state = BranchState(request: request, branch: 0, endTokens: [], engineSeed: 7)
        let sampler = Sampler(vocabularySize: logits.count)
        var counts = [Int](repeating: 0, count: logits.count)
        for _ in 0..<draws {
            counts[Int(try logits.withUnsafeBufferPointer { try sampler.sample($0, for: state) }.token)] += 1
        }
        for (count, share) in zip(counts, expected) {
            if share == 0 {
                #expect(count == 0)
            } else {
                let deviation = (Double(draws) * share * (1 - share)).squareRoot()
                #expect(abs(Double(count) - Double(draws) * share) < 5 * deviation + 1)
            }
        }
    }

    @Test("the candidates are the head of a full sort, for every count")
    func candidatesEqualASort() {
        for size in [1, 7, 64, 500] {
            var logits = SamplerTests.row(size, seed: UInt64(size))
            for index in stride(from: 0, to: size, by: 3) { logits[index] = 0.25 }
            let order = logits.indices.sorted { logits[$0] > logits[$1] || (logits[$0] == logits[$1] && $0 < $1) }
            var candidates = TopCandidates()
            for count in [1, 2, 3, 20, 100, 499] {
                logits.withUnsafeBufferPointer { candidates.select(count, from: $0, with: LogitRow()) }
                #expect(candidates.sorted.map { Int($0.token) } == Array(order.prefix(count)))
            }
        }
    }

    @Test("a nucleus wider than the first selection is found")
    func wideNucleus() throws {
        let logits = [Float](repeating: 0, count: 5000)
        var seen = Set<TokenID>()
        let state = SamplerTests.state { $0.topP = 0.5 }
        for _ in 0..<60 { seen.insert(try SamplerTests.sample(logits, state).token) }
        #expect(seen.allSatisfy { $0 < 2500 })
        #expect(seen.contains { $0 > 2000 })
    }

    @Test("a wide nucleus of unequal tokens is the head of a full sort, and all of it can be drawn")
    func wideNucleusEqualsASort() throws {
        let logits = SamplerTests.row(600, seed: 3)
        var sampling = SamplingParameters()
        sampling.topP = 0.9
        sampling.temperature = 3
        let kept = Self.reference(logits, sampling).map { $0 > 0 }
        #expect(kept.filter { $0 }.count > 300)
        let state = SamplerTests.state {
            $0.topP = 0.9
            $0.temperature = 3
        }
        for _ in 0..<150 {
            let token = try SamplerTests.sample(logits, state).token
            #expect(kept[Int(token)])
        }
    }
}
