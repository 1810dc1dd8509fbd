// Weight quantisation on load: which matrices become codes, and in which format.

/// What `--quantization` may ask of plain weights.
public enum Quantization: String, Hashable, Codable, Sendable, CaseIterable {
    /// Eight bits, one scale per output feature.
    case int8
    /// Four bits in groups of 32 input features; the embedding and the head take eight bits.
    case int4
    /// A float of eight bits (e4m3), one scale per output feature.
    case fp8

    /// The format of a matrix; nil leaves it plain: what chooses experts is small, and an error there changes the choice.
    public func format(_ role: WeightRole) -> QuantizedFormat? {
        if role == .router || role == .sharedGate { return nil }
        let isOutside = role == .embedding || role == .head
        return switch self {
        case .int8: QuantizedFormat(.int8)
        case .int4: isOutside ? QuantizedFormat(.int8) : QuantizedFormat(.int4, group: 32, scale: .bfloat16)
        case .fp8: QuantizedFormat(.fp8)
        }
    }

    /// Names of methods that checkpoints are quantised with, as vLLM's `--quantization` has them; they ask for what the
    /// checkpoint has.
    public static let methods: [String] = ["gptq", "awq", "compressed-tensors", "fp8", "gguf"]
}

extension WeightLayouts {
    /// The layouts of a model quantised on load.
    /// - Parameter layout: How a backend lays a format out.
    public init(
        _ quantization: Quantization, plain: ElementType, shape: ModelShape, layout: (WeightFormat) -> WeightLayout
    ) {
        func named(_ role: WeightRole) -> WeightLayout {
            layout(quantization.format(role).map { .quantized($0) } ?? .plain(plain))
        }
        let standard = named(.qkv)
        self.init(standard)
        for role in [WeightRole.embedding, .head] where named(role) != standard {
            exceptions[Place(role)] = named(role)
        }
        guard let mixture = shape.mixture else { return }
        for layer in 0..<shape.layers where mixture.layers[layer] {
            exceptions[Place(.router, layer: layer)] = named(.router)
            if mixture.sharedIntermediateSize == nil { continue }
            exceptions[Place(.sharedGate, layer: layer)] = named(.sharedGate)
        }
    }
}
