// Reads config.json and generation_config.json of a Hugging Face checkpoint, with transformers' defaults per family.

extension ModelShape {
    /// Reads a checkpoint's configuration.
    /// - Parameters:
    ///   - config: The bytes of config.json.
    ///   - generationConfig: The bytes of generation_config.json, if there is one.
    ///   - file: Where the configuration comes from, for messages.
    /// - Throws: ``ModelShapeError``, naming file and field.
    public static func parse(
        config: [UInt8], generationConfig: [UInt8]? = nil, file: String = "config.json"
    ) throws(ModelShapeError) -> ModelShape {
        let outer = try object(config, file: file)
        let family = try family(outer)
        let fields = try textFields(outer).renamed(for: family)
        var shape = try sizes(fields, family: family, tied: try outer.bool("tie_word_embeddings"))
        try shape.readRope(fields)
        try shape.readWindows(fields)
        try shape.readScales(fields)
        shape.mixture = try mixture(fields, shape: shape)
        try shape.readParts(fields)
        try shape.readTokens(fields, outer: outer, generationConfig: generationConfig)
        try shape.checkSize(file: fields.file)
        return shape
    }

    private static func object(_ bytes: [UInt8], file: String) throws(ModelShapeError) -> ConfigFields {
        do {
            guard let object = try JSONValue(parsing: bytes).objectValue else {
                throw ModelShapeError.notJSON(file: file, reason: "it holds another kind of value")
            }
            return ConfigFields(file: file, object: object)
        } catch let error as ModelShapeError {
            throw error
        } catch {
            throw .notJSON(file: file, reason: "\(error)")
        }
    }

    private static func family(_ fields: ConfigFields) throws(ModelShapeError) -> ModelFamily {
        guard let names = try fields.array("architectures"), let name = names.first?.stringValue else {
            throw .missing(file: fields.file, field: "architectures")
        }
        guard let family = ModelFamily(architecture: name) else {
            throw .unsupportedArchitecture(name: name, supported: ModelFamily.knownArchitectures)
        }
        return family
    }

    /// The language model's fields: Gemma 3 with vision nests them.
    private static func textFields(_ outer: ConfigFields) throws(ModelShapeError) -> ConfigFields {
        try outer.fields("text_config") ?? outer
    }

    private static func sizes(
        _ fields: ConfigFields, family: ModelFamily, tied: Bool?
    ) throws(ModelShapeError) -> ModelShape {
        let defaults = family.defaults
        let hidden = try fields.requiredInt("hidden_size", in: 1...(1 << 20))
        let heads = try fields.requiredInt("num_attention_heads", in: 1...(1 << 16), default: defaults.heads)
        let layers = try fields.requiredInt("num_hidden_layers", in: 1...(1 << 14))
        let kvHeads = try kvHeads(fields, heads: heads, default: defaults.kvHeads)
        let innerTied = try fields.bool("tie_word_embeddings")
        let activationField = family == .gemma2 || family == .gemma3 ? "hidden_activation" : "hidden_act"
        return ModelShape(
            family: family,
            vocabularySize: try fields.requiredInt(
                "vocab_size", in: 1...(1 << 24), default: defaults.vocabularySize),
            hiddenSize: hidden, intermediateSize: try fields.requiredInt("intermediate_size", in: 1...(1 << 24)),
            layers: layers, heads: heads, kvHeads: kvHeads,
            headDim: try headDim(fields, hidden: hidden, heads: heads, default: defaults.headDim),
            normEpsilon: try fields.double("rms_norm_eps", inclusive: true) ?? defaults.epsilon,
            activation: try activation(fields, activationField, family: family),
            maxPositionEmbeddings: try fields.int("max_position_embeddings", in: RopeContext.positionRange)
                ?? defaults.maxPositions,
            tieWordEmbeddings: tied ?? innerTied ?? defaults.tied,
            rope: RopeParameters(theta: defaults.theta), slidingLayers: Array(repeating: false, count: layers),
            attentionScale: 1, embeddingScale: family.isGemma ? Double(hidden).squareRoot() : 1,
            normOffset: family.isGemma ? 1 : 0,
            qkvBias: try qkvBias(fields, family), outputBias: try outputBias(fields, family),
            mlpBias: try mlpBias(fields, family), queryKeyNorm: family.hasQueryKeyNorm,
            sandwichNorms: family == .gemma2 || family == .gemma3, eosTokenIDs: [],
            storedType: try storedType(fields))
    }

