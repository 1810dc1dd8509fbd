// A matrix as a checkpoint stores it, before a backend packs it: parts stacked by rows, each perhaps a slice.

import CServeCore

/// A matrix `[rows, columns]` made of parts stacked on top of each other (q, k, v; gate, up), read in place.
public struct MatrixSource {
    /// Consecutive rows of plain numbers that lie in one stored tensor.
    public struct PlainRows {
        /// The first number of the first row.
        public var base: UnsafeRawPointer
        /// How the numbers are stored (little endian).
        public var element: ElementType
        /// Rows.
        public var rows: Int
        /// Numbers from one row's start to the next's (at least ``MatrixSource/columns``: a slice of columns is wider).
        public var rowStride: Int

        /// Describes rows.
        public init(base: UnsafeRawPointer, element: ElementType, rows: Int, rowStride: Int) {
            self.base = base
            self.element = element
            self.rows = rows
            self.rowStride = rowStride
        }
    }

    /// Consecutive rows.
    public enum Part {
        /// Plain numbers.
        case plain(PlainRows)
        /// Codes with scales.
        case coded(CodedSlice)

        /// How many.
        public var rows: Int {
            switch self {
            case .plain(let rows): rows.rows
            case .coded(let slice): slice.rows.count
            }
        }
    }

    /// The parts from top to bottom.
    public var parts: [Part]
    /// Input features.
    public var columns: Int
    /// One value per row, or nil.
    public var bias: [Float]?

    /// Output features.
    public var rows: Int { parts.reduce(0) { $0 + $1.rows } }

    /// Reads the matrix row by row in f32, top to bottom, each row once.
    public func forEachRow(_ body: (Int, UnsafeBufferPointer<Float>) -> Void) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: columns) { row in
            guard let values = row.baseAddress else { return }
            var index = 0
            for part in parts {
                for r in 0..<part.rows {
                    read(r, of: part, into: values)
                    body(index, UnsafeBufferPointer(row))
                    index += 1
                }
            }
        }
    }

    private func read(_ row: Int, of part: Part, into out: UnsafeMutablePointer<Float>) {
        switch part {
        case .plain(let rows):
            let start = rows.base + row * rows.rowStride * rows.element.size
            ElementConversion.toFloat(start, rows.element, count: columns, into: out)
        case .coded(let slice):
            slice.read(row..<(row + 1), into: out)
        }
    }

    /// Reads the matrix row by row as codes, top to bottom: codes as they are stored, plain numbers quantised.
    ///
    /// The body gets the row's index and room that holds this row only.
    public func forEachRow(as format: QuantizedFormat, _ body: (Int, CodeRows) -> Void) {
        let room = CodeRows(format, rows: 1, columns: columns)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: columns) { values in
            guard let values = values.baseAddress else { return }
            var index = 0
            for part in parts {
                for r in 0..<part.rows {
                    if case .coded(let slice) = part {
                        slice.read(r..<(r + 1), into: room)
                    } else {
                        read(r, of: part, into: values)
                        room.quantize(values, row: 0)
                    }
                    body(index, room)
                    index += 1
                }
            }
        }
    }
}
