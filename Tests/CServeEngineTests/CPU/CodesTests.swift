// Products and look-ups of weights made of codes against the numbers that they stand for, by their definition.

import CServeCore
import Testing

@testable import CServeEngine

@Suite struct CodesTests {
    /// Rows, inputs, outputs: below, at and above tiles (3 and 6 rows), panels (64), blocks (128), unpacked runs (1024).
    static let shapes = [(1, 1, 1), (2, 37, 5), (7, 130, 65), (3, 1100, 70), (98, 140, 3), (1, 256, 64)]

    /// Numbers that eight bits hold: each block of 128 has a 127, so that its scale is a power of two.
    private func exact(_ rows: Int, _ inputs: Int, _ random: inout Uniform) -> Matrix {
        var x = Matrix(rows, inputs, random.values(rows * inputs, -127...127).map { $0.rounded() })
        for row in 0..<rows {
            for first in stride(from: 0, to: inputs, by: 128) { x.values[row * inputs + first] = 127 }
            let scale = Float(sign: .plus, exponent: -row % 9, significand: 1)
            for i in 0..<inputs { x.values[row * inputs + i] *= scale }
        }
        return x
    }

    @Test("Products equal the oracle's on the numbers that codes stand for", arguments: QuantizedFormat.all)
    func products(_ format: QuantizedFormat) throws {
        let levels = try CPUInstructionSet.supported.map { try CPUBackend(threads: 2, instructionSet: $0) }
        let oracle = Reference()
        var random = Uniform(seed: 11)
        for (rows, inputs, outputs) in Self.shapes {
            let coded = FakeCodedMatrix(format, outputs, inputs, &random)
            let (values, sizes) = coded.dense
            let x = exact(rows, inputs, &random)
            let bias = random.values(outputs)
            let expected = try oracle.linear(x, [values], stored: .float32, as: .float32, bias: bias)
            let size = try oracle.linear(x.magnitudes, [sizes], stored: .float32, as: .float32)
            for cpu in levels {
                let found = try cpu.product(x, try cpu.weight(coded, bias: bias), outputs: outputs)
                let worst = zip(zip(found.values, expected.values), size.values).map { pair, size in
                    abs(pair.0 - pair.1) / (size + 1)
                }.max()
                // Nothing is rounded but f32 sums: at most 70 groups, each half an ulp (6e-8) of what is summed.
                #expect(try #require(worst) < 2e-6, "\(rows)x\(inputs)x\(outputs) on \(cpu.instructionSet)")
            }
        }
    }

    @Test(
        "Activations are rounded to eight bits of their block's largest, or not at all", arguments: QuantizedFormat.all)
    func activations(_ format: QuantizedFormat) throws {
        var random = Uniform(seed: 12)
        let coded = FakeCodedMatrix(format, 40, 300, &random)
        let (values, sizes) = coded.dense
        let x = Matrix(5, 300, &random, -3...3)
        let expected = try Reference().linear(x, [values], stored: .float32, as: .float32)
        for level in CPUInstructionSet.supported {
            let cpu = try CPUBackend(threads: 1, instructionSet: level)
            let found = try cpu.product(x, try cpu.weight(coded), outputs: 40)
            for output in 0..<40 {
                // Half a step is the block's largest / 254 (cs_linear's rule); bf16 would be 2^-9 of each number.
                let bound = values[output].reduce(0) { $0 + abs($1) } * 3 / 254
                let slack = sizes[output].reduce(0, +) * 3 * 2e-6
                for row in 0..<5 {
                    let place = row * 40 + output
                    #expect(abs(found.values[place] - expected.values[place]) <= bound + slack)
                }
            }
        }
    }

    private static let integers = QuantizedFormat.all.filter { $0.code != .fp8 }

    @Test("Integer codes give the same bits at every level of the kernels", arguments: integers)
    func bits(_ format: QuantizedFormat) throws {
        var random = Uniform(seed: 15)
        for (rows, inputs, outputs) in Self.shapes {
            let coded = FakeCodedMatrix(format, outputs, inputs, &random)
            let x = Matrix(rows, inputs, &random, -3...3)
            let plain = try CPUBackend(threads: 1, instructionSet: .portable)
            let expected = try plain.product(x, try plain.weight(coded), outputs: outputs)
            for level in CPUInstructionSet.supported {
                let cpu = try CPUBackend(threads: 1, instructionSet: level)
                let found = try cpu.product(x, try cpu.weight(coded), outputs: outputs)
                #expect(found == expected, "\(rows)x\(inputs)x\(outputs) on \(level)")
            }
        }
    }

    /// The scales' type changes how they are read, not what is done with them.
    private static let kinds = QuantizedFormat.all.filter { $0.scale == .bfloat16 }

    @Test("A row's products do not depend on its company or the threads", arguments: kinds)
    func invariant(_ format: QuantizedFormat) throws {
        var random = Uniform(seed: 13)
        let all = Matrix(100, 150, &random)
        let coded = FakeCodedMatrix(format, 70, 150, &random)
        for level in CPUInstructionSet.supported {
            var first: Matrix?
            for threads in [1, 3] {
                let cpu = try CPUBackend(threads: threads, instructionSet: level)
                let weight = try cpu.weight(coded)
                let whole = try cpu.product(all, weight, outputs: 70)
                #expect(first == nil || whole == first, "\(threads) threads on \(level)")
                first = whole
                for rows in [1, 2, 3, 4, 5, 6, 7, 13, 40] {
                    let some = try cpu.product(all.rows(17..<17 + rows), weight, outputs: 70)
                    #expect(some == whole.rows(17..<17 + rows), "\(rows) rows, \(threads) threads on \(level)")
                }
            }
        }
    }

    @Test("Looking a row up gives the numbers that its codes stand for", arguments: QuantizedFormat.all)
    func lookUp(_ format: QuantizedFormat) throws {
        var random = Uniform(seed: 14)
        let coded = FakeCodedMatrix(format, 70, 37, &random)
        let (values, sizes) = coded.dense
        let cpu = try CPUBackend(threads: 2)
        let found = try cpu.table(try cpu.weight(coded), rows: 70, columns: 37)
        let oracle = try Reference().table(try Reference().weight(coded), rows: 70, columns: 37)
        #expect(found == oracle)
        // One product and one difference in f32.
        for i in found.values.indices { #expect(abs(found.values[i] - values.values[i]) <= 1.5e-7 * sizes.values[i]) }
    }

    @Test("The layout's bytes are the kernels'", arguments: QuantizedFormat.all)
    func bytes(_ format: QuantizedFormat) throws {
        let layout = try CPUBackend(threads: 1).weightLayout(.quantized(format))
        for (rows, columns) in [(1, 1), (64, 3), (65, 128), (32000, 2047)] {
            let packed = CPUBackend.packedBytes(rows: rows, columns: columns, format: .quantized(format))
            #expect(layout.bytes(rows: rows, columns: columns) == packed)
        }
    }
}

extension Matrix {
    fileprivate var magnitudes: Matrix { Matrix(rows, columns, values.map(abs)) }
}