    private static func kvHeads(
        _ fields: ConfigFields, heads: Int, default known: Int?
    ) throws(ModelShapeError) -> Int {
        let given = try fields.int("num_key_value_heads", in: 1...(1 << 16))
        let absent = fields.has("num_key_value_heads") ? heads : known ?? heads
        let count = given ?? (heads % absent == 0 ? absent : heads)
        guard heads % count == 0 else {
            throw .inconsistent(
                file: fields.file, field: fields.path + "num_key_value_heads",
                reason: "\(heads) attention heads cannot share \(count) key-value heads evenly")
        }
        return count
    }

    private static func headDim(
        _ fields: ConfigFields, hidden: Int, heads: Int, default known: Int?
    ) throws(ModelShapeError) -> Int {
        let given = try fields.int("head_dim", in: 1...4096)
        let derived = fields.has("head_dim") ? nil : known
        let dim: Int
        if let explicit = given ?? derived {
            dim = explicit
        } else {
            guard hidden % heads == 0 else {
                throw .inconsistent(
                    file: fields.file, field: fields.path + "hidden_size",
                    reason: "\(hidden) is not a multiple of \(heads) attention heads, and there is no head_dim")
            }
            dim = hidden / heads
        }
        guard dim % 2 == 0 else {
            throw .outOfRange(
                file: fields.file, field: fields.path + "head_dim", value: "\(dim)",
                allowed: "even, as rotary embeddings need")
        }
        return dim
    }

    private static func activation(
        _ fields: ConfigFields, _ field: String, family: ModelFamily
    ) throws(ModelShapeError) -> Activation {
        guard let name = try fields.string(field) else { return family.isGemma ? .geluTanh : .silu }
        // Gemma 1 was published as "gelu" but trained with the approximation.
        if family == .gemma && name == "gelu" { return .geluTanh }
        guard let activation = Activation(checkpointName: name) else {
            throw .unsupportedValue(
                file: fields.file, field: fields.path + field, value: name,
                supported: "silu, swish, gelu, gelu_new, gelu_pytorch_tanh, relu")
        }
        return activation
    }

    private static func qkvBias(_ fields: ConfigFields, _ family: ModelFamily) throws(ModelShapeError) -> Bool {
        switch family {
        case .qwen2, .phi: true
        case .qwen2Moe: try fields.bool("qkv_bias") ?? true
        case .llama, .gemma, .gemma2, .gemma3, .qwen3, .qwen3Moe: try fields.bool("attention_bias") ?? false
        case .gptOss: try fields.bool("attention_bias") ?? true
        case .opt: try fields.bool("enable_bias") ?? true
        case .falcon: try fields.bool("bias") ?? false
        case .mistral, .mixtral, .phi3, .deepseekV2, .deepseekV3, .minimaxM2, .gptj: false
        }
    }

    private static func outputBias(_ fields: ConfigFields, _ family: ModelFamily) throws(ModelShapeError) -> Bool {
        switch family {
        case .qwen2, .qwen2Moe: false
        default: try qkvBias(fields, family)
        }
    }

    private static func mlpBias(_ fields: ConfigFields, _ family: ModelFamily) throws(ModelShapeError) -> Bool {
        switch family {
        case .llama: try fields.bool("mlp_bias") ?? false
        case .gptj, .phi: true
        case .opt: try fields.bool("enable_bias") ?? true
        case .falcon: try fields.bool("bias") ?? false
        default: false
        }
    }

    private static func storedType(_ fields: ConfigFields) throws(ModelShapeError) -> ElementType? {
        let name = try fields.string(["dtype", "torch_dtype"])
        return name.flatMap { ElementType(rawValue: $0) }
    }
}
