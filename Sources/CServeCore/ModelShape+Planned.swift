// Families whose shapes are known for planning though the engine does not serve them: their own field names and parts.

extension ConfigFields {
    /// The fields in Llama's spelling, for families that have another.
    func renamed(for family: ModelFamily) throws(ModelShapeError) -> ConfigFields {
        let names: [String: String]
        switch family {
        case .gptj:
            names = [
                "n_embd": "hidden_size", "n_head": "num_attention_heads", "n_layer": "num_hidden_layers",
                "n_positions": "max_position_embeddings", "n_inner": "intermediate_size",
                "activation_function": "hidden_act",
            ]
        case .opt: names = ["ffn_dim": "intermediate_size", "activation_function": "hidden_act"]
        case .falcon: names = ["activation": "hidden_act"]
        default: return self
        }
        var object = object
        for (own, common) in names where object[common] == nil { object[common] = object[own] }
        var fields = ConfigFields(file: file, object: object, path: path)
        try fields.completeSizes(for: family)
        return fields
    }

    private mutating func completeSizes(for family: ModelFamily) throws(ModelShapeError) {
        var object = object
        let hidden = try requiredInt("hidden_size", in: 1...(1 << 20))
        // GPT-J and Falcon: four times the hidden size where nothing is said.
        if try int("intermediate_size", in: 1...(1 << 24)) == nil { object["intermediate_size"] = .integer(4 * hidden) }
        if try string("hidden_act") == nil { object["hidden_act"] = "gelu" }
        if family == .falcon {
            let few = try bool("new_decoder_architecture") ?? false
            let single = try bool("multi_query") ?? true
            let given = try int("num_kv_heads", in: 1...(1 << 16))
            if few, let given { object["num_key_value_heads"] = .integer(given) }
            if !few && single { object["num_key_value_heads"] = 1 }
        }
        self = ConfigFields(file: file, object: object, path: path)
    }
}

extension ModelShape {
    /// Reads what the planned families have instead of a Llama layer's parts.
    mutating func readParts(_ fields: ConfigFields) throws(ModelShapeError) {
        switch family {
        case .deepseekV2, .deepseekV3: try readLatent(fields)
        case .gptOss: parts.attentionSinks = true
        case .minimaxM2: parts.wideQueryKeyNorm = true
        case .gptj, .phi:
            usePlainLayers()
            parts.feedForwardNorm = false
            parts.headBias = true
        case .falcon:
            usePlainLayers()
            parts.feedForwardNorm = try fields.bool("new_decoder_architecture") ?? false
        case .opt:
            usePlainLayers()
            // Positions begin at 2: transformers' OPTLearnedPositionalEmbedding.
            parts.learnedPositions = maxPositionEmbeddings + 2
            try checkProjection(fields)
        default: break
        }
    }

    /// Norms with biases, a feed-forward part without a gate.
    private mutating func usePlainLayers() {
        parts.gatedFeedForward = false
        parts.normBias = true
    }

    /// OPT-350m embeds into another width than it computes in.
    private func checkProjection(_ fields: ConfigFields) throws(ModelShapeError) {
        let projected = try fields.int("word_embed_proj_dim", in: 1...(1 << 20)) ?? hiddenSize
        guard projected == hiddenSize else {
            throw .unsupportedValue(
                file: fields.file, field: fields.path + "word_embed_proj_dim", value: "\(projected)",
                supported: "\(hiddenSize), the hidden size")
        }
    }

    private mutating func readLatent(_ fields: ConfigFields) throws(ModelShapeError) {
        let widths = 1...(1 << 20)
        let latent = LatentAttention(
            queryRank: try fields.int("q_lora_rank", in: widths),
            keyValueRank: try fields.requiredInt("kv_lora_rank", in: widths),
            rotatedDim: try fields.requiredInt("qk_rope_head_dim", in: widths),
            plainDim: try fields.requiredInt("qk_nope_head_dim", in: widths),
            valueDim: try fields.requiredInt("v_head_dim", in: widths))
        latentAttention = latent
        headDim = latent.plainDim + latent.rotatedDim
        kvHeads = heads
        attentionScale = 1 / Double(headDim).squareRoot()
    }

    static func plannedMixture(_ fields: ConfigFields, shape: ModelShape) throws(ModelShapeError) -> Mixture? {
        let counts = 1...(1 << 14)
        let names = ["n_routed_experts", "num_local_experts", "num_experts"]
        guard let experts = try fields.int(names, in: counts) else { return nil }
        let perToken = try fields.int(["num_experts_per_tok", "experts_per_token"], in: counts)
        guard let perToken else { throw .missing(file: fields.file, field: fields.path + "num_experts_per_tok") }
        let isDeepSeek = shape.family == .deepseekV2 || shape.family == .deepseekV3
        let width = try fields.int("moe_intermediate_size", in: 1...(1 << 24)) ?? shape.intermediateSize
        let shared = isDeepSeek ? try fields.int("n_shared_experts", in: 0...(1 << 10)) ?? 0 : 0
        let dense = try fields.int("first_k_dense_replace", in: 0...(1 << 14)) ?? 0
        let step = try fields.int("moe_layer_freq", in: 1...(1 << 14)) ?? 1
        let hasBias =
            shape.family == .minimaxM2 ? try fields.bool("use_routing_bias") ?? true : shape.family != .deepseekV2
        return try checked(
            Mixture(
                experts: experts, perToken: perToken, intermediateSize: width,
                sharedIntermediateSize: shared > 0 ? shared * width : nil,
                renormalise: try fields.bool("norm_topk_prob") ?? !isDeepSeek,
                layers: (0..<shape.layers).map { !isDeepSeek || ($0 >= dense && $0 % step == 0) },
                sharedIsGated: false, routerBias: hasBias, expertBias: shape.family == .gptOss), fields)
    }

    /// Refuses shapes that can be planned but have no forward pass here.
    /// - Throws: ``ModelShapeError/plannedOnly(family:supported:)``.
    public func checkServed() throws(ModelShapeError) {
        guard family.isServed else {
            throw .plannedOnly(family: family.rawValue, supported: ModelFamily.supportedArchitectures)
        }
    }
}
