// In which types a deployment stores and multiplies numbers, by the names that engines use.
import CServeCore

/// The types of weights, arithmetic and KV cache.
public struct ModelPrecision: Hashable, Codable, Sendable {
    /// How the layers' matrices are stored; embedding, head and router follow ``Quantization/format(_:)``.
    public var weights: WeightFormat
    /// What the arithmetic units multiply; codes narrower than this are widened first.
    public var arithmetic: ArithmeticType
    /// How keys and values are stored.
    public var cache: CacheFormat
    /// How matrices are stored that quantisation leaves alone, and norms where an engine keeps them so.
    public var plain: ElementType
    /// Matrices that one checkpoint stores otherwise than ``weights``; empty where the engine's rules say all.
    public var exceptions: [WeightLayouts.Place: WeightFormat] = [:]

    /// Describes a precision; `plain` is the weights' own type, or bfloat16 where they are codes, unless it is given.
    public init(weights: WeightFormat, arithmetic: ArithmeticType, cache: CacheFormat, plain: ElementType? = nil) {
        self.weights = weights
        self.arithmetic = arithmetic
        self.cache = cache
        if let plain {
            self.plain = plain
        } else if case .plain(let element) = weights {
            self.plain = element
        } else {
            self.plain = .bfloat16
        }
    }

    /// Weights, arithmetic and cache in one plain type.
    public init(_ element: ElementType) {
        let arithmetic: ArithmeticType =
            switch element {
            case .float32: .float32
            case .float16: .float16
            case .bfloat16: .bfloat16
            }
        self.init(weights: .plain(element), arithmetic: arithmetic, cache: CacheFormat(element))
    }
}
