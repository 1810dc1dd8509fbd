// The oracle itself against numbers worked out by hand or by numpy (the formula stands beside each).

import CServeCore
import Foundation
import Testing

@testable import CServeEngine

@Suite struct ReferenceTests {
    private let backend = Reference()

    private func buffer(_ values: [[Float]]) throws -> HostBuffer {
        let columns = values[0].count
        let buffer = HostBuffer(
            try HostMemory("test", bytes: values.count * columns * 4), at: 0, rows: values.count, columns: columns)
        for (row, numbers) in values.enumerated() { for (i, x) in numbers.enumerated() { buffer.row(row)[i] = x } }
        return buffer
    }

    private func zeros(_ rows: Int, _ columns: Int) throws -> HostBuffer {
        try buffer(Array(repeating: Array(repeating: 0, count: columns), count: rows))
    }

    private func vector(_ values: [Float]) throws -> HostVector {
        HostVector(values, into: try HostMemory("test", bytes: values.count * 4), at: 0)
    }

    private func values(_ buffer: HostBuffer) -> [[Float]] {
        (0..<buffer.rows).map { row in (0..<buffer.columns).map { buffer.row(row)[$0] } }
    }

    private func matrix(_ rows: [[Float]], bias: [Float]? = nil) throws -> Reference.Matrix {
        let flat = rows.joined().map { $0 }
        let memory = try HostMemory("test", bytes: 4096)
        return try flat.withUnsafeBytes { bytes in
            let part = MatrixSource.PlainRows(
                base: bytes.baseAddress!, element: .float32, rows: rows.count, rowStride: rows[0].count)
            return try backend.pack(
                MatrixSource(parts: [.plain(part)], columns: rows[0].count, bias: bias),
                layout: backend.weightLayout(.plain(.float32)), into: memory, at: 0)
        }
    }

    private func isClose(_ a: [[Float]], _ b: [[Float]], _ tolerance: Float = 1e-6) -> Bool {
        zip(a.joined(), b.joined()).allSatisfy { abs($0 - $1) <= tolerance } && a.joined().count == b.joined().count
    }

    @Test("linear multiplies by the transposed matrix and adds the bias")
    func linear() throws {
        let out = try zeros(2, 3)
        let weight = try matrix([[1, 2], [3, 4], [5, 6]], bias: [10, 20, 30])
        backend.linear(try buffer([[1, 1], [2, -1]]), weight, rows: 2, into: out)
        #expect(values(out) == [[13, 27, 41], [10, 22, 34]])
    }

    @Test("norms divide by the root of the mean square; a sum goes before")
    func norms() throws {
        let out = try zeros(1, 2)
        // sqrt((9 + 16) / 2 + 0.5) = sqrt(13)
        backend.rmsNorm(try buffer([[3, 4]]), weight: try vector([1, 2]), epsilon: 0.5, rows: 1, into: out)
        let root = Float(13).squareRoot()
        #expect(isClose(values(out), [[3 / root, 8 / root]]))
        let stream = try buffer([[2, 3]])
        backend.addNorm(
            try buffer([[1, 1]]), to: stream, weight: try vector([1, 2]), epsilon: 0.5, rows: 1, into: out)
        #expect(values(stream) == [[3, 4]])
        #expect(isClose(values(out), [[3 / root, 8 / root]]))
        let heads = try buffer([[9, 9, 3, 4, 9, 9]])
        backend.normHeads(heads, heads: 1..<2, headDim: 2, weight: try vector([1, 2]), epsilon: 0.5, rows: 1)
        #expect(isClose(values(heads), [[9, 9, 3 / root, 8 / root, 9, 9]]))
    }

    @Test("activations are torch's: silu, gelu, gelu(tanh), relu at -1.5, 0.3 and 2")
    func activations() throws {
        // Origin: torch.nn.functional.{silu, gelu, gelu(approximate="tanh"), relu} in f64.
        let expected: [Activation: [Float]] = [
            .silu: [-0.2736383, 0.17233275, 1.7615942], .gelu: [-0.10021079, 0.18537343, 1.9544997],
            .geluTanh: [-0.10042842, 0.18537012, 1.9545977], .relu: [0, 0.3, 2],
        ]
        for activation in Activation.allCases {
            let out = try zeros(1, 3)
            backend.activate(try buffer([[-1.5, 0.3, 2, 1, 2, 3]]), activation, rows: 1, into: out)
            let scaled = zip(expected[activation] ?? [], [Float(1), 2, 3]).map { $0 * $1 }
            #expect(isClose(values(out), [scaled], 1e-5), "\(activation) \(values(out))")
        }
    }

    @Test("a softcap bends towards its limit")
    func softcap() throws {
        let x = try buffer([[3, -100]])
        backend.softcap(x, cap: 2, rows: 1, columns: 2)
        #expect(isClose(values(x), [[2 * 0.9051483, -2]]))  // tanh(1.5) = 0.9051483
    }

    @Test("rotation turns the halves of a head against each other and leaves the rest")
    func rotation() throws {
        let x = try buffer([[1, 2, 5], [1, 2, 5]])
        var batch = BatchInputs(blockSize: 4)
        batch.append(tokens: [0, 0], start: 0, blockTable: [0], wanted: .none)
        // Position 1 turns by 90 degrees: cos 0, sin 1.
        let rope = RopeTable(
            cosines: try vector([1, 0]), sines: try vector([0, 1]), rotaryDim: 2, positions: 2)
        backend.rotate(x, heads: 0..<1, headDim: 3, rope: rope, batch: batch)
        #expect(values(x) == [[1, 2, 5], [-2, 1, 5]])
    }

