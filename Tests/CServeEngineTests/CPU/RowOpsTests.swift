// Norms, sums, activations, rotations and mixtures against the oracle, over odd widths and instruction sets.

import CKernels
import CServeCore
import Foundation
import Testing

@testable import CServeEngine

@Suite struct RowOpsTests {
    static let widths = [1, 7, 16, 63, 64, 65, 130, 577]

    /// Runs `body` on both backends over all widths and compares.
    private func compare(
        _ level: CPUInstructionSet, seed: UInt64, tolerance: Float,
        _ body: (any Backend, Int, inout Uniform) throws -> Matrix
    ) throws {
        let cpu = try CPUBackend(threads: 2, instructionSet: level)
        let oracle = Reference()
        for (index, width) in Self.widths.enumerated() {
            var random = Uniform(seed: seed &+ UInt64(index))
            var same = random
            let found = try body(cpu, width, &random)
            let expected = try body(oracle, width, &same)
            #expect(found.distance(to: expected) < tolerance, "width \(width) on \(level), seed \(seed)")
        }
    }

    @Test("RMS norms equal the oracle's, alone and after an addition", arguments: CPUInstructionSet.supported)
    func norms(_ level: CPUInstructionSet) throws {
        try compare(level, seed: 10, tolerance: 2e-6) { ops, width, random in
            try ops.norm(Matrix(5, width, &random), weight: random.values(width), delta: nil)
        }
        try compare(level, seed: 11, tolerance: 2e-6) { ops, width, random in
            try ops.norm(
                Matrix(5, width, &random), weight: random.values(width), delta: Matrix(5, width, &random))
        }
    }

    @Test("Gated activations equal the oracle's", arguments: CPUInstructionSet.supported)
    func activations(_ level: CPUInstructionSet) throws {
        for activation in Activation.allCases {
            // 1 + erf cancels at -9: 6e-8 times |gate * up| / 2, at most 40.
            try compare(level, seed: 20, tolerance: 8e-6) { ops, width, random in
                try ops.activate(Matrix(3, 2 * width, &random, -9...9), activation)
            }
        }
    }

    @Test("Softcap, addition, gated addition and gather equal the oracle's", arguments: CPUInstructionSet.supported)
    func elementwise(_ level: CPUInstructionSet) throws {
        try compare(level, seed: 30, tolerance: 1e-6) { ops, width, random in
            try ops.softcap(Matrix(3, width, &random, -80...80), cap: 30)
        }
        try compare(level, seed: 31, tolerance: 1e-6) { ops, width, random in
            try ops.addGated(
                Matrix(4, width, &random), gate: Matrix(4, 1, &random, -5...5), to: Matrix(4, width, &random))
        }
        try compare(level, seed: 32, tolerance: 0.0000001) { ops, width, random in
            try ops.gather(Matrix(4, width, &random), rows: [3, 0, 3])
        }
    }

    @Test(
        "Heads are normed and rotated like the oracle's, partly rotated ones too",
        arguments: CPUInstructionSet.supported)
    func heads(_ level: CPUInstructionSet) throws {
        let cpu = try CPUBackend(threads: 2, instructionSet: level)
        let oracle = Reference()
        for (dim, rotary) in [(8, 8), (16, 4), (80, 32), (64, 64), (96, 96), (256, 128)] {
            var random = Uniform(seed: UInt64(dim))
            let qkv = Matrix(7, 5 * dim, &random)
            let weight = random.values(dim)
            let angles = Matrix(50, rotary / 2, &random, -3...3)
            let found = try cpu.heads(qkv, dim: dim, rotary: rotary, weight: weight, angles: angles)
            let expected = try oracle.heads(qkv, dim: dim, rotary: rotary, weight: weight, angles: angles)
            #expect(found.distance(to: expected) < 3e-6, "\(rotary) of \(dim)")
        }
    }

