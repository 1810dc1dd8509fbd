// Rotary embeddings as checkpoints describe them, in the old and the new spelling.

/// How one kind of layer rotates its queries and keys.
public struct RopeParameters: Hashable, Codable, Sendable {
    /// The base of the frequencies.
    public var theta: Double
    /// The part of each head that is rotated.
    public var partialRotaryFactor: Double = 1
    /// How frequencies are changed for longer contexts.
    public var scaling: Scaling = .none

    /// The published ways to stretch a context.
    public enum Scaling: Hashable, Codable, Sendable {
        /// As trained.
        case none
        /// Positions divided by a factor.
        case linear(factor: Double)
        /// The base grows with the length (NTK); fixed at the engine's length.
        case dynamic(factor: Double)
        /// Llama 3.1's smooth step between wavelengths.
        case llama3(factor: Double, lowFrequency: Double, highFrequency: Double, originalPositions: Double)
        /// YaRN's ramp between interpolated and original frequencies.
        case yarn(YaRN)
        /// LongRoPE's factor per dimension; short or long by the engine's length.
        case longrope(short: [Double], long: [Double], attentionFactor: Double, originalPositions: Double)
    }

    /// YaRN's numbers (Peng et al. 2023, arXiv:2309.00071).
    public struct YaRN: Hashable, Codable, Sendable {
        /// How far positions are stretched.
        public var factor: Double
        /// What cosines and sines are multiplied with.
        public var attentionFactor: Double
        /// Rotations above which a dimension is left alone.
        public var betaFast: Double
        /// Rotations below which a dimension is interpolated.
        public var betaSlow: Double
        /// The length that the model was trained for.
        public var originalPositions: Double
        /// Whether the ramp's ends are whole dimensions.
        public var truncate: Bool
    }

    /// A plain rotation.
    public init(theta: Double, partialRotaryFactor: Double = 1, scaling: Scaling = .none) {
        self.theta = theta
        self.partialRotaryFactor = partialRotaryFactor
        self.scaling = scaling
    }

    /// Columns of a head that take part: transformers' `int(head_dim * partial_rotary_factor)`, made even.
    public func rotaryDim(headDim: Int) -> Int {
        (Int(Double(headDim) * partialRotaryFactor) + 1) / 2 * 2
    }
}

/// What reading rope parameters needs to know of the rest of the configuration.
struct RopeContext {
    var family: ModelFamily
    var theta: Double
    var partialRotaryFactor: Double?
    var headDim: Int
    var maxPositions: Int
    /// The field at the top of config.json, which goes before the one inside.
    var originalPositions: Int?

    static let positionRange = 1...(1 << 31)

    /// Reads one set of parameters; `fields` is nil when the configuration has none.
    func read(_ fields: ConfigFields?) throws(ModelShapeError) -> RopeParameters {
        var rope = RopeParameters(theta: theta, partialRotaryFactor: partialRotaryFactor ?? 1)
        guard let fields else { return rope }
        rope.theta = try fields.double("rope_theta") ?? theta
        rope.partialRotaryFactor = try fields.double("partial_rotary_factor") ?? rope.partialRotaryFactor
        guard rope.partialRotaryFactor <= 1, rope.rotaryDim(headDim: headDim) >= 2 else {
            throw .outOfRange(
                file: fields.file, field: fields.path + "partial_rotary_factor",
                value: "\(rope.partialRotaryFactor)", allowed: "above 0 and at most 1")
        }
        rope.scaling = try scaling(fields, rotaryDim: rope.rotaryDim(headDim: headDim))
        return rope
    }

    private func scaling(_ fields: ConfigFields, rotaryDim: Int) throws(ModelShapeError) -> RopeParameters.Scaling {
        let name = try fields.string(["rope_type", "type"]) ?? "default"
        // transformers reads Phi-3's "yarn" as longrope too.
        let isLong = name == "longrope" || name == "su" || (family == .phi3 && name == "yarn")
        if isLong { return try longrope(fields, rotaryDim: rotaryDim) }
        switch name {
        case "default": return .none
        case "linear": return .linear(factor: try fields.requiredDouble("factor"))
        case "dynamic": return .dynamic(factor: try fields.requiredDouble("factor"))
        case "llama3": return try llama3(fields)
        case "yarn": return try yarn(fields)
        default:
            throw .unsupportedValue(
                file: fields.file, field: fields.path + "rope_type", value: name,
                supported: "default, linear, dynamic, llama3, yarn, longrope")
        }
    }

    private func original(_ fields: ConfigFields) throws(ModelShapeError) -> Double {
        let inside = try fields.int("original_max_position_embeddings", in: Self.positionRange)
        return Double(originalPositions ?? inside ?? maxPositions)
    }

    private func llama3(_ fields: ConfigFields) throws(ModelShapeError) -> RopeParameters.Scaling {
        let low = try fields.requiredDouble("low_freq_factor")
        let high = try fields.requiredDouble("high_freq_factor")
        guard high > low else {
            throw .inconsistent(
                file: fields.file, field: fields.path + "high_freq_factor",
                reason: "it is \(high), not above low_freq_factor \(low)")
        }
        return .llama3(
            factor: try fields.requiredDouble("factor"), lowFrequency: low, highFrequency: high,
            originalPositions: try original(fields))
    }

    private func yarn(_ fields: ConfigFields) throws(ModelShapeError) -> RopeParameters.Scaling {
        let original = try original(fields)
        let factor = try fields.double("factor") ?? Double(maxPositions) / original
        func magnitude(_ mscale: Double) -> Double {
            factor <= 1 ? 1 : 0.1 * mscale * CMath.log(factor) + 1
        }
        var attention = magnitude(1)
        if let scale = try fields.double("mscale", inclusive: true), scale != 0,
            let all = try fields.double("mscale_all_dim", inclusive: true), all != 0
        {
            attention = magnitude(scale) / magnitude(all)
        }
        return .yarn(
            RopeParameters.YaRN(
                factor: factor, attentionFactor: try fields.double("attention_factor") ?? attention,
                betaFast: try fields.double("beta_fast") ?? 32, betaSlow: try fields.double("beta_slow") ?? 1,
                originalPositions: original, truncate: try fields.bool("truncate") ?? true))
    }

    private func longrope(_ fields: ConfigFields, rotaryDim: Int) throws(ModelShapeError) -> RopeParameters.Scaling {
        let original = try original(fields)
        let factor = try fields.double("factor") ?? Double(maxPositions) / original
        var attention = 1.0
        if factor > 1 {
            guard original > 1 else {
                throw .outOfRange(
                    file: fields.file, field: "original_max_position_embeddings", value: "\(Int(original))",
                    allowed: "above 1")
            }
            attention = (1 + CMath.log(factor) / CMath.log(original)).squareRoot()
        }
        return .longrope(
            short: try fields.factors("short_factor", count: rotaryDim / 2),
            long: try fields.factors("long_factor", count: rotaryDim / 2),
            attentionFactor: try fields.double("attention_factor") ?? attention, originalPositions: original)
    }
}
