// Every pass of every instruction set against plain loops in Double, over lengths around the vectors and the runs.

import CServeCore
import Foundation
import Testing

@testable import CServeEngine

@Suite("Passes over logits")
struct LogitRowTests {
    static let lengths = [1, 2, 15, 16, 17, 63, 64, 65, 511, 512, 513, 1025, 4000]

    /// A row with ties and masked tokens.
    static func row(_ count: Int) -> [Float] {
        var row = SamplerTests.row(count, seed: UInt64(count))
        for index in stride(from: 3, to: count, by: 7) { row[index] = -.infinity }
        for index in stride(from: 5, to: count, by: 11) { row[index] = 0.5 }
        return row
    }

    @Test("greatest, rank and search agree with plain loops", arguments: CPUInstructionSet.supported)
    func comparisons(_ level: CPUInstructionSet) throws {
        let kernels = LogitRow(level)
        for count in Self.lengths {
            let row = Self.row(count)
            let most = try #require(row.max())
            try row.withUnsafeBufferPointer { logits in
                let greatest = try kernels.greatest(logits)
                #expect(greatest.value == most)
                #expect(greatest.token == row.firstIndex(of: most))
                for token in stride(from: 0, to: count, by: 13) {
                    let before = row.indices.filter { row[$0] > row[token] || (row[$0] == row[token] && $0 < token) }
                    #expect(kernels.rank(of: token, in: logits) == before.count + 1)
                    let next = row.indices.first { $0 >= token && row[$0] > 0.5 } ?? count
                    #expect(kernels.next(above: 0.5, from: token, in: logits) == next)
                }
            }
        }
    }

    @Test("exponentials and their sums agree with libm to 3 ulp a term", arguments: CPUInstructionSet.supported)
    func exponentials(_ level: CPUInstructionSet) throws {
        let kernels = LogitRow(level)
        for count in Self.lengths {
            let row = Self.row(count)
            let most = try #require(row.max())
            var terms = [Float](repeating: -1, count: count)
            var sums = [Float](repeating: -1, count: LogitRow.runs(count))
            let total = row.withUnsafeBufferPointer { logits in
                terms.withUnsafeMutableBufferPointer { terms in
                    sums.withUnsafeMutableBufferPointer { sums in
                        kernels.exponentials(
                            logits, greatest: most, scale: 0.7, floor: 1e-3, terms: terms.baseAddress,
                            sums: sums.baseAddress)
                    }
                }
            }
            for (x, term) in zip(row, terms) {
                let expected = Foundation.exp((x - most) * 0.7)
                #expect(abs(term - (expected < 1e-3 ? 0 : expected)) <= 3 * expected.ulp)
            }
            let exact = terms.reduce(0.0) { $0 + Double($1) }
            #expect(abs(total - exact) <= 1e-6 * exact)
            #expect(total == sums.reduce(0.0) { $0 + Double($1) })
            let below = row.withUnsafeBufferPointer {
                kernels.exponentials($0, greatest: most + 200, scale: 1, floor: 0)
            }
            #expect(below == 0)
        }
    }

    @Test(
        "sums from a bound and what lies between bounds agree with plain loops", arguments: CPUInstructionSet.supported)
    func bounds(_ level: CPUInstructionSet) {
        let kernels = LogitRow(level)
        for count in Self.lengths {
            var terms = (0..<count).map { Float(RandomStream.mix(UInt64($0)) >> 40) / 16_777_216 }
            let exact = terms.filter { $0 >= 0.25 }.reduce(0.0) { $0 + Double($1) }
            let kept = terms.filter { $0 >= 0.25 && $0 < 0.75 }
            let sum = terms.withUnsafeBufferPointer { kernels.sum($0, from: 0.25) }
            #expect(abs(sum - exact) <= 1e-6 * exact)
            let length = terms.withUnsafeMutableBufferPointer { terms in
                terms.baseAddress.map { kernels.keep(UnsafeBufferPointer(terms), from: 0.25, below: 0.75, in: $0) }
            }
            #expect(length == kept.count)
            #expect(Array(terms.prefix(kept.count)) == kept)
        }
    }

    @Test(
        "a wide nucleus is the head of a full sort, at every level and whatever the terms",
        arguments: CPUInstructionSet.supported)
    func nucleus(_ level: CPUInstructionSet) {
        let kernels = LogitRow(level)
        for (seed, count) in [3000, 3000, 3000, 20_000].enumerated() {
            // Terms of many sizes, of one size, and in steps.
            var terms: [Float] = (0..<count).map { index in
                let unit = Float(RandomStream.mix(UInt64(seed * count + index)) >> 40) / 16_777_216
                switch seed {
                case 0: return Foundation.exp(-20 * unit)
                case 1: return 0.5
                case 2: return 1 / Float(1 + Int(unit * 8))
                default: return unit
                }
            }
            terms[count / 2] = 1
            for share in [0.05, 0.5, 0.9, 0.999] {
                let total = terms.reduce(0.0) { $0 + Double($1) }
                var expected = terms.sorted(by: >)[...]
                var sum = 0.0
                expected = expected.prefix { term in
                    defer { sum += Double(term) }
                    return sum < share * total
                }
                var scratch = [Float](repeating: 0, count: count)
                var kept = terms
                kept.withUnsafeMutableBufferPointer { kept in
                    scratch.withUnsafeMutableBufferPointer { scratch in
                        let nucleus = WideNucleus(
                            of: UnsafeBufferPointer(kept), total: total, share: share, scratch: scratch, with: kernels)
                        nucleus.dropSurplus(of: kept)
                        for index in kept.indices where kept[index] < nucleus.least { kept[index] = 0 }
                    }
                }
                let size = kept.filter { $0 > 0 }.count
                // Sums are rounded differently: one token in ten thousand may be in or out.
                #expect(abs(size - expected.count) <= 1 + count / 10_000, "\(level) \(seed) \(share)")
                #expect(kept.filter { $0 > 0 }.min() == expected.last || abs(size - expected.count) > 0)
            }
        }
    }
}