    @Test("Mixtures choose and combine like the oracle", arguments: CPUInstructionSet.supported)
    func mixtures(_ level: CPUInstructionSet) throws {
        let cpu = try CPUBackend(threads: 2, instructionSet: level)
        let oracle = Reference()
        for (experts, perToken) in [(2, 1), (8, 2), (60, 4), (128, 8)] {
            for renormalise in [true, false] {
                var random = Uniform(seed: UInt64(experts))
                var logits = Matrix(23, experts, &random, -4...4)
                logits.values.replaceSubrange(0..<experts, with: [Float](repeating: 1, count: experts))
                let outputs = Matrix(23 * perToken, 19, &random)
                let spec = MixtureSpec(experts: experts, perToken: perToken, renormalise: renormalise)
                let found = try cpu.mixture(logits, spec, outputs)
                let expected = try oracle.mixture(logits, spec, outputs)
                #expect(found.routing.places == expected.routing.places)
                #expect(found.routing.sources == expected.routing.sources)
                #expect(found.routing.offsets == expected.routing.offsets)
                #expect(found.out.distance(to: expected.out) < 2e-6)
            }
        }
    }

    @Test("exp, tanh and erf stay within a few ulp of libm", arguments: CPUInstructionSet.supported)
    func functions(_ level: CPUInstructionSet) throws {
        let cpu = try CPUBackend(threads: 1, instructionSet: level)
        let exponents = (0..<20_000).map { -87 + Float($0) * 0.00877 }
        #expect(relativeError(map(cpu, CS_EXP, exponents), exponents.map { exp(Double($0)) }) < 2.5e-7)
        let small = (0..<20_000).map { -10 + Float($0) * 0.001 }
        #expect(relativeError(map(cpu, CS_TANH, small), small.map { tanh(Double($0)) }) < 3e-7)
        #expect(relativeError(map(cpu, CS_ERF, small), small.map { erf(Double($0)) }) < 4e-7)
        let edges: [Float] = [-.infinity, .infinity, 0, -0.0, -200, 200, -87.34, 88.73]
        #expect(map(cpu, CS_EXP, edges) == [0, .infinity, 1, 1, 0, .infinity, 0, .infinity])
        #expect(map(cpu, CS_TANH, [-.infinity, .infinity, 0]) == [-1, 1, 0])
        #expect(map(cpu, CS_EXP, [.nan])[0].isNaN && map(cpu, CS_TANH, [.nan])[0].isNaN)
    }

    @Test(
        "The sampler's sums ignore masked entries and take the lowest of equals", arguments: CPUInstructionSet.supported
    )
    func sums(_ level: CPUInstructionSet) throws {
        let cpu = try CPUBackend(threads: 1, instructionSet: level)
        var random = Uniform(seed: 5)
        for count in [1, 15, 16, 17, 33, 1000] {
            var row = random.values(count, -20...20)
            if count > 3 { row[1] = -.infinity }
            let expected = row.map { exp(Double($0)) }.reduce(0, +)
            let found = logSumExp(cpu, row)
            #expect(abs(Double(found.logSumExp) - log(expected)) < 2e-6 * max(1, log(expected)))
            #expect(found.largest == row.max())
            #expect(argmax(cpu, row) == row.firstIndex(of: row.max() ?? 0))
        }
        #expect(argmax(cpu, [1, 3, 2, 3]) == 1)
    }
}

/// The largest error relative to the value.
private func relativeError(_ found: [Float], _ expected: [Double]) -> Double {
    zip(found, expected).map { $1 == 0 ? abs(Double($0)) : abs(Double($0) - $1) / abs($1) }.max() ?? 0
}

private func map(_ cpu: CPUBackend, _ function: cs_function, _ x: [Float]) -> [Float] {
    var y = [Float](repeating: .nan, count: x.count)
    cs_map(cpu.context, function, x, Int32(x.count), &y)
    return y
}

private func logSumExp(_ cpu: CPUBackend, _ x: [Float]) -> (largest: Float, logSumExp: Float) {
    var largest: Float = 0
    var sum: Float = 0
    cs_log_sum_exp(cpu.context, x, Int32(x.count), &largest, &sum)
    return (largest, sum)
}

private func argmax(_ cpu: CPUBackend, _ x: [Float]) -> Int { Int(cs_argmax(cpu.context, x, Int32(x.count))) }

