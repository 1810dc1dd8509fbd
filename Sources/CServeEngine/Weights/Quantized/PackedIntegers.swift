// A stored matrix of small unsigned integers, packed along rows or columns: one description for every file format.

import CServeCore

/// A matrix `[rows, columns]` of integers of 2, 3, 4 or 8 bits, read in place.
///
/// Along the packed axis the integers are one stream of bits, lowest first, cut into cells of `cellBytes`; cells of the
/// stream lie `cellStride` apart and streams `streamStride` apart (both counted in cells). Whoever makes one has compared
/// the sizes with the bytes.
struct PackedIntegers: @unchecked Sendable {
    /// Which index runs inside a cell.
    enum Axis { case rows, columns }

    /// The first cell, at any alignment, little endian.
    var base: UnsafeRawPointer
    /// Bits per integer.
    var bits: Int
    /// What is packed.
    var axis: Axis
    /// Bytes of a cell: 4, or 1 for tensors of bytes.
    var cellBytes = 4
    /// Cells from one to the next of the same stream.
    var cellStride: Int
    /// Cells from a stream to the next.
    var streamStride: Int
    /// Whether eight consecutive integers stand in AWQ's order.
    var isInterleaved = false
    /// What is flipped in each integer: the sign bit makes two's complement count from the least.
    var flip: UInt8 = 0

    /// Where AutoAWQ puts the eight integers of a cell: its order 0 2 4 6 1 3 5 7, seen from the integer.
    private static let interleaved = [0, 4, 1, 5, 2, 6, 3, 7]

    /// One integer.
    func value(row: Int, column: Int) -> UInt8 {
        let (place, stream) = axis == .rows ? (row, column) : (column, row)
        let inner = isInterleaved ? place & ~7 | Self.interleaved[place & 7] : place
        let cell = inner * bits / (cellBytes * 8)
        let shift = inner * bits - cell * cellBytes * 8
        var value = self.cell(cell * cellStride + stream * streamStride) >> UInt32(shift)
        if shift + bits > cellBytes * 8 {
            value |= self.cell((cell + 1) * cellStride + stream * streamStride) << UInt32(cellBytes * 8 - shift)
        }
        return UInt8(truncatingIfNeeded: value & (1 << UInt32(bits) - 1)) ^ flip
    }

    @inline(__always)
    private func cell(_ index: Int) -> UInt32 {
        if cellBytes == 1 { return UInt32(base.load(fromByteOffset: index, as: UInt8.self)) }
        return UInt32(littleEndian: base.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
    }

    /// Reads consecutive rows, plus a constant, into `out [rows.count, columns]`.
    func read(rows: Range<Int>, columns: Int, adding shift: UInt8, into out: UnsafeMutablePointer<UInt8>) {
        if bits == 4, cellBytes == 4, axis == .columns {
            readNibblesOfColumns(rows: rows, columns: columns, adding: shift, into: out)
        } else if bits == 4, cellBytes == 4, rows.lowerBound % 8 == 0 {
            readNibblesOfRows(rows: rows, columns: columns, adding: shift, into: out)
        } else if cellBytes == 1, axis == .columns, cellStride == 1 {
            for (index, row) in rows.enumerated() {
                let source = base + row * streamStride
                for column in 0..<columns {
                    out[index * columns + column] =
                        (source.load(fromByteOffset: column, as: UInt8.self) ^ flip) &+ shift
                }
            }
        } else {
            for (index, row) in rows.enumerated() {
                for column in 0..<columns {
                    out[index * columns + column] = value(row: row, column: column) &+ shift
                }
            }
        }
    }

    /// Eight integers of a row are eight consecutive codes: they are spread inside one register.
    private func readNibblesOfColumns(
        rows: Range<Int>, columns: Int, adding shift: UInt8, into out: UnsafeMutablePointer<UInt8>
    ) {
        let added = UInt64(shift) &* 0x0101_0101_0101_0101
        let whole = columns / 8
        for word in 0..<whole {
            for (index, row) in rows.enumerated() {
                let spread = Self.spread(cell(word * cellStride + row * streamStride)) &+ added
                UnsafeMutableRawPointer(out + index * columns + word * 8)
                    .storeBytes(of: spread.littleEndian, as: UInt64.self)
            }
        }
        for (index, row) in rows.enumerated() {
            for column in (whole * 8)..<columns {
                out[index * columns + column] = value(row: row, column: column) &+ shift
            }
        }
    }

    /// Eight integers of a cell belong to eight rows: a cell is loaded once for all of them.
    private func readNibblesOfRows(
        rows: Range<Int>, columns: Int, adding shift: UInt8, into out: UnsafeMutablePointer<UInt8>
    ) {
        for first in stride(from: rows.lowerBound, to: rows.upperBound, by: 8) {
            let count = min(8, rows.upperBound - first)
            let target = out + (first - rows.lowerBound) * columns
            let places = (0..<8).map { 4 * UInt32(isInterleaved ? Self.interleaved[$0] : $0) }
            places.withUnsafeBufferPointer { places in
                for column in 0..<columns {
                    let cell = self.cell(first / 8 * cellStride + column * streamStride)
                    for row in 0..<count {
                        target[row * columns + column] = UInt8(cell >> places[row] & 15) &+ shift
                    }
                }
            }
        }
    }

    /// Four bits to a byte each, lowest first.
    @inline(__always)
    private static func spread(_ word: UInt32) -> UInt64 {
        var x = UInt64(word)
        x = (x | x << 16) & 0x0000_FFFF_0000_FFFF
        x = (x | x << 8) & 0x00FF_00FF_00FF_00FF
        return (x | x << 4) & 0x0F0F_0F0F_0F0F_0F0F
    }
}

/// A stored matrix of scales `[rows, groups]`, read in place; a stride of 0 repeats one scale.
struct StoredScales: @unchecked Sendable {
    /// The first scale, at any alignment.
    var base: UnsafeRawPointer
    /// How scales are stored.
    var element: ElementType
    /// Output features that share a scale.
    var rowsPerScale = 1
    /// Numbers from one scale to that of the next output features.
    var rowStride: Int
    /// Numbers from one scale to that of the next group.
    var groupStride: Int

    /// One scale.
    func value(row: Int, group: Int) -> Float {
        let index = row / rowsPerScale * rowStride + group * groupStride
        var value: Float = 0
        ElementConversion.toFloat(base + index * element.size, element, count: 1, into: &value)
        return value
    }
}
