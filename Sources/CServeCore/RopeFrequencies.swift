// The inverse frequencies of every rotary variant, as transformers' modeling_rope_utils.py computes them.

/// The angles of a rotary embedding, fixed for an engine's length.
public struct RopeFrequencies: Hashable, Sendable {
    /// Radians per position: `[rotaryDim / 2]`.
    public var inverse: [Float]
    /// What cosines and sines are multiplied with.
    public var attentionFactor: Float

    /// Computes the frequencies.
    /// - Parameters:
    ///   - rope: The checkpoint's parameters.
    ///   - headDim: Numbers per head.
    ///   - maxModelLength: The engine's length: `dynamic` and `longrope` depend on it.
    ///   - maxPositions: The checkpoint's `max_position_embeddings`.
    public init(_ rope: RopeParameters, headDim: Int, maxModelLength: Int, maxPositions: Int) {
        let dim = Int(Double(headDim) * rope.partialRotaryFactor)
        attentionFactor = 1
        switch rope.scaling {
        case .none:
            inverse = Self.plain(rope.theta, dim)
        case .linear(let factor):
            inverse = Self.plain(rope.theta, dim).map { $0 / Float(factor) }
        case .dynamic(let factor):
            let length = Double(max(maxModelLength, maxPositions))
            let stretch = factor * length / Double(maxPositions) - (factor - 1)
            // A head of two dimensions has one angle that does not depend on the base.
            let power = dim > 2 ? Double(dim) / Double(dim - 2) : 1
            inverse = Self.plain(rope.theta * CMath.pow(stretch, power), dim)
        case .llama3(let factor, let low, let high, let original):
            inverse = Self.plain(rope.theta, dim).map {
                Self.llama3($0, Float(factor), Float(low), Float(high), Float(original))
            }
        case .yarn(let yarn):
            inverse = Self.yarn(yarn, rope.theta, dim)
            attentionFactor = Float(yarn.attentionFactor)
        case .longrope(let short, let long, let attention, let original):
            let factors = Double(maxModelLength) > original ? long : short
            inverse = zip(Self.plain(rope.theta, dim), factors).map { $0 / Float($1) }
            attentionFactor = Float(attention)
        }
    }

    private static func plain(_ base: Double, _ dim: Int) -> [Float] {
        stride(from: 0, to: dim, by: 2).map { Float(1 / CMath.pow(base, Double($0) / Double(dim))) }
    }

    private static func llama3(
        _ frequency: Float, _ factor: Float, _ low: Float, _ high: Float, _ original: Float
    ) -> Float {
        let wavelength = 2 * Float.pi / frequency
        if wavelength < original / high { return frequency }
        if wavelength > original / low { return frequency / factor }
        let smooth = (original / wavelength - low) / (high - low)
        return (1 - smooth) * frequency / factor + smooth * frequency
    }

    private static func yarn(_ yarn: RopeParameters.YaRN, _ base: Double, _ dim: Int) -> [Float] {
        func correction(_ rotations: Double) -> Double {
            Double(dim) * CMath.log(yarn.originalPositions / (rotations * 2 * Double.pi)) / (2 * CMath.log(base))
        }
        var low = correction(yarn.betaFast)
        var high = correction(yarn.betaSlow)
        if yarn.truncate {
            low = low.rounded(.down)
            high = high.rounded(.up)
        }
        low = max(low, 0)
        high = min(high, Double(dim - 1))
        if low == high { high += 0.001 }
        return plain(base, dim).enumerated().map { index, frequency in
            let ramp = Float(min(max((Double(index) - low) / (high - low), 0), 1))
            return frequency / Float(yarn.factor) * ramp + frequency * (1 - ramp)
        }
    }
}
