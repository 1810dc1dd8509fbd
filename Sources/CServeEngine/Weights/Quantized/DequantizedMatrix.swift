// Plain numbers of a quantised matrix that no codes of ours hold: made when they are asked for, given back when packed.

import CServeCore
import Synchronization

/// A quantised matrix as plain numbers, each rounded once to the type of the file's scales.
///
/// Memory: the whole matrix in its plain type from the first ``bytes`` until ``release()``, so that loading holds those of
/// one packed matrix at a time (q, k and v together, for instance).
///
/// Ownership: any thread may ask; whoever releases has ended all use of the bytes.
final class DequantizedMatrix: Sendable {
    private struct Room: @unchecked Sendable {
        var numbers: UnsafeMutableRawBufferPointer?
    }

    /// The type of the numbers.
    let element: ElementType
    private let matrix: GroupedMatrix
    /// The group of each input feature, where they are not in order.
    private let groupOfColumn: [Int32]
    private let room = Mutex(Room())

    init(_ matrix: GroupedMatrix, groupOfColumn: [Int32]?) {
        self.matrix = matrix.simplified()
        element = matrix.scales.element
        self.groupOfColumn =
            groupOfColumn ?? (0..<matrix.columns).map { Int32($0 / (matrix.group ?? matrix.columns)) }
    }

    deinit { release() }

    /// The numbers, `[rows, columns]`.
    var bytes: UnsafeRawBufferPointer {
        let made = room.withLock { room in
            if room.numbers == nil { room.numbers = dequantized() }
            return room
        }
        return UnsafeRawBufferPointer(start: made.numbers?.baseAddress, count: made.numbers?.count ?? 0)
    }

    /// Gives the memory and the file's pages back until the numbers are asked for again.
    func release() {
        room.withLock { room in
            room.numbers?.deallocate()
            room.numbers = nil
        }
        matrix.releasePages()
    }

    private func dequantized() -> UnsafeMutableRawBufferPointer {
        let (rows, columns) = (matrix.rows, matrix.columns)
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: rows * columns * element.size, alignment: 64)
        guard let base = bytes.baseAddress else { return bytes }
        var codes = [UInt8](repeating: 0, count: columns)
        var values = [Float](repeating: 0, count: columns)
        for row in 0..<rows {
            matrix.codes.read(rows: row..<(row + 1), columns: columns, adding: 0, into: &codes)
            let scales = (0..<matrix.groups).map { matrix.scales.value(row: row, group: $0) }
            let zeros = (0..<matrix.groups).map { matrix.zero(row: row, group: $0) }
            for column in 0..<columns {
                let group = Int(groupOfColumn[column])
                values[column] = scales[group] * Float(Int(codes[column]) - zeros[group])
            }
            ElementConversion.fromFloat(values, count: columns, element, into: base + row * columns * element.size)
        }
        return bytes
    }
}