extension Backend {
    /// `rows * columns` numbers that no operation may leave as they are.
    func blank(_ rows: Int, _ columns: Int) throws -> Buffer {
        try buffer(Matrix(rows, columns, [Float](repeating: .nan, count: rows * columns)))
    }

    fileprivate func norm(_ x: Matrix, weight: [Float], delta: Matrix?) throws -> Matrix {
        let out = try blank(x.rows, x.columns)
        let residual = try buffer(x)
        guard let delta else {
            rmsNorm(residual, weight: try vector(weight), epsilon: 1e-5, rows: x.rows, into: out)
            return matrix(out, rows: x.rows, columns: x.columns)
        }
        addNorm(try buffer(delta), to: residual, weight: try vector(weight), epsilon: 1e-5, rows: x.rows, into: out)
        let sums = matrix(residual, rows: x.rows, columns: x.columns)
        return Matrix(2 * x.rows, x.columns, sums.values + matrix(out, rows: x.rows, columns: x.columns).values)
    }

    fileprivate func activate(_ gateUp: Matrix, _ activation: Activation) throws -> Matrix {
        let out = try blank(gateUp.rows, gateUp.columns / 2)
        activate(try buffer(gateUp), activation, rows: gateUp.rows, into: out)
        return matrix(out, rows: gateUp.rows, columns: gateUp.columns / 2)
    }

    /// Caps all columns but the last.
    fileprivate func softcap(_ x: Matrix, cap: Float) throws -> Matrix {
        let out = try buffer(x)
        softcap(out, cap: cap, rows: x.rows, columns: x.columns - 1)
        return matrix(out, rows: x.rows, columns: x.columns)
    }

    fileprivate func addGated(_ delta: Matrix, gate: Matrix, to x: Matrix) throws -> Matrix {
        let out = try buffer(x)
        addGated(try buffer(delta), gate: try buffer(gate), to: out, rows: x.rows)
        add(try buffer(delta), to: out, rows: x.rows)
        return matrix(out, rows: x.rows, columns: x.columns)
    }

    fileprivate func gather(_ x: Matrix, rows: [Int32]) throws -> Matrix {
        let out = try blank(rows.count, x.columns)
        let from = try buffer(x)
        rows.withUnsafeBufferPointer { gather(from, rows: $0, into: out) }
        return matrix(out, rows: rows.count, columns: x.columns)
    }

    /// Norms all heads but the last and rotates all but the first.
    fileprivate func heads(_ qkv: Matrix, dim: Int, rotary: Int, weight: [Float], angles: Matrix) throws -> Matrix {
        let out = try buffer(qkv)
        let count = qkv.columns / dim
        var inputs = BatchInputs(blockSize: 16)
        inputs.append(tokens: [Int32](repeating: 0, count: 2), start: 3, blockTable: [0], wanted: .none)
        inputs.append(
            tokens: [Int32](repeating: 0, count: qkv.rows - 2), start: 40, blockTable: [1, 2, 3], wanted: .none)
        let rope = RopeTable(
            cosines: try vector(angles.values.map { cos($0) }), sines: try vector(angles.values.map { sin($0) }),
            rotaryDim: rotary, positions: angles.rows)
        normHeads(
            out, heads: 0..<(count - 1), headDim: dim, weight: try vector(weight), epsilon: 1e-6, rows: qkv.rows)
        rotate(out, heads: 1..<count, headDim: dim, rope: rope, batch: try prepare(inputs))
        return matrix(out, rows: qkv.rows, columns: qkv.columns)
    }

    fileprivate func mixture(_ logits: Matrix, _ spec: MixtureSpec, _ outputs: Matrix) throws
        -> (routing: Routing, out: Matrix)
    {
        let routing = Routing()
        route(try buffer(logits), spec: spec, rows: logits.rows, into: routing)
        let out = try blank(logits.rows, outputs.columns)
        combine(try buffer(outputs), routing: routing, rows: logits.rows, into: out)
        return (routing, matrix(out, rows: logits.rows, columns: outputs.columns))
    }
}
