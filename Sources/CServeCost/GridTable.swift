// A tabulated function of two numbers over powers of two: the measured corrections of attention, read in every step.

/// A function of two numbers, linear in their logarithms between powers of two, held outside.
struct GridTable: Sendable {
    let rows: Int
    let columns: Int
    private let values: [Double]

    /// Tabulates `value(2^row, 2^column)`.
    init(rows: Int, columns: Int, value: (Double, Double) -> Double) {
        self.rows = rows
        self.columns = columns
        var values: [Double] = []
        values.reserveCapacity(rows * columns)
        for row in 0..<rows {
            for column in 0..<columns { values.append(value(Double(1 << row), Double(1 << column))) }
        }
        self.values = values
    }

    /// The value at a point, given as logarithms to the base 2.
    @inline(__always)
    func callAsFunction(_ rowLog: Double, _ columnLog: Double) -> Double {
        let x: Double = min(max(rowLog, 0), Double(rows - 1))
        let y: Double = min(max(columnLog, 0), Double(columns - 1))
        let row: Int = min(Int(x), max(0, rows - 2))
        let column: Int = min(Int(y), max(0, columns - 2))
        let a: Double = x - Double(row)
        let b: Double = y - Double(column)
        let place: Int = row * columns + column
        let below: Double = rows > 1 ? values[place + columns] : values[place]
        let right: Double = columns > 1 ? values[place + 1] : values[place]
        let across: Double = rows > 1 && columns > 1 ? values[place + columns + 1] : rows > 1 ? below : right
        return (1 - a) * ((1 - b) * values[place] + b * right) + a * ((1 - b) * below + b * across)
    }
}
