// Products and look-ups of packed weights against the oracle, over odd shapes, types and instruction sets.

import CKernels
import CServeCore
import Testing

@testable import CServeEngine

@Suite struct LinearTests {
    /// Rows, inputs, outputs: below, at and above the kernels' tiles (6 rows, 64 outputs, pairs of inputs, runs of 1024).
    static let shapes = [
        (1, 1, 1), (2, 3, 5), (5, 16, 64), (6, 64, 63), (7, 65, 65), (13, 127, 130), (8, 2048, 3), (8, 512, 300),
        (8, 513, 300),
        (1, 1030, 192), (70, 33, 7), (1, 2055, 70),
        (9, 2055, 40), (3, 2055, 257), (98, 40, 70),
    ]

    @Test("Products equal the oracle's for every type, shape and instruction set", arguments: ElementType.allCases)
    func products(_ element: ElementType) throws {
        let levels = try CPUInstructionSet.supported.map { try CPUBackend(threads: 2, instructionSet: $0) }
        let oracle = Reference()
        var random = Uniform(seed: 1)
        for (rows, inputs, outputs) in Self.shapes {
            let x = Matrix(rows, inputs, &random)
            let w = Matrix(outputs, inputs, &random)
            let bias = random.values(outputs)
            // The oracle computes in f32 on the rounded numbers.
            let exact = try oracle.linear(x, [w], stored: .float32, as: element, bias: bias)
            let narrow = try oracle.linear(x.rounded(to: .bfloat16), [w], stored: .float32, as: element, bias: bias)
            for cpu in levels {
                // Small products keep x in two terms of bf16: nearly whole.
                let rounds =
                    element == .bfloat16 && cpu.instructionSet.roundsToBF16 && inputs > Int(CS_TWO_TERM_INPUTS)
                    && outputs > Int(CS_TWO_TERM_OUTPUTS)
                let found = try cpu.linear(x, [w], stored: .float32, as: element, bias: bias)
                // f32 sums in another order: a few ulp of the sum of |x w|, which grows like the root of its terms.
                let tolerance = 6e-6 * Float(inputs).squareRoot()
                #expect(
                    found.distance(to: rounds ? narrow : exact) < tolerance,
                    "\(rows)x\(inputs)x\(outputs) on \(cpu.instructionSet)")
            }
        }
    }

    @Test("A stack of parts packs like one matrix, from any stored type")
    func stacked() throws {
        let cpu = try CPUBackend(threads: 2)
        var random = Uniform(seed: 2)
        // More than three blocks of 32 columns and a rest; parts begin and end inside blocks of 16 rows.
        let x = Matrix(3, 101, &random)
        let whole = Matrix(150, 101, &random).rounded(to: .bfloat16).rounded(to: .float16)
        for stored in ElementType.allCases {
            for element in ElementType.allCases {
                let parts = [whole.rows(0..<1), whole.rows(1..<70), whole.rows(70..<150)]
                let one = try cpu.linear(x, [whole], stored: .float32, as: element)
                #expect(try cpu.linear(x, parts, stored: stored, as: element) == one, "\(stored) as \(element)")
                let exact = try Reference().linear(x, [whole], stored: .float32, as: element)
                #expect(one.distance(to: exact) < 2e-4, "\(element)")
            }
        }
    }

    @Test("The layout's bytes are the kernels'")
    func bytes() throws {
        let cpu = try CPUBackend(threads: 1)
        for element in ElementType.allCases {
            for (rows, columns) in [(1, 1), (64, 3), (65, 128), (32000, 2047)] {
                let layout = cpu.weightLayout(.plain(element))
                let packed = CPUBackend.packedBytes(rows: rows, columns: columns, format: .plain(element))
                #expect(layout.bytes(rows: rows, columns: columns) == packed)
            }
        }
    }

    @Test("A row's products do not depend on its company or the threads", arguments: CPUInstructionSet.supported)
    func invariant(_ level: CPUInstructionSet) throws {
        var random = Uniform(seed: 3)
        let all = Matrix(100, 1101, &random)
        let w = Matrix(130, 1101, &random)
        for element in ElementType.allCases {
            var alone: Matrix?
            for threads in 1...3 {
                let cpu = try CPUBackend(threads: threads, instructionSet: level)
                let weight = try cpu.weight([w], stored: .float32, as: element)
                let whole = try cpu.product(all, weight, outputs: 130)
                if alone == nil {
                    alone = try Matrix(
                        100, 130,
                        (0..<100).flatMap { try cpu.product(all.rows($0..<$0 + 1), weight, outputs: 130).values })
                }
                #expect(whole == alone, "\(element) with \(threads) threads")
                for rows in [2, 3, 4, 5, 6, 7, 11, 70] {
                    let some = try cpu.product(all.rows(17..<17 + rows), weight, outputs: 130)
                    #expect(some == alone?.rows(17..<17 + rows), "\(rows) rows, \(element), \(threads) threads")
                }
            }
        }
    }

    @Test("Embedding rows equal the oracle's, zeros outside a shard", arguments: CPUInstructionSet.supported)
    func embedding(_ level: CPUInstructionSet) throws {
        let cpu = try CPUBackend(threads: 2, instructionSet: level)
        let oracle = Reference()
        var random = Uniform(seed: 4)
        let table = Matrix(70, 33, &random)
        var batch = BatchInputs(blockSize: 16)
        batch.append(tokens: [10, 79, 80, 9, 45], start: 0, blockTable: [0], wanted: .none)
        for element in ElementType.allCases {
            let found = try cpu.lookUp(batch, table, as: element)
            #expect(found == (try oracle.lookUp(batch, table, as: element)))
            #expect(found[2] == .init(repeating: 0, count: 33) && found[3] == .init(repeating: 0, count: 33))
        }
    }
}

extension Backend {
    fileprivate func lookUp(_ batch: BatchInputs, _ table: Matrix, as element: ElementType) throws -> Matrix {
        let out = try buffer(
            Matrix(batch.tokens.count, table.columns, .init(repeating: .nan, count: batch.tokens.count * table.columns))
        )
        let weight = try weight([table], stored: .float32, as: element)
        embed(try prepare(batch), table: weight, firstToken: 10, scale: 2.5, into: out)
        return matrix(out, rows: batch.tokens.count, columns: table.columns)
    }
}
