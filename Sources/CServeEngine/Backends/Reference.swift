// The oracle: every operation in plain loops over f32, sums in double, written to be read and compared against.

import CServeCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Computes on the host in f32, sums in double in the order of the index.
public struct Reference: Backend {
    /// A packed matrix: row after row, plain numbers or codes with their scales and minimums behind them.
    ///
    /// Immutable after loading, so it may be read from anywhere.
    public struct Matrix: @unchecked Sendable {
        /// The region.
        public let memory: HostMemory
        /// The first number.
        public let base: UnsafeMutableRawPointer
        /// How a row lies in memory.
        let layout: WeightLayout
        /// Output features.
        public let rows: Int
        /// Input features.
        public let columns: Int
        /// One value per row, or nil.
        public let bias: UnsafePointer<Float>?

        /// Reads one row in f32.
        func read(row: Int, into out: UnsafeMutablePointer<Float>) {
            switch layout.format {
            case .plain(let element):
                ElementConversion.toFloat(base + row * columns * element.size, element, count: columns, into: out)
            case .quantized(let format):
                CodedRow(base: base, row: row, format: format, columns: columns, layout: layout).read(into: out)
            }
        }
    }

    /// The name in the table.
    public var name: String { "reference" }

    /// Creates the oracle.
    public init() {}

    /// Row after row; codes come in pairs, so that four-bit ones fill bytes.
    public func weightLayout(_ format: WeightFormat) -> WeightLayout {
        if case .quantized = format { return WeightLayout(format: format, columnMultiple: 2) }
        return WeightLayout(format: format)
    }

    // MARK: Memory

    /// Maps a region.
    public func allocate(_ what: String, bytes: Int) throws -> HostMemory { try HostMemory(what, bytes: bytes) }

    /// Packs a matrix row by row.
    public func pack(
        _ matrix: MatrixSource, layout: WeightLayout, into memory: HostMemory, at offset: Int
    ) throws -> Matrix {
        let base = memory.base + offset
        let columns = matrix.columns
        switch layout.format {
        case .plain(let element):
            matrix.forEachRow { index, row in
                ElementConversion.fromFloat(
                    row.baseAddress!, count: row.count, element, into: base + index * columns * element.size)
            }
        case .quantized(let format):
            matrix.forEachRow(as: format) { index, codes in
                CodedRow(base: base, row: index, format: format, columns: columns, layout: layout).write(codes)
            }
        }
        var bias: UnsafePointer<Float>?
        if let values = matrix.bias {
            let at = offset + layout.bytes(rows: matrix.rows, columns: matrix.columns)
            bias = HostVector(values, into: memory, at: at).base
        }
        return Matrix(
            memory: memory, base: base, layout: layout, rows: matrix.rows, columns: matrix.columns, bias: bias)
    }

    /// Copies constants.
    public func upload(_ values: [Float], into memory: HostMemory, at offset: Int) -> HostVector {
        HostVector(values, into: memory, at: offset)
    }

    /// A view of the region.
    public func buffer(in memory: HostMemory, at offset: Int, rows: Int, columns: Int) -> HostBuffer {
        HostBuffer(memory, at: offset, rows: rows, columns: columns)
    }

    /// The view from a row on.
    public func slice(_ buffer: HostBuffer, firstRow: Int) -> HostBuffer { buffer.slice(firstRow: firstRow) }

    /// A paged cache over the region.
    public func cache(in memory: HostMemory, plan: KVCachePlan) -> PagedKVCache { PagedKVCache(memory, plan: plan) }

    /// The inputs as they are.
    public func prepare(_ inputs: BatchInputs) -> BatchInputs { inputs }

    /// The rows as they are.
    public func withHostRows<R>(
        _ buffer: HostBuffer, rows: Int, _ body: (UnsafeMutableBufferPointer<Float>) throws -> R
    ) rethrows -> R {
        try body(UnsafeMutableBufferPointer(start: buffer.base, count: rows * buffer.columns))
    }

    // MARK: Operations on rows

