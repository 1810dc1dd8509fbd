// Quantised checkpoints of every format: exact numbers, transformers' answers, and files that lie.

import CServeCore
import Foundation
import Testing

@testable import CServeEngine

/// What Tools/parity/make_quantized.py wrote beside a checkpoint.
private struct QuantizedReference: Decodable {
    struct Matrix: Decodable {
        var crc32: UInt32
        var first: [Float]
    }
    var prompts: [ParityReference.Prompt]
    var matrices: [String: Matrix]
}

/// A checkpoint of Tests/Fixtures/quantized and the format that its matrices come to; nil: plain numbers.
struct QuantizedFixture: Sendable, CustomTestStringConvertible {
    var name: String
    var format: QuantizedFormat?
    var testDescription: String { name }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/quantized").path
    var directory: String { Self.root + "/" + name }

    static let all: [QuantizedFixture] = [
        .init(name: "gptq-int4-group32", format: .init(.int4, group: 32, scale: .float16)),
        .init(name: "gptq-int4-asymmetric-group64", format: .init(.int4, group: 64, hasMinimums: true)),
        .init(name: "gptq-v2-int4-asymmetric-row", format: .init(.int4, hasMinimums: true)),
        .init(name: "gptq-int8-group32", format: .init(.int8, group: 32, scale: .float16)),
        .init(name: "gptq-int3-group32", format: .init(.int4, group: 32, scale: .float16)),
        .init(name: "gptq-int2-asymmetric-group16", format: .init(.int4, group: 16, hasMinimums: true)),
        .init(name: "gptq-int4-act-order"),
        .init(name: "awq-group32", format: .init(.int4, group: 32, hasMinimums: true)),
        .init(name: "compressed-w8a8-channel", format: .init(.int8)),
        .init(name: "compressed-w8a16-asymmetric-group32", format: .init(.int8, group: 32, hasMinimums: true)),
        .init(name: "compressed-w8a16-packed", format: .init(.int8)),
        .init(name: "compressed-w4a16-group32", format: .init(.int4, group: 32)),
        .init(name: "compressed-w4a16-asymmetric-group64", format: .init(.int4, group: 64, hasMinimums: true)),
        .init(name: "compressed-w4a16-act-order"),
        .init(name: "compressed-fp8-channel", format: .init(.fp8)),
        .init(name: "compressed-fp8-tensor", format: .init(.fp8)),
        .init(name: "fp8-blocks", format: .init(.fp8, group: 32)),
        .init(name: "fp8-tensor-static", format: .init(.fp8)),
    ]

    /// Every fixture on every backend that computes.
    static let onBackends = all.flatMap { fixture in BackendTable.rows.map { (fixture, $0) } }

    fileprivate func reference() throws -> QuantizedReference {
        let bytes = try Data(contentsOf: URL(filePath: directory + "/reference.json"))
        return try JSONDecoder().decode(QuantizedReference.self, from: bytes)
    }
}

