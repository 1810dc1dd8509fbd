// A matrix of random codes in memory: what a quantised file's reader would hand over.

import CServeCore
import Foundation
import Testing

@testable import CServeEngine

/// Codes, scales and minimums in arrays.
struct FakeCodedMatrix: CodedMatrix {
    var format: QuantizedFormat
    var rows: Int
    var columns: Int
    var codes: [UInt8]
    var scales: [Float]
    var minimums: [Float]

    /// Random codes over their whole range; scales and minimums are numbers of the format's scale type.
    init(_ format: QuantizedFormat, _ rows: Int, _ columns: Int, _ random: inout Uniform) {
        self.format = format
        self.rows = rows
        self.columns = columns
        let groups = format.groups(columns: columns)
        codes = random.values(rows * columns, 0...1).map { unit in
            switch format.code {
            case .int4: UInt8(min(unit * 16, 15))
            case .int8: UInt8(min(unit * 256, 255))
            // Of 254 numbers, 0x7f and 0xff left out: they are no numbers.
            case .fp8: UInt8(min(unit * 254, 253)) &+ (unit * 254 >= 127 ? 1 : 0)
            }
        }
        func rounded(_ values: [Float]) -> [Float] { Matrix(1, values.count, values).rounded(to: format.scale).values }
        scales = rounded(random.values(rows * groups, 0.01...0.1))
        minimums = format.hasMinimums ? rounded(random.values(rows * groups, -1...4)) : []
    }

    /// The numbers of a stored f32 tensor, quantised by the engine's own rule.
    init(
        _ format: QuantizedFormat, quantizing tensor: StoredTensor, _ rows: Int, _ columns: Int, _ random: inout Uniform
    ) {
        self.init(format, rows, columns, &random)
        var values = [Float](repeating: 0, count: columns)
        let room = CodeRows(format, rows: 1, columns: columns)
        for row in 0..<rows {
            for i in 0..<columns {
                values[i] = tensor.bytes.loadUnaligned(fromByteOffset: (row * columns + i) * 4, as: Float.self)
            }
            room.quantize(values, row: 0)
            for i in 0..<columns { codes[row * columns + i] = room.codes[i] }
            for i in 0..<room.groups {
                scales[row * room.groups + i] = room.scales[i]
                if let found = room.minimums { minimums[row * room.groups + i] = found[i] }
            }
        }
    }

    func read(
        rows: Range<Int>, codes: UnsafeMutablePointer<UInt8>, scales: UnsafeMutablePointer<Float>,
        minimums: UnsafeMutablePointer<Float>?
    ) {
        let groups = format.groups(columns: columns)
        for (row, stored) in rows.enumerated() {
            for column in 0..<columns { codes[row * columns + column] = self.codes[stored * columns + column] }
            for group in 0..<groups {
                scales[row * groups + group] = self.scales[stored * groups + group]
                if format.hasMinimums { minimums?[row * groups + group] = self.minimums[stored * groups + group] }
            }
        }
    }

    /// A number by the definition in docs/design/0007, and the sum of the sizes of what it is made of.
    func value(_ row: Int, _ column: Int) -> (value: Double, size: Double) {
        let group = row * format.groups(columns: columns) + (format.group.map { column / $0 } ?? 0)
        let scale = Double(scales[group])
        let code = codes[row * columns + column]
        if format.code == .fp8 {
            let number = scale * Self.float(code)
            return (number, abs(number))
        }
        let less = format.hasMinimums ? Double(minimums[group]) : scale * Double(format.zero)
        return (scale * Double(code) - less, scale * Double(code) + abs(less))
    }

    /// e4m3fn: sign, four bits of exponent with bias 7, three of fraction (OCP 8-bit Floating Point Specification 1.0).
    private static func float(_ code: UInt8) -> Double {
        let exponent = Int(code >> 3 & 15)
        let fraction = Double(code & 7) / 8
        let size = exponent == 0 ? fraction * pow(2, -6) : (1 + fraction) * pow(2, Double(exponent - 7))
        return code & 0x80 == 0 ? size : -size
    }

    /// All numbers, and all sizes.
    var dense: (values: Matrix, sizes: Matrix) {
        let all = (0..<(rows * columns)).map { value($0 / columns, $0 % columns) }
        return (
            Matrix(rows, columns, all.map { Float($0.value) }), Matrix(rows, columns, all.map { Float($0.size) })
        )
    }
}

extension QuantizedFormat: CustomTestStringConvertible {
    /// Every format that the kernels multiply with.
    static let all: [QuantizedFormat] = Code.allCases.flatMap { code in
        [nil, 16, 32, 64, 128].flatMap { group in
            ElementType.allCases.flatMap { scale in
                (code == .fp8 ? [false] : [false, true]).map {
                    QuantizedFormat(code, group: group, scale: scale, hasMinimums: $0)
                }
            }
        }
    }

    /// Code, group, scale type.
    public var testDescription: String {
        "\(code) group \(group ?? 0) \(scale)" + (hasMinimums ? " with minimums" : "")
    }
}

extension Backend {
    /// Packs parts that are codes.
    func weight(_ parts: [CodedSlice], as format: WeightFormat, bias: [Float]? = nil) throws -> Weight {
        let layout = weightLayout(format)
        let rows = parts.reduce(0) { $0 + $1.rows.count }
        let columns = parts[0].columns.count
        let bytes = layout.bytes(rows: rows, columns: columns) + rows * 4
        return try pack(
            MatrixSource(parts: parts.map { .coded($0) }, columns: columns, bias: bias), layout: layout,
            into: allocate("test", bytes: bytes), at: 0)
    }

    func weight(_ matrix: FakeCodedMatrix, bias: [Float]? = nil) throws -> Weight {
        try weight([CodedSlice(matrix)], as: .quantized(matrix.format), bias: bias)
    }

    func product(_ x: Matrix, _ weight: Weight, outputs: Int) throws -> Matrix {
        let out = try buffer(Matrix(x.rows, outputs, .init(repeating: .nan, count: x.rows * outputs)))
        linear(try buffer(x), weight, rows: x.rows, into: out)
        return matrix(out, rows: x.rows, columns: outputs)
    }

    /// Every row of a table, by looking it up.
    func table(_ weight: Weight, rows: Int, columns: Int) throws -> Matrix {
        var batch = BatchInputs(blockSize: 16)
        batch.append(
            tokens: (0..<rows).map { Int32($0) }, start: 0, blockTable: 0..<Int32(rows / 16 + 1), wanted: .none)
        let out = try buffer(Matrix(rows, columns, .init(repeating: .nan, count: rows * columns)))
        embed(try prepare(batch), table: weight, firstToken: 0, scale: 1, into: out)
        return matrix(out, rows: rows, columns: columns)
    }
}

extension CodedSlice {
    /// All of a matrix.
    init(_ matrix: FakeCodedMatrix) {
        self.init(matrix, rows: 0..<matrix.rows, columns: 0..<matrix.columns)
    }
}