    /// Looks rows up.
    public func embed(_ batch: BatchInputs, table: Matrix, firstToken: Int, scale: Float, into out: HostBuffer) {
        for (row, token) in batch.tokens.enumerated() {
            let target = out.row(row)
            let index = Int(token) - firstToken
            guard index >= 0 && index < table.rows else {
                target.update(repeating: 0, count: table.columns)
                continue
            }
            table.read(row: index, into: target)
            for i in 0..<table.columns { target[i] *= scale }
        }
    }

    /// Normalises each row.
    public func rmsNorm(_ x: HostBuffer, weight: HostVector, epsilon: Float, rows: Int, into out: HostBuffer) {
        for row in 0..<rows { norm(x.row(row), weight, epsilon, into: out.row(row)) }
    }

    private func norm(
        _ x: UnsafeMutablePointer<Float>, _ weight: HostVector, _ epsilon: Float, into out: UnsafeMutablePointer<Float>
    ) {
        var sum = 0.0
        for i in 0..<weight.count { sum += Double(x[i]) * Double(x[i]) }
        let scale = Float(1 / (sum / Double(weight.count) + Double(epsilon)).squareRoot())
        for i in 0..<weight.count { out[i] = x[i] * scale * weight.base[i] }
    }

    /// Adds rows.
    public func add(_ delta: HostBuffer, to x: HostBuffer, rows: Int) {
        for i in 0..<(rows * x.columns) { x.base[i] += delta.base[i] }
    }

    /// Adds rows, then normalises them.
    public func addNorm(
        _ delta: HostBuffer, to residual: HostBuffer, weight: HostVector, epsilon: Float, rows: Int,
        into out: HostBuffer
    ) {
        add(delta, to: residual, rows: rows)
        rmsNorm(residual, weight: weight, epsilon: epsilon, rows: rows, into: out)
    }

    /// Multiplies: each weight row is read once and used for all rows; each sum runs over the columns in order.
    public func linear(_ x: HostBuffer, _ weight: Matrix, rows: Int, into out: HostBuffer) {
        let count = weight.columns
        withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { scratch in
            let w = scratch.baseAddress!
            for output in 0..<weight.rows {
                weight.read(row: output, into: w)
                let bias = weight.bias?[output] ?? 0
                for row in 0..<rows {
                    let sum = Reference.dot(x.row(row), w, count)
                    out.row(row)[output] = Float(sum + Double(bias))
                }
            }
        }
    }

    @inline(__always)
    static func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Double {
        var sum = 0.0
        var i = 0
        while i < count {
            sum += Double(a[i]) * Double(b[i])
            i += 1
        }
        return sum
    }

    /// Gates.
    public func activate(_ gateUp: HostBuffer, _ activation: Activation, rows: Int, into out: HostBuffer) {
        let width = out.columns
        for row in 0..<rows {
            let source = gateUp.row(row)
            let target = out.row(row)
            for i in 0..<width { target[i] = Reference.apply(activation, source[i]) * source[width + i] }
        }
    }

    /// The function between the two products.
    static func apply(_ activation: Activation, _ x: Float) -> Float {
        let x = Double(x)
        switch activation {
        case .silu: return Float(x / (1 + exp(-x)))
        case .gelu: return Float(0.5 * x * (1 + erf(x * 0.5.squareRoot())))
        case .geluTanh: return Float(0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x))))
        case .relu: return Float(max(x, 0))
        }
    }

    /// Caps.
    public func softcap(_ x: HostBuffer, cap: Float, rows: Int, columns: Int) {
        for row in 0..<rows {
            let values = x.row(row)
            for i in 0..<columns { values[i] = cap * tanh(values[i] / cap) }
        }
    }

    /// Copies chosen rows.
    public func gather(_ x: HostBuffer, rows: UnsafeBufferPointer<Int32>, into out: HostBuffer) {
        for (index, row) in rows.enumerated() { out.row(index).update(from: x.row(Int(row)), count: x.columns) }
    }
}
