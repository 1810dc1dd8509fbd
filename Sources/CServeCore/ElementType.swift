// How numbers are stored, and how a backend lays a packed matrix out: what a memory plan counts bytes with.

/// How one number of a weight, an activation or a cached key is stored.
public enum ElementType: String, Hashable, Codable, Sendable, CaseIterable {
    /// IEEE single precision.
    case float32
    /// IEEE half precision.
    case float16
    /// The upper half of a single: eight bits of exponent.
    case bfloat16

    /// Bytes per number.
    public var size: Int { self == .float32 ? 4 : 2 }
}

/// How a backend lays a packed matrix out: enough to know its bytes without the backend.
///
/// A matrix `[rows, columns]` (output features, input features) takes
/// `padded(rows) * padded(columns) * element.size` bytes, rounded up to ``MemoryPlan/alignment``.
public struct WeightLayout: Hashable, Codable, Sendable {
    /// How a packed number is stored.
    public var element: ElementType
    /// Output features are padded to a multiple of this.
    public var rowMultiple: Int
    /// Input features are padded to a multiple of this.
    public var columnMultiple: Int

    /// Describes a layout.
    public init(element: ElementType, rowMultiple: Int = 1, columnMultiple: Int = 1) {
        self.element = element
        self.rowMultiple = rowMultiple
        self.columnMultiple = columnMultiple
    }

    /// The bytes of a packed matrix, aligned.
    public func bytes(rows: Int, columns: Int) -> Int {
        let elements = rows.rounded(upTo: rowMultiple) * columns.rounded(upTo: columnMultiple)
        return (elements * element.size).rounded(upTo: MemoryPlan.alignment)
    }
}

extension Int {
    /// The least multiple of `multiple` that is not below this number.
    package func rounded(upTo multiple: Int) -> Int {
        (self + multiple - 1) / multiple * multiple
    }
}