@Suite struct QuantizedCheckpointTests {
    @Test("every committed checkpoint has a row")
    func rows() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: QuantizedFixture.root).sorted()
        #expect(names == QuantizedFixture.all.map(\.name).sorted())
    }

    @Test("matrices come to the numbers of the file's own library, to the last bit", arguments: QuantizedFixture.all)
    func numbers(_ fixture: QuantizedFixture) throws {
        let checkpoint = try Checkpoint(directory: fixture.directory)
        let expected = try fixture.reference().matrices
        #expect(expected.count == 7)
        for (name, matrix) in expected {
            let tensor = try #require(checkpoint.tensors[name])
            var format = fixture.format
            // A group as long as a row is the row.
            if let group = format?.group, group >= tensor.shape[1] { format?.group = nil }
            #expect(tensor.coded?.format == format)
            let values = Self.values(tensor)
            #expect(Array(values.prefix(4)) == matrix.first)
            #expect(Self.crc32(values) == matrix.crc32, "\(name)")
        }
        try checkpoint.check()
    }

    @Test("log-probabilities are transformers' on the same numbers", arguments: QuantizedFixture.onBackends)
    func parity(_ fixture: QuantizedFixture, _ backend: BackendTable.Row) throws {
        let checkpoint = try Checkpoint(directory: fixture.directory)
        var recipe = Recipe()
        recipe.maxModelLen = 128
        recipe.maxNumSeqs = 1
        recipe.maxNumBatchedTokens = 64
        // The weights are compared here, not what a cache of 16 bits loses.
        recipe.cacheDtype = "float32"
        let runner = try ModelRunner(checkpoint: checkpoint, recipe: recipe, backend: try backend.make(1))
        var worst = 0.0
        for prompt in try fixture.reference().prompts {
            let rows = try TestRun.logProbabilities(prompt.ids, runner)
            for (index, expected) in prompt.log_probabilities.enumerated() {
                let value = rows[index][Int(prompt.ids[index + 1])]
                worst = max(worst, value.isNaN ? .infinity : abs(value - expected))
            }
        }
        print("parity \(fixture.name) on \(backend.name): largest error \(worst)")
        #expect(worst <= backend.tolerance)
    }

    @Test("rows read alone, in panels and from the middle are the same", arguments: QuantizedFixture.all)
    func slices(_ fixture: QuantizedFixture) throws {
        let checkpoint = try Checkpoint(directory: fixture.directory)
        let tensor = try #require(checkpoint.tensors["model.layers.0.mlp.up_proj.weight"])
        guard let coded = tensor.coded else { return }
        let whole = Self.read(coded, 0..<coded.rows)
        for rows in [0..<1, 7..<8, 8..<24, 3..<77, 64..<coded.rows] {
            #expect(Self.read(coded, rows) == Array(whole[rows]))
        }
    }

    // MARK: Reading

    /// Codes, scales and minimums of each row.
    static func read(_ matrix: any CodedMatrix, _ rows: Range<Int>) -> [[Float]] {
        let groups = matrix.format.groups(columns: matrix.columns)
        var codes = [UInt8](repeating: 255, count: rows.count * matrix.columns)
        var scales = [Float](repeating: .nan, count: rows.count * groups)
        var minimums = [Float](repeating: 0, count: rows.count * groups)
        minimums.withUnsafeMutableBufferPointer { minimums in
            matrix.read(
                rows: rows, codes: &codes, scales: &scales,
                minimums: matrix.format.hasMinimums ? minimums.baseAddress : nil)
        }
        return (0..<rows.count).map { row in
            codes[(row * matrix.columns)..<((row + 1) * matrix.columns)].map(Float.init)
                + scales[(row * groups)..<((row + 1) * groups)] + minimums[(row * groups)..<((row + 1) * groups)]
        }
    }

    /// A tensor's numbers in f32.
    static func values(_ tensor: StoredTensor) -> [Float] {
        guard let matrix = tensor.coded else {
            return (0..<tensor.shape.reduce(1, *)).map {
                var value: Float = 0
                guard let element = tensor.element, let base = tensor.numbers.baseAddress else { return .nan }
                ElementConversion.toFloat(base + $0 * element.size, element, count: 1, into: &value)
                return value
            }
        }
        let (columns, format) = (matrix.columns, matrix.format)
        let groups = format.groups(columns: columns)
        return read(matrix, 0..<matrix.rows).flatMap { row in
            (0..<columns).map { column in
                let group = format.group.map { column / $0 } ?? 0
                let (code, scale) = (row[column], row[columns + group])
                if format.hasMinimums { return scale * code - row[columns + groups + group] }
                switch format.code {
                case .int4: return scale * (code - 8)
                case .int8: return scale * (code - 128)
                case .fp8: return scale * e4m3(UInt8(code))
                }
            }
        }
    }

    /// e4m3fn: OCP 8-bit floating point specification, section 5.
    private static func e4m3(_ bits: UInt8) -> Float {
        let (exponent, fraction) = (Int(bits >> 3 & 15), Float(bits & 7))
        let power = Float(sign: .plus, exponent: exponent - 7, significand: 1)
        let size = exponent == 0 ? fraction * 0x1p-9 : (1 + fraction / 8) * power
        return bits & 0x80 == 0 ? size : -size
    }

    /// zlib's CRC-32 of the numbers' bytes.
    private static func crc32(_ values: [Float]) -> UInt32 {
        let crc = values.withUnsafeBytes { bytes in
            bytes.reduce(UInt32.max) { crc, byte in
                (0..<8).reduce(crc ^ UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 0 ? 0 : 0xEDB8_8320) }
            }
        }
        return ~crc
    }
}
