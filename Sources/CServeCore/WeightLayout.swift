// How a packed matrix's numbers are stored and laid out: enough to know its bytes without the backend.

/// Weights as codes with scales: the value is `scale * (code - zero)`, or `scale * code - minimum`.
///
/// A group is a run of consecutive input features of one output feature that share a scale.
public struct QuantizedFormat: Hashable, Codable, Sendable {
    /// What a code is.
    public enum Code: String, Hashable, Codable, Sendable, CaseIterable {
        /// Eight bits, zero at 128.
        case int8
        /// Four bits, zero at 8.
        case int4
        /// A float of eight bits: sign, four bits of exponent, three of fraction (e4m3fn).
        case fp8

        /// Bits per number.
        public var bits: Int { self == .int4 ? 4 : 8 }
    }

    /// What a code is.
    public var code: Code
    /// Input features per scale: 16, 32, 64 or 128; nil gives every output feature one scale.
    public var group: Int?
    /// How scales and minimums are stored.
    public var scale: ElementType
    /// Whether the value is `scale * code - minimum` (asymmetric).
    public var hasMinimums: Bool

    /// Describes a format.
    public init(_ code: Code, group: Int? = nil, scale: ElementType = .float32, hasMinimums: Bool = false) {
        self.code = code
        self.group = group
        self.scale = scale
        self.hasMinimums = hasMinimums
    }

    /// Scales of one output feature.
    public func groups(columns: Int) -> Int { group.map { (columns + $0 - 1) / $0 } ?? 1 }
}

/// How one number of a packed matrix is stored.
public enum WeightFormat: Hashable, Codable, Sendable {
    /// As it is.
    case plain(ElementType)
    /// As a code with a scale.
    case quantized(QuantizedFormat)
}

/// How a backend lays a packed matrix out.
///
/// Rows (output features) and columns (input features) are padded. A panel is `rowMultiple` rows: its numbers, then its
/// scales and minimums, rounded up to ``MemoryPlan/alignment``; the matrix is whole panels.
public struct WeightLayout: Hashable, Codable, Sendable {
    /// How a packed number is stored.
    public var format: WeightFormat
    /// Output features are padded to a multiple of this.
    public var rowMultiple: Int
    /// Input features are padded to a multiple of this.
    public var columnMultiple: Int

    /// Describes a layout.
    public init(format: WeightFormat, rowMultiple: Int = 1, columnMultiple: Int = 1) {
        self.format = format
        self.rowMultiple = rowMultiple
        self.columnMultiple = columnMultiple
    }

    /// A layout of plain numbers.
    public init(element: ElementType, rowMultiple: Int = 1, columnMultiple: Int = 1) {
        self.init(format: .plain(element), rowMultiple: rowMultiple, columnMultiple: columnMultiple)
    }

    /// The bytes of a packed matrix, aligned.
    public func bytes(rows: Int, columns: Int) -> Int {
        let padded = columns.rounded(upTo: columnMultiple)
        switch format {
        case .plain(let element):
            return (rows.rounded(upTo: rowMultiple) * padded * element.size).rounded(upTo: MemoryPlan.alignment)
        case .quantized(let format):
            let codes = rowMultiple * padded * format.code.bits / 8
            let scales = rowMultiple * format.groups(columns: columns) * format.scale.size
            let panel = (codes + scales * (format.hasMinimums ? 2 : 1)).rounded(upTo: MemoryPlan.alignment)
            return rows.rounded(upTo: rowMultiple) / rowMultiple * panel
        }
    }
}

/// How a backend packs matrices of every format.
public struct WeightPacking: Hashable, Codable, Sendable {
    /// Output features of a panel.
    public var rows: Int
    /// Input features of bf16 that stand together.
    public var bfloat16Columns: Int
    /// Input features of codes that stand together.
    public var codeColumns: Int

    /// Describes a packing.
    public init(rows: Int, bfloat16Columns: Int, codeColumns: Int) {
        self.rows = rows
        self.bfloat16Columns = bfloat16Columns
        self.codeColumns = codeColumns
    }

    /// The CPU backend's: panels of 64 output features; bf16 pairs its input features, codes come in eights.
    public static let cpu = WeightPacking(rows: 64, bfloat16Columns: 2, codeColumns: 8)

    /// The layout of one format.
    public func layout(_ format: WeightFormat) -> WeightLayout {
        let columns =
            switch format {
            case .plain(let element): element == .bfloat16 ? bfloat16Columns : 1
            case .quantized: codeColumns
            }
        return WeightLayout(format: format, rowMultiple: rows, columnMultiple: columns)
    }
}

/// The layout of every packed matrix of a model: one for most, others for some.
public struct WeightLayouts: Hashable, Codable, Sendable {
    /// Which matrix of which layer (nil: outside the layers); a mixture's experts are alike.
    public struct Place: Hashable, Codable, Sendable {
        /// What it does.
        public var role: WeightRole
        /// Its layer.
        public var layer: Int?

        /// Names a matrix.
        public init(_ role: WeightRole, layer: Int? = nil) {
            self.role = role
            self.layer = layer
        }
    }

    /// The layout where nothing else is said.
    public var standard: WeightLayout
    /// Matrices that are stored otherwise.
    public var exceptions: [Place: WeightLayout] = [:]

    /// The same layout everywhere, but for exceptions.
    public init(_ standard: WeightLayout, exceptions: [Place: WeightLayout] = [:]) {
        self.standard = standard
        self.exceptions = exceptions
    }

    /// The layout of one matrix.
    public subscript(item: WeightItem) -> WeightLayout {
        exceptions.isEmpty ? standard : exceptions[Place(item.role, layer: item.layer)] ?? standard
    }
}
