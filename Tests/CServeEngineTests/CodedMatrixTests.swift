// Matrices of codes on their way from a file to a backend: stacked, sliced, mixed, and none of their numbers changed.

import CServeCore
import Testing

@testable import CServeEngine

/// Formats to mix, of every code, with and without groups, minimums and f32 scales.
private let some: [QuantizedFormat] = [
    QuantizedFormat(.int8), QuantizedFormat(.int8, group: 16, scale: .float32, hasMinimums: true),
    QuantizedFormat(.int4, group: 32, scale: .bfloat16), QuantizedFormat(.int4, group: 128, scale: .float16),
    QuantizedFormat(.int4, group: 64, scale: .float16, hasMinimums: true), QuantizedFormat(.fp8),
    QuantizedFormat(.fp8, group: 128, scale: .float32),
]

@Suite struct CodedMatrixTests {
    private struct Mix: CustomTestStringConvertible, Sendable {
        var formats: [QuantizedFormat]
        var testDescription: String { formats.map(\.testDescription).joined(separator: " and ") }
        static let all = some.flatMap { first in some.map { Mix(formats: [first, $0]) } }
    }

    private func expect(_ found: Matrix, equals parts: [FakeCodedMatrix], columns: Range<Int>) {
        var row = 0
        for part in parts {
            for r in 0..<part.rows {
                for (i, column) in columns.enumerated() {
                    let (value, size) = part.value(r, column)
                    // The product and the difference are rounded in f32; the codes and scales are not.
                    #expect(abs(Double(found[row][i]) - value) <= 1.5e-7 * size)
                }
                row += 1
            }
        }
    }

    @Test("A stack of parts takes one format that holds all of them, or becomes plain", arguments: Mix.all)
    private func stacked(_ mix: Mix) throws {
        var random = Uniform(seed: 21)
        let parts = [
            FakeCodedMatrix(mix.formats[0], 70, 200, &random), FakeCodedMatrix(mix.formats[1], 33, 200, &random),
        ]
        let common = mix.formats[0].holding(mix.formats[1])
        #expect(common == mix.formats[1].holding(mix.formats[0]))
        let format: WeightFormat = common.map { .quantized($0) } ?? .plain(.float32)
        let cpu = try CPUBackend(threads: 2)
        let packed = try cpu.weight(parts.map { CodedSlice($0) }, as: format)
        expect(try cpu.table(packed, rows: 103, columns: 200), equals: parts, columns: 0..<200)
        let oracle = Reference()
        let kept = try oracle.weight(parts.map { CodedSlice($0) }, as: format)
        expect(try oracle.table(kept, rows: 103, columns: 200), equals: parts, columns: 0..<200)
    }

    @Test("A slice of columns keeps its codes where a group size begins with it", arguments: some)
    func sliced(_ format: QuantizedFormat) throws {
        var random = Uniform(seed: 22)
        let matrix = FakeCodedMatrix(format, 40, 300, &random)
        let cpu = try CPUBackend(threads: 1)
        for (first, group) in [(0, 128), (128, 128), (64, 64), (96, 32), (48, 16), (5, nil)] as [(Int, Int?)] {
            let columns = first..<(first + 100)
            let slice = CodedSlice(matrix, rows: 3..<40, columns: columns)
            let held = format.sliced(at: first)
            #expect(held == nil ? group == nil : held?.group == format.group.map { min($0, group ?? 0) })
            let packed = try cpu.weight([slice], as: held.map { .quantized($0) } ?? .plain(.float32))
            var rows = matrix
            rows.rows = 37
            rows.codes.removeFirst(3 * 300)
            rows.scales.removeFirst(3 * format.groups(columns: 300))
            if format.hasMinimums { rows.minimums.removeFirst(3 * format.groups(columns: 300)) }
            expect(try cpu.table(packed, rows: 37, columns: 100), equals: [rows], columns: columns)
        }
    }

    @Test("A matrix of plain and coded parts becomes plain")
    func plainAndCoded() throws {
        var random = Uniform(seed: 23)
        let coded = FakeCodedMatrix(some[0], 5, 20, &random)
        let plain = random.values(60)
        let found = try plain.withUnsafeBytes { bytes in
            let rows = MatrixSource.PlainRows(
                base: bytes.baseAddress!, element: .float32, rows: 3, rowStride: 20)
            let source = MatrixSource(parts: [.plain(rows), .coded(CodedSlice(coded))], columns: 20, bias: nil)
            let cpu = try CPUBackend(threads: 1)
            let layout = cpu.weightLayout(.plain(.float32))
            let memory = try cpu.allocate("test", bytes: layout.bytes(rows: 8, columns: 20))
            return try cpu.table(cpu.pack(source, layout: layout, into: memory, at: 0), rows: 8, columns: 20)
        }
        #expect(found.rows(0..<3).values == plain)
        expect(found.rows(3..<8), equals: [coded], columns: 0..<20)
    }
}
