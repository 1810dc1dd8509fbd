// The one rule of quantisation: errors within what its formats allow, the same codes on every level and by every path.

import CKernels
import CServeCore
import Testing

@testable import CServeEngine

@Suite struct QuantizationTests {
    private func quantized(_ values: [Float], _ format: QuantizedFormat) -> [Float] {
        let room = CodeRows(format, rows: 1, columns: values.count)
        room.quantize(values, row: 0)
        var out = values
        room.dequantize(row: 0, into: &out)
        return out
    }

    /// Sums of twelve uniform numbers: nearly a Gaussian of variance one.
    private func bell(_ count: Int) -> [Float] {
        var random = Uniform(seed: 41)
        return (0..<count).map { _ in random.values(12, 0...1).reduce(-6, +) }
    }

    @Test("Numbers come back within half a step of their group's range", arguments: QuantizedFormat.all)
    func steps(_ format: QuantizedFormat) {
        var random = Uniform(seed: 40)
        let values = random.values(300, -3...5)
        let found = quantized(values, format)
        let group = format.group ?? 300
        // Scales are rounded to 8 (bf16), 11 or 24 bits before the codes are chosen; ends may lie that far outside.
        let rounding: Float = [.bfloat16: 0x1p-8, .float16: 0x1p-11, .float32: 0x1p-22][format.scale] ?? 0
        for first in stride(from: 0, to: 300, by: group) {
            let run = values[first..<min(first + group, 300)]
            let (low, high) = (min(run.min() ?? 0, 0), max(run.max() ?? 0, 0))
            let size = max(-low, high)
            for i in run.indices {
                let error = abs(found[i] - values[i])
                switch format.code {
                // e4m3 keeps four bits of a number, and steps of 2^-9 of its scale below.
                case .fp8: #expect(error <= abs(values[i]) / 16 * 1.01 + size / 448 * 0x1p-10 + size * rounding)
                case .int8 where format.hasMinimums: #expect(error <= (high - low) / 510 * 1.01 + 2 * size * rounding)
                case .int8: #expect(error <= size / 254 * 1.01 + size * rounding)
                case .int4 where format.hasMinimums: #expect(error <= (high - low) / 30 * 1.01 + 2 * size * rounding)
                // Sixteen levels from the extreme to seven steps beyond zero, the scale up to 1.12 of the range's.
                case .int4: #expect(error <= size / 8 * 1.12 + size * rounding)
                }
            }
        }
    }

    @Test("Four bits in groups of 32 leave 0.0066 of a Gaussian's variance")
    func leastError() {
        let values = bell(32 * 512)
        let found = quantized(values, QuantizedFormat(.int4, group: 32, scale: .bfloat16))
        let error = zip(values, found).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) } / Double(values.count)
        // numpy, 20,000 groups of normal numbers: 0.00661 with these sixteen scales, 0.00739 with the range's alone.
        #expect(error > 0.0060 && error < 0.0070, "\(error)")
    }

    @Test("Zeros stay zeros, and a number that is none harms its own group only")
    func strange() {
        for format in QuantizedFormat.all {
            #expect(quantized(.init(repeating: 0, count: 37), format).allSatisfy { $0 == 0 }, "\(format)")
        }
        var values = [Float](repeating: 1, count: 64)
        values[3] = .nan
        let found = quantized(values, QuantizedFormat(.int4, group: 32, scale: .bfloat16))
        #expect(found[32...].allSatisfy { abs($0 - 1) < 0.01 })
    }

    @Test("e4m3 codes are those of the scalar rule")
    func floats() {
        var random = Uniform(seed: 42)
        // 448 makes the scale one.
        let values =
            [448] + random.values(2000, -1...1).map { $0 * $0 * $0 * 448 } + [0.001, -0.0005, 0.015625, 17, 18]
        let room = CodeRows(QuantizedFormat(.fp8), rows: 1, columns: values.count)
        room.quantize(values, row: 0)
        for (i, value) in values.enumerated() { #expect(room.codes[i] == cs_f32_to_f8(value), "\(value)") }
    }

    @Test("Packing from any stored type on any level gives the codes of the one rule", arguments: QuantizedFormat.all)
    func paths(_ format: QuantizedFormat) throws {
        let values = Matrix(70, 77, Array(bell(70 * 77).prefix(70 * 77)))
        for stored in ElementType.allCases {
            let plain = values.rounded(to: stored)
            let expected = (0..<70).flatMap { quantized(plain[$0], format) }
            for level in CPUInstructionSet.supported {
                let cpu = try CPUBackend(threads: 2, instructionSet: level)
                let packed = try cpu.weight([values], stored: stored, as: .quantized(format))
                #expect(try cpu.table(packed, rows: 70, columns: 77).values == expected, "\(stored) on \(level)")
            }
            let oracle = try Reference().weight([values], stored: stored, as: .quantized(format))
            #expect(try Reference().table(oracle, rows: 70, columns: 77).values == expected)
        }
    }
}