    @Test("attention is the softmax of scaled scores, inside the window and under the cap", arguments: [nil, 2])
    func attention(_ window: Int?) throws {
        let keys: [Float] = [0.5, -1, 2]
        let values: [Float] = [1, 10, 100]
        let shape = AttentionShape(heads: 2, kvHeads: 1, headDim: 1, scale: 0.5, window: window, softcap: 3)
        let qkv = try buffer((0..<3).map { [1, -2, keys[$0], values[$0]] })
        let out = try zeros(3, 2)
        let plan = KVCachePlan(layers: 2, blocks: 3, blockSize: 2, kvHeads: 1, headDim: 1, format: .float32)
        let cache = PagedKVCache(try HostMemory("test", bytes: plan.bytes), plan: plan)
        var batch = BatchInputs(blockSize: 2)
        batch.append(tokens: [0, 0, 0], start: 0, blockTable: [2, 0], wanted: .none)
        backend.store(qkv, heads: shape, into: cache, layer: 1, batch: batch)
        backend.attend(qkv, heads: shape, cache: cache, layer: 1, batch: batch, into: out)
        for position in 0..<3 {
            for (head, query) in [Double(1), -2].enumerated() {
                let seen = max(0, position - (window ?? 9) + 1)...position
                let weights = seen.map { exp(3 * tanh(query * Double(keys[$0]) * 0.5 / 3)) }
                let sum = zip(weights, seen).reduce(0.0) { $0 + $1.0 * Double(values[$1.1]) }
                let expected = Float(sum / weights.reduce(0, +))
                #expect(abs(out.row(position)[head] - expected) < 1e-4)
            }
        }
    }

    @Test("experts are chosen by score, ties to the lower index, weights by softmax over all or over the chosen")
    func routing() throws {
        let scores = try buffer([[0, log(3), log(2), 0], [1, 1, 1, 1]])
        let routing = Routing()
        backend.route(
            scores, spec: MixtureSpec(experts: 4, perToken: 2, renormalise: false), rows: 2, into: routing)
        // Row 0: exp = 1, 3, 2, 1 of 7: experts 1 and 2. Row 1: experts 0 and 1, a quarter each.
        #expect(isClose([routing.weights], [[3.0 / 7, 2.0 / 7, 0.25, 0.25]]))
        #expect(routing.offsets == [0, 1, 3, 4, 4])
        #expect(routing.sources == [1, 0, 1, 0] && routing.places == [1, 3, 0, 2])
        let out = try zeros(2, 1)
        backend.combine(try buffer([[1], [7], [5], [14]]), routing: routing, rows: 2, into: out)
        #expect(isClose(values(out), [[7], [1.5]]))  // 3/7 * 7 + 2/7 * 14; (1 + 5) / 4
        backend.route(
            scores, spec: MixtureSpec(experts: 4, perToken: 2, renormalise: true), rows: 2, into: routing)
        #expect(isClose([routing.weights], [[0.6, 0.4, 0.5, 0.5]]))
    }

    @Test("a lookup outside a rank's rows is zero, inside it is scaled")
    func embedding() throws {
        var batch = BatchInputs(blockSize: 4)
        batch.append(tokens: [5, 3, 6], start: 0, blockTable: [0], wanted: .none)
        let out = try buffer([[9, 9], [9, 9], [9, 9]])
        backend.embed(batch, table: try matrix([[1, 2], [3, 4]]), firstToken: 5, scale: 2, into: out)
        #expect(values(out) == [[2, 4], [0, 0], [6, 8]])
    }

    @Test("the shared expert is added by its sigmoid")
    func shared() throws {
        let x = try buffer([[1, 2]])
        backend.addGated(try buffer([[10, 20]]), gate: try buffer([[log(3)]]), to: x, rows: 1)
        #expect(isClose(values(x), [[8.5, 17]]))  // sigmoid(log 3) = 0.75
    }
}

@Suite struct ElementConversionTests {
    @Test("every half and bfloat16 survives the way to f32 and back")
    func roundTrip() {
        for bits in UInt16.min...UInt16.max {
            let half = ElementConversion.halfToFloat(bits)
            let brain = Float(bitPattern: UInt32(bits) << 16)
            if half.isNaN {
                #expect(ElementConversion.halfToFloat(ElementConversion.floatToHalf(half)).isNaN)
            } else if ElementConversion.floatToHalf(half) != bits {
                Issue.record("half \(bits)")
            }
            if !brain.isNaN && ElementConversion.floatToBrain(brain) != bits { Issue.record("bfloat16 \(bits)") }
        }
    }

    @Test("rounding is to nearest, ties to even")
    func rounding() {
        // Origin: numpy.float16 of the same values.
        let cases: [(Float, UInt16)] = [
            (65519.996, 0x7BFF), (65520, 0x7C00), (-1e9, 0xFC00), (2049, 0x6800), (2051, 0x6802), (5.96e-8, 0x0001),
            (2.9802322e-8, 0x0000), (6.1e-5, 0x03FF), (0.33333334, 0x3555), (6.1035156e-5, 0x0400),
        ]
        for (value, bits) in cases { #expect(ElementConversion.floatToHalf(value) == bits, "\(value)") }
        #expect(ElementConversion.floatToBrain(1.00390625) == 0x3F80)  // a tie, to even
        #expect(ElementConversion.floatToBrain(1.01171875) == 0x3F82)
    }
}
