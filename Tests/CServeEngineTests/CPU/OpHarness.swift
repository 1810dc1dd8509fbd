// Runs one operation on any backend from plain arrays, so that two backends' answers can be compared.

import CServeCore

@testable import CServeEngine

/// Random numbers from a seed: xorshift64*, uniform in a range.
struct Uniform {
    var state: UInt64

    init(seed: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    }

    mutating func next(_ range: ClosedRange<Float> = -1...1) -> Float {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        let unit = Float((state &* 0x2545_F491_4F6C_DD1D) >> 40) / Float(1 << 24)
        return range.lowerBound + unit * (range.upperBound - range.lowerBound)
    }

    mutating func values(_ count: Int, _ range: ClosedRange<Float> = -1...1) -> [Float] {
        (0..<count).map { _ in next(range) }
    }
}

/// A dense matrix in an array.
struct Matrix: Equatable {
    var rows: Int
    var columns: Int
    var values: [Float]

    init(_ rows: Int, _ columns: Int, _ values: [Float]) {
        precondition(values.count == rows * columns)
        self.rows = rows
        self.columns = columns
        self.values = values
    }

    init(_ rows: Int, _ columns: Int, _ random: inout Uniform, _ range: ClosedRange<Float> = -1...1) {
        self.init(rows, columns, random.values(rows * columns, range))
    }

    subscript(row: Int) -> [Float] { Array(values[(row * columns)..<((row + 1) * columns)]) }

    func rows(_ range: Range<Int>) -> Matrix {
        Matrix(range.count, columns, Array(values[(range.lowerBound * columns)..<(range.upperBound * columns)]))
    }

    /// The largest difference to another, relative to `floor` or the value where that is larger.
    func distance(to other: Matrix, floor: Float = 1) -> Float {
        precondition(values.count == other.values.count)
        var worst: Float = 0
        for (a, b) in zip(values, other.values) {
            let error = abs(a - b) / max(floor, abs(b))
            worst = error.isNaN ? .infinity : max(worst, error)
        }
        return worst
    }

    /// Numbers rounded to a type and back.
    func rounded(to element: ElementType) -> Matrix {
        var out = self
        for i in out.values.indices {
            switch element {
            case .float32: break
            case .float16: out.values[i] = ElementConversion.halfToFloat(ElementConversion.floatToHalf(out.values[i]))
            case .bfloat16:
                out.values[i] = Float(bitPattern: UInt32(ElementConversion.floatToBrain(out.values[i])) << 16)
            }
        }
        return out
    }
}

extension Backend {
    /// A buffer with a matrix in it.
    func buffer(_ matrix: Matrix) throws -> Buffer {
        let memory = try allocate("test", bytes: max(matrix.values.count * 4, 64))
        let made = buffer(in: memory, at: 0, rows: matrix.rows, columns: matrix.columns)
        withHostRows(made, rows: matrix.rows) { _ = $0.update(fromContentsOf: matrix.values) }
        return made
    }

    func matrix(_ buffer: Buffer, rows: Int, columns: Int) -> Matrix {
        withHostRows(buffer, rows: rows) { Matrix(rows, columns, Array($0.prefix(rows * columns))) }
    }

    func vector(_ values: [Float]) throws -> Vector {
        upload(values, into: try allocate("test", bytes: max(values.count * 4, 64)), at: 0)
    }

    /// Packs parts (each stored as `stored`) as `element`.
    func weight(_ parts: [Matrix], stored: ElementType, as element: ElementType, bias: [Float]? = nil) throws -> Weight
    {
        try weight(parts, stored: stored, as: .plain(element), bias: bias)
    }

    /// Packs parts (each stored as `stored`) in a format.
    func weight(_ parts: [Matrix], stored: ElementType, as format: WeightFormat, bias: [Float]? = nil) throws -> Weight
    {
        let layout = weightLayout(format)
        let rows = parts.reduce(0) { $0 + $1.rows }
        let columns = parts[0].columns
        let bytes = layout.bytes(rows: rows, columns: columns) + rows * 4
        let raw = parts.map { part in
            let raw = UnsafeMutableRawPointer.allocate(byteCount: part.values.count * 4 + 1, alignment: 64)
            // One byte off, as tensors in a checkpoint may stand anywhere.
            ElementConversion.fromFloat(part.values, count: part.values.count, stored, into: raw + 1)
            return raw
        }
        defer { raw.forEach { $0.deallocate() } }
        let source = MatrixSource(
            parts: zip(raw, parts).map {
                .plain(.init(base: UnsafeRawPointer($0) + 1, element: stored, rows: $1.rows, rowStride: columns))
            }, columns: columns, bias: bias)
        return try pack(source, layout: layout, into: allocate("test", bytes: bytes), at: 0)
    }

    func linear(_ x: Matrix, _ parts: [Matrix], stored: ElementType, as element: ElementType, bias: [Float]? = nil)
        throws -> Matrix
    {
        let rows = parts.reduce(0) { $0 + $1.rows }
        let out = try buffer(Matrix(x.rows, rows, .init(repeating: .nan, count: x.rows * rows)))
        linear(
            try buffer(x), try weight(parts, stored: stored, as: element, bias: bias), rows: x.rows, into: out)
        return matrix(out, rows: x.rows, columns: rows)
    }
}
