// A matrix of stored integers or e4m3 floats with scales and zero points per group: brought to codes, or to plain numbers.

import CServeCore

/// A stored matrix whose numbers are `scale * (code - zero)`, or `scale * code` for floats.
struct GroupedMatrix: Sendable {
    /// Zero points: one for all, or one per group.
    enum Zeros: Sendable {
        /// The same everywhere.
        case uniform(Int)
        /// One per output feature (or block of them) and group, to which a constant is added.
        case stored(PackedIntegers, plus: Int)
    }

    /// Output features.
    var rows: Int
    /// Input features.
    var columns: Int
    /// The codes, or the bits of the floats.
    var codes: PackedIntegers
    /// Whether codes are e4m3.
    var isFloat = false
    /// The scales.
    var scales: StoredScales
    /// The zero points; none for floats.
    var zeros = Zeros.uniform(0)
    /// Input features per scale; nil: one scale per output feature.
    var group: Int?
    /// Where the tensors that it is made of lie, where that is a file.
    var regions: [MappedRegion] = []

    /// Scales of one output feature.
    var groups: Int { group.map { (columns + $0 - 1) / $0 } ?? 1 }

    /// The zero point of a group of an output feature.
    func zero(row: Int, group: Int) -> Int {
        switch zeros {
        case .uniform(let zero): zero
        case .stored(let stored, let plus): Int(stored.value(row: row / scales.rowsPerScale, column: group)) + plus
        }
    }

    /// Lets the system take back the tensors' pages; reading brings them back.
    func releasePages() {
        for region in regions { region.drop() }
    }

    /// The same matrix with one zero point for all where all are equal.
    func simplified() -> GroupedMatrix {
        guard case .stored = zeros else { return self }
        let first = zero(row: 0, group: 0)
        for row in stride(from: 0, to: rows, by: scales.rowsPerScale) {
            for group in 0..<groups where zero(row: row, group: group) != first { return self }
        }
        var simple = self
        simple.zeros = .uniform(first)
        return simple
    }
}

/// A stored matrix as the kernels' codes: nothing is rounded.
///
/// Narrower integers become codes of four bits, groups of other sizes runs of smaller groups with the same scale. Where
/// zero points differ, `minimum = scale * zero` in f32: exact for scales of f16 and bf16 (11 + 9 bits).
struct CodedGroups: CodedMatrix {
    let format: QuantizedFormat
    private let matrix: GroupedMatrix
    /// What is added to each stored code so that the zero is the format's.
    private let shift: Int

    var rows: Int { matrix.rows }
    var columns: Int { matrix.columns }

    /// Nil where groups are no multiple of a group that the kernels know.
    init?(_ matrix: GroupedMatrix) {
        let matrix = matrix.simplified()
        self.matrix = matrix
        var group = matrix.group
        if let size = matrix.group {
            if size >= matrix.columns {
                group = nil
            } else {
                guard let fitting = [128, 64, 32, 16].first(where: { size % $0 == 0 }) else { return nil }
                group = fitting
            }
        }
        if matrix.isFloat {
            format = QuantizedFormat(.fp8, group: group, scale: matrix.scales.element)
            shift = 0
            return
        }
        let code: QuantizedFormat.Code = matrix.codes.bits <= 4 ? .int4 : .int8
        let greatest = 1 << matrix.codes.bits - 1
        if case .uniform(let zero) = matrix.zeros {
            let shift = 1 << (code.bits - 1) - zero
            if shift >= 0, greatest + shift < 1 << code.bits {
                self.shift = shift
                format = QuantizedFormat(code, group: group, scale: matrix.scales.element)
                return
            }
        }
        shift = 0
        format = QuantizedFormat(code, group: group, scale: .float32, hasMinimums: true)
    }

    func releasePages() { matrix.releasePages() }

    func read(
        rows: Range<Int>, codes: UnsafeMutablePointer<UInt8>, scales: UnsafeMutablePointer<Float>,
        minimums: UnsafeMutablePointer<Float>?
    ) {
        matrix.codes.read(rows: rows, columns: columns, adding: UInt8(shift), into: codes)
        let groups = format.groups(columns: columns)
        for (index, row) in rows.enumerated() {
            for g in 0..<groups {
                let stored = format.group.flatMap { size in matrix.group.map { g * size / $0 } } ?? 0
                let scale = matrix.scales.value(row: row, group: stored)
                scales[index * groups + g] = scale
                minimums?[index * groups + g] = scale * Float(matrix.zero(row: row, group: stored))
            }
        }
    }
}
