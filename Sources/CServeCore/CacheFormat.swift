// How keys and values are stored in the paged cache: enough to know its bytes without the backend.

/// How the numbers of a cached head are stored.
///
/// ``int8`` and ``fp8`` are codes of a byte. Each position of a head has one f32 scale for its keys and one for its values:
/// the largest magnitude among the head's numbers becomes 127 or 448, and a number is `scale * code`.
public enum CacheFormat: String, Hashable, Codable, Sendable, CaseIterable {
    /// IEEE single precision.
    case float32
    /// IEEE half precision.
    case float16
    /// The upper half of a single: eight bits of exponent.
    case bfloat16
    /// Integers from -127 to 127.
    case int8
    /// Floats of eight bits: sign, four bits of exponent, three of fraction (e4m3fn).
    case fp8

    /// The format that keeps numbers of an element type as they are.
    public init(_ element: ElementType) {
        switch element {
        case .float32: self = .float32
        case .float16: self = .float16
        case .bfloat16: self = .bfloat16
        }
    }

    /// Reads a recipe's name; `fp8_e4m3` is ``fp8``, as in vLLM. Nil for other names, `auto` among them.
    public init?(name: String) {
        self.init(rawValue: name == "fp8_e4m3" ? "fp8" : name)
    }

    /// The names that ``init(name:)`` reads.
    public static let names = allCases.map(\.rawValue) + ["fp8_e4m3"]

    /// Bytes of one number, scales left out.
    public var numberBytes: Int {
        switch self {
        case .float32: 4
        case .float16, .bfloat16: 2
        case .int8, .fp8: 1
        }
    }

    /// Whether numbers are codes with scales.
    public var hasScales: Bool { self == .int8 || self == .fp8 }

    /// Bytes from the start of a head's part of a block to its scales: its keys and values, up to a multiple of 4.
    public func scaleOffset(positions: Int, headDim: Int) -> Int {
        (2 * positions * headDim * numberBytes).rounded(upTo: 4)
    }

    /// Bytes of one head's keys, values and scales in a block of so many positions.
    public func headBytes(positions: Int, headDim: Int) -> Int {
        scaleOffset(positions: positions, headDim: headDim) + (hasScales ? 2 * positions * 4 : 0)
    }
}
