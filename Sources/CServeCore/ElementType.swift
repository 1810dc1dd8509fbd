// How numbers are stored.

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

extension Int {
    /// The least multiple of `multiple` that is not below this number.
    package func rounded(upTo multiple: Int) -> Int {
        (self + multiple - 1) / multiple * multiple
    }
}
