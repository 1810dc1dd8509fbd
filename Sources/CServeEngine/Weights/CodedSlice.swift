// Rows and columns of a matrix of codes, read in any format that holds them, or as plain numbers.

import CKernels
import CServeCore

/// Room for some rows of codes in one format, with their scales and minimums.
public final class CodeRows {
    /// The format.
    public let format: QuantizedFormat
    /// Input features.
    public let columns: Int
    /// Scales per row.
    public let groups: Int
    /// `[rows, columns]`, one byte each.
    public let codes: UnsafeMutablePointer<UInt8>
    /// `[rows, groups]`.
    public let scales: UnsafeMutablePointer<Float>
    /// `[rows, groups]`, or nil.
    public let minimums: UnsafeMutablePointer<Float>?

    /// Reserves room.
    public init(_ format: QuantizedFormat, rows: Int, columns: Int) {
        self.format = format
        self.columns = columns
        groups = format.groups(columns: columns)
        codes = .allocate(capacity: max(rows * columns, 1))
        scales = .allocate(capacity: max(rows * groups, 1))
        minimums = format.hasMinimums ? .allocate(capacity: max(rows * groups, 1)) : nil
    }

    deinit {
        codes.deallocate()
        scales.deallocate()
        minimums?.deallocate()
    }

    /// Quantises plain numbers into a row, by the one rule (`cs_quantize_row`).
    func quantize(_ values: UnsafePointer<Float>, row: Int) {
        cs_quantize_row(
            format.kernelFormat, values, columns, codes + row * columns, scales + row * groups,
            minimums.map { $0 + row * groups })
    }

    /// The plain numbers of a row.
    func dequantize(row: Int, into out: UnsafeMutablePointer<Float>) {
        cs_dequantize_row(
            format.kernelFormat, codes + row * columns, scales + row * groups, minimums.map { $0 + row * groups },
            columns, out)
    }
}

/// Consecutive rows of a matrix of codes, all columns or some.
public struct CodedSlice: Sendable {
    /// The stored matrix.
    public var matrix: any CodedMatrix
    /// Which rows.
    public var rows: Range<Int>
    /// Which columns.
    public var columns: Range<Int>

    /// A part of a matrix.
    public init(_ matrix: any CodedMatrix, rows: Range<Int>, columns: Range<Int>) {
        self.matrix = matrix
        self.rows = rows
        self.columns = columns
    }

    private var isWide: Bool { columns.count == matrix.columns }

    /// Reads rows `wanted`, counted from the slice's first, in the format of `out`, which must hold the slice's numbers
    /// (``CServeCore/QuantizedFormat/holding(_:)``, ``CServeCore/QuantizedFormat/sliced(at:)``).
    public func read(_ wanted: Range<Int>, into out: CodeRows) {
        let stored = (rows.lowerBound + wanted.lowerBound)..<(rows.lowerBound + wanted.upperBound)
        if isWide && out.format == matrix.format {
            return matrix.read(rows: stored, codes: out.codes, scales: out.scales, minimums: out.minimums)
        }
        let source = CodeRows(matrix.format, rows: wanted.count, columns: matrix.columns)
        matrix.read(rows: stored, codes: source.codes, scales: source.scales, minimums: source.minimums)
        for row in 0..<wanted.count { convert(source, into: out, row: row) }
    }

    private func convert(_ source: CodeRows, into out: CodeRows, row: Int) {
        // With minimums a code stands for itself; without, zeros meet.
        let shift = out.format.hasMinimums ? 0 : UInt8(out.format.zero - source.format.zero)
        let codes = source.codes + row * source.columns + columns.lowerBound
        for column in 0..<columns.count { out.codes[row * out.columns + column] = codes[column] + shift }
        for group in 0..<out.groups {
            let column = columns.lowerBound + group * (out.format.group ?? 0)
            let place = row * source.groups + (source.format.group.map { column / $0 } ?? 0)
            out.scales[row * out.groups + group] = source.scales[place]
            guard let minimums = out.minimums else { continue }
            minimums[row * out.groups + group] =
                source.minimums?[place] ?? source.scales[place] * Float(source.format.zero)
        }
    }

    /// Reads rows `wanted`, counted from the slice's first, as plain numbers `[wanted.count, columns.count]`.
    public func read(_ wanted: Range<Int>, into out: UnsafeMutablePointer<Float>) {
        let source = CodeRows(matrix.format, rows: wanted.count, columns: matrix.columns)
        let stored = (rows.lowerBound + wanted.lowerBound)..<(rows.lowerBound + wanted.upperBound)
        matrix.read(rows: stored, codes: source.codes, scales: source.scales, minimums: source.minimums)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: matrix.columns) { whole in
            guard let whole = whole.baseAddress else { return }
            for row in 0..<wanted.count {
                source.dequantize(row: row, into: whole)
                (out + row * columns.count).update(from: whole + columns.lowerBound, count: columns.count)
            }
        }
    }
}
