// The oracle's weights made of codes: kept as codes, read as the numbers that they stand for.

import CServeCore

/// One row of codes in the oracle's memory: the codes (four-bit ones in pairs, the first in the low half), then the scales,
/// then the minimums.
struct CodedRow {
    private let start: UnsafeMutableRawPointer
    private let format: QuantizedFormat
    private let columns: Int
    private let codeBytes: Int

    /// A row of a packed matrix; a row is one panel of the layout.
    init(base: UnsafeMutableRawPointer, row: Int, format: QuantizedFormat, columns: Int, layout: WeightLayout) {
        start = base + row * layout.bytes(rows: 1, columns: columns)
        self.format = format
        self.columns = columns
        codeBytes = columns.rounded(upTo: layout.columnMultiple) * format.code.bits / 8
    }

    private var groups: Int { format.groups(columns: columns) }
    private var scales: UnsafeMutableRawPointer { start + codeBytes }
    private var minimums: UnsafeMutableRawPointer { scales + groups * format.scale.size }

    /// Writes a row's codes into zeroed memory.
    func write(_ row: CodeRows) {
        let bytes = start.assumingMemoryBound(to: UInt8.self)
        for column in 0..<columns {
            if format.code == .int4 {
                bytes[column / 2] |= row.codes[column] << (column % 2 * 4)
            } else {
                bytes[column] = row.codes[column]
            }
        }
        ElementConversion.fromFloat(row.scales, count: groups, format.scale, into: scales)
        if let values = row.minimums {
            ElementConversion.fromFloat(values, count: groups, format.scale, into: minimums)
        }
    }

    /// Reads the row's numbers in f32.
    func read(into out: UnsafeMutablePointer<Float>) {
        let row = CodeRows(format, rows: 1, columns: columns)
        let bytes = start.assumingMemoryBound(to: UInt8.self)
        for column in 0..<columns {
            row.codes[column] =
                format.code == .int4 ? bytes[column / 2] >> (column % 2 * 4) & 15 : bytes[column]
        }
        ElementConversion.toFloat(scales, format.scale, count: groups, into: row.scales)
        if let values = row.minimums { ElementConversion.toFloat(minimums, format.scale, count: groups, into: values) }
        row.dequantize(row: 0, into: out)
    }
}
