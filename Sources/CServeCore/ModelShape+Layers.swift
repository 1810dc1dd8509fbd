// The parts of a configuration that differ from layer to layer: windows, rotary embeddings, mixtures; and token ids.

extension ModelShape {
    mutating func readRope(_ fields: ConfigFields) throws(ModelShapeError) {
        // Phi-3's configuration class knows this field by itself, with 4096 where a file says nothing.
        let top = try fields.int("original_max_position_embeddings", in: RopeContext.positionRange)
        var context = RopeContext(
            family: family, theta: try fields.double("rope_theta") ?? family.defaults.theta,
            partialRotaryFactor: try fields.double("partial_rotary_factor"), headDim: headDim,
            maxPositions: maxPositionEmbeddings, originalPositions: top ?? (family == .phi3 ? 4096 : nil))
        let new = try fields.fields("rope_parameters")
        let old = try fields.fields("rope_scaling")
        if family == .gemma3 {
            try readGemma3Rope(fields, new: new, old: old, context: &context)
        } else {
            rope = try context.read(old?.object.isEmpty == false ? old : new)
        }
    }

    /// Gemma 3 has a rotation for its global layers and one for its local ones.
    private mutating func readGemma3Rope(
        _ fields: ConfigFields, new: ConfigFields?, old: ConfigFields?, context: inout RopeContext
    ) throws(ModelShapeError) {
        let full = try new?.fields("full_attention")
        rope = try context.read(old ?? full)
        if let theta = try full?.double("rope_theta"), old != nil { rope.theta = theta }
        context.theta = try fields.double("rope_local_base_freq") ?? 10_000
        localRope = try context.read(try new?.fields("sliding_attention"))
    }

    mutating func readWindows(_ fields: ConfigFields) throws(ModelShapeError) {
        slidingWindow = try window(fields)
        if let types = try fields.array("layer_types"), usesLayerTypes {
            slidingLayers = try named(types, fields)
        } else {
            let pattern = try fields.int("sliding_window_pattern", in: 1...(1 << 20)) ?? 6
            let full = try fields.int("max_window_layers", in: 0...(1 << 20)) ?? 28
            slidingLayers = (0..<layers).map { slides($0, pattern: pattern, maxWindowLayers: full) }
        }
        if slidingWindow == nil && localRope == nil { slidingLayers = Array(repeating: false, count: layers) }
    }

    private var usesLayerTypes: Bool {
        switch family {
        case .gemma2, .gemma3, .qwen2, .qwen3, .qwen2Moe, .gptOss: true
        default: false
        }
    }

    private func window(_ fields: ConfigFields) throws(ModelShapeError) -> Int? {
        switch family {
        case .llama, .gemma, .deepseekV2, .deepseekV3, .minimaxM2, .gptj, .falcon, .opt, .phi: return nil
        case .qwen2, .qwen3, .qwen2Moe, .qwen3Moe:
            guard try fields.bool("use_sliding_window") ?? false else { return nil }
        case .mistral, .mixtral, .gemma2, .gemma3, .phi3, .gptOss: break
        }
        let absent = fields.has("sliding_window") ? nil : family.defaults.slidingWindow
        return try fields.int("sliding_window", in: 1...(1 << 31)) ?? absent
    }

    private func slides(_ layer: Int, pattern: Int, maxWindowLayers: Int) -> Bool {
        switch family {
        case .mistral, .mixtral, .phi3, .qwen3Moe: true
        case .gemma2, .gptOss: layer % 2 == 0
        case .gemma3: (layer + 1) % pattern != 0
        case .qwen2, .qwen3: layer >= maxWindowLayers
        case .qwen2Moe: layer % 2 == 0 && layer < maxWindowLayers
        default: false
        }
    }

    private func named(_ types: [JSONValue], _ fields: ConfigFields) throws(ModelShapeError) -> [Bool] {
        guard types.count == layers else {
            throw .inconsistent(
                file: fields.file, field: fields.path + "layer_types",
                reason: "it has \(types.count) entries for \(layers) layers")
        }
        var sliding: [Bool] = []
        for type in types {
            switch type.stringValue {
            case "sliding_attention": sliding.append(true)
            case "full_attention": sliding.append(false)
            default:
                throw .unsupportedValue(
                    file: fields.file, field: fields.path + "layer_types", value: type.stringValue ?? type.kind,
                    supported: "full_attention, sliding_attention")
            }
        }
        return sliding
    }

    mutating func readScales(_ fields: ConfigFields) throws(ModelShapeError) {
        attentionScale = 1 / Double(headDim).squareRoot()
        guard family == .gemma2 || family == .gemma3 else { return }
        attentionScale = 1 / (try fields.double("query_pre_attn_scalar") ?? 256).squareRoot()
        // Gemma 3 keeps Gemma 2's field for scores, but transformers' forward pass does not use it.
        if family == .gemma2 {
            attentionSoftcap = try cap(fields, "attn_logit_softcapping", family.defaults.attentionSoftcap)
        }
        finalSoftcap = try cap(fields, "final_logit_softcapping", family.defaults.finalSoftcap)
        if try fields.bool("use_bidirectional_attention") ?? false {
            throw .unsupportedValue(
                file: fields.file, field: fields.path + "use_bidirectional_attention", value: "true", supported: "false"
            )
        }
    }

