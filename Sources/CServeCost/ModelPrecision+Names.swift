// Types by the names that recipes and people use: bf16, int4, fp8; what an accelerator multiplies them in.
import CServeCore

extension ModelPrecision {
    /// The types that a recipe asks for on an accelerator.
    ///
    /// `dtype` auto is bfloat16, or float16 where the accelerator does not multiply bfloat16; weights of eight-bit floats are
    /// multiplied as such where it can, other codes are widened (on CPUs, int8 and int4 are multiplied as int8).
    /// - Parameters:
    ///   - recipe: `dtype`, `quantization` and `cache_dtype`.
    ///   - accelerator: What multiplies.
    ///   - stored: How the checkpoint stores its weights, where that is known.
    /// - Throws: ``PrecisionError``.
    public init(recipe: Recipe, on accelerator: AcceleratorSpec, stored: ElementType? = nil) throws(PrecisionError) {
        var plain = try Self.element(recipe.dtype) ?? stored ?? .bfloat16
        if recipe.dtype == "auto", plain == .bfloat16, accelerator.peaks[.bfloat16] == nil { plain = .float16 }
        var weights = WeightFormat.plain(plain)
        var arithmetic = ModelPrecision(plain).arithmetic
        if let name = recipe.quantization {
            guard let quantization = Quantization(rawValue: name), let format = quantization.format(.qkv) else {
                throw .unknownQuantization(name, known: Quantization.allCases.map(\.rawValue))
            }
            weights = .quantized(format)
            if format.code == .fp8, accelerator.peaks[.fp8] != nil { arithmetic = .fp8 }
            if accelerator.kind == .cpu, format.code != .fp8, accelerator.peaks[.int8] != nil { arithmetic = .int8 }
        }
        guard accelerator.peaks[arithmetic] != nil else {
            let known = ArithmeticType.allCases.filter { accelerator.peaks[$0] != nil }.map(\.rawValue)
            throw .notMultiplied(type: arithmetic.rawValue, accelerator: accelerator.name, known: known)
        }
        self.init(
            weights: weights, arithmetic: arithmetic, cache: try Self.cache(recipe.cacheDtype, plain), plain: plain)
    }

    private static func element(_ name: String) throws(PrecisionError) -> ElementType? {
        if name == "auto" { return nil }
        let short = ["bf16": "bfloat16", "fp16": "float16", "half": "float16", "fp32": "float32", "float": "float32"]
        guard let element = ElementType(rawValue: short[name] ?? name) else {
            throw .unknownType(field: "dtype", name: name, known: ["auto"] + ElementType.allCases.map(\.rawValue))
        }
        return element
    }

    private static func cache(_ name: String, _ plain: ElementType) throws(PrecisionError) -> CacheFormat {
        if name == "auto" { return CacheFormat(plain) }
        guard let format = CacheFormat(name: name) else {
            throw .unknownType(field: "cache_dtype", name: name, known: ["auto"] + CacheFormat.names)
        }
        return format
    }

    /// The weights' type as people write it: `bf16`, `int4`.
    public var weightName: String {
        switch weights {
        case .plain(.float32): "fp32"
        case .plain(.float16): "fp16"
        case .plain(.bfloat16): "bf16"
        case .quantized(let format): format.code.rawValue
        }
    }
}

/// Types that cannot be had.
public enum PrecisionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No such type.
    case unknownType(field: String, name: String, known: [String])
    /// No such quantisation.
    case unknownQuantization(String, known: [String])
    /// The accelerator does not multiply it.
    case notMultiplied(type: String, accelerator: String, known: [String])

    /// What happened, and what to do next.
    public var description: String {
        switch self {
        case .unknownType(let field, let name, let known):
            "\(field) is \(name). Choose one of \(known.joined(separator: ", "))."
        case .unknownQuantization(let name, let known):
            "quantization is \(name), which is not planned. Choose one of \(known.joined(separator: ", "))."
        case .notMultiplied(let type, let accelerator, let known):
            "\(accelerator) does not multiply \(type). Choose one of \(known.joined(separator: ", "))."
        }
    }
}
