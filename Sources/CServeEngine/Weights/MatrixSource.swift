// A matrix as a checkpoint stores it, before a backend packs it: parts stacked by rows, each perhaps a slice.

import CServeCore

/// A matrix `[rows, columns]` made of parts stacked on top of each other (q, k, v; gate, up), read in place.
public struct MatrixSource {
    /// Consecutive rows that lie in one stored tensor.
    public struct Part {
        /// The first number of the first row.
        public var base: UnsafeRawPointer
        /// How the numbers are stored (little endian).
        public var element: ElementType
        /// Rows.
        public var rows: Int
        /// Numbers from one row's start to the next's (at least ``MatrixSource/columns``: a slice of columns is wider).
        public var rowStride: Int
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
            var index = 0
            for part in parts {
                for r in 0..<part.rows {
                    let start = part.base + r * part.rowStride * part.element.size
                    ElementConversion.toFloat(start, part.element, count: columns, into: row.baseAddress!)
                    body(index, UnsafeBufferPointer(row))
                    index += 1
                }
            }
        }
    }
}