    private func cap(_ fields: ConfigFields, _ key: String, _ known: Double?) throws(ModelShapeError) -> Double? {
        try fields.double(key) ?? (fields.has(key) ? nil : known)
    }

    static func mixture(_ fields: ConfigFields, shape: ModelShape) throws(ModelShapeError) -> Mixture? {
        let counts = 1...(1 << 14)
        switch shape.family {
        case .mixtral:
            let experts = try fields.int(["num_local_experts", "num_experts"], in: counts) ?? 8
            return try checked(
                Mixture(
                    experts: experts, perToken: try fields.int("num_experts_per_tok", in: counts) ?? 2,
                    intermediateSize: shape.intermediateSize, sharedIntermediateSize: nil, renormalise: true,
                    layers: Array(repeating: true, count: shape.layers)), fields)
        case .qwen2Moe, .qwen3Moe:
            return try qwenMixture(fields, shape: shape)
        case .deepseekV2, .deepseekV3, .gptOss, .minimaxM2:
            return try plannedMixture(fields, shape: shape)
        default:
            return nil
        }
    }

    private static func qwenMixture(_ fields: ConfigFields, shape: ModelShape) throws(ModelShapeError) -> Mixture? {
        let isSecond = shape.family == .qwen2Moe
        let counts = 0...(1 << 14)
        let widths = 1...(1 << 24)
        let given = try fields.int(["num_experts", "num_local_experts"], in: counts)
        let experts = given ?? (isSecond ? 60 : 128)
        let step = try fields.int("decoder_sparse_step", in: 1...(1 << 16)) ?? 1
        let dense = Set(try fields.array("mlp_only_layers")?.compactMap(\.intValue) ?? [])
        let layers = (0..<shape.layers).map { !dense.contains($0) && experts > 0 && ($0 + 1) % step == 0 }
        guard layers.contains(true) else { return nil }
        let shared = isSecond ? try fields.int("shared_expert_intermediate_size", in: widths) ?? 5632 : nil
        return try checked(
            Mixture(
                experts: experts,
                perToken: try fields.int("num_experts_per_tok", in: 1...(1 << 16)) ?? (isSecond ? 4 : 8),
                intermediateSize: try fields.int("moe_intermediate_size", in: widths) ?? (isSecond ? 1408 : 768),
                sharedIntermediateSize: shared, renormalise: try fields.bool("norm_topk_prob") ?? false,
                layers: layers), fields)
    }

    static func checked(_ mixture: Mixture, _ fields: ConfigFields) throws(ModelShapeError) -> Mixture {
        guard mixture.perToken <= min(mixture.experts, 1024) else {
            throw .inconsistent(
                file: fields.file, field: fields.path + "num_experts_per_tok",
                reason: "\(mixture.perToken) experts per token of \(mixture.experts)")
        }
        return mixture
    }

    mutating func readTokens(
        _ fields: ConfigFields, outer: ConfigFields, generationConfig: [UInt8]?
    ) throws(ModelShapeError) {
        var ids = try fields.tokenIDs("eos_token_id")
        var bos = try fields.tokenIDs("bos_token_id").first
        if !fields.path.isEmpty {
            ids += try outer.tokenIDs("eos_token_id")
            if bos == nil { bos = try outer.tokenIDs("bos_token_id").first }
        }
        if let generationConfig {
            let file = "generation_config.json"
            guard let object = (try? JSONValue(parsing: generationConfig))?.objectValue else {
                throw .notJSON(file: file, reason: "it cannot be parsed")
            }
            ids += try ConfigFields(file: file, object: object).tokenIDs("eos_token_id")
        }
        eosTokenIDs = ids.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
        bosTokenID = bos
    }

    /// Refuses numbers that are each plausible but cannot be meant together; byte counts stay far from overflow.
    func checkSize(file: String) throws(ModelShapeError) {
        let attention = Double(headDim) * Double(2 * heads + 2 * kvHeads)
        var perLayer = Double(hiddenSize) * (attention + 3 * Double(intermediateSize))
        if let mixture {
            perLayer += 3 * Double(hiddenSize) * Double(mixture.intermediateSize) * Double(mixture.experts)
        }
        let total = Double(layers) * perLayer + 2 * Double(vocabularySize) * Double(hiddenSize)
        guard layers * kvHeads * headDim < 1 << 32 else {
            throw .outOfRange(
                file: file, field: "num_key_value_heads",
                value: "\(kvHeads) (in \(layers) layers of head_dim \(headDim))",
                allowed: "a model of less than 2^32 keys per token")
        }
        guard total < 1e14 else {
            throw .outOfRange(
                file: file, field: "hidden_size", value: "\(hiddenSize) (with the other sizes \(total) weights)",
                allowed: "a model of less than 1e14 weights")
        }
    }
}
