// A GGUF file's metadata as the config.json that Hugging Face would have, so that there is one reader of
// configurations.

import CServeCore

/// Translates keys. Source: llama.cpp's writer (conversion/base.py, gguf-py/gguf/constants.py) and reader
/// (llama-model.cpp).
struct GGUFConfiguration {
    let architecture: GGUFArchitecture
    let metadata: GGUFMetadata
    private let tensors: [String: GGUFShards.Located]

    /// - Throws: ``ModelShapeError/unsupportedArchitecture(name:supported:)``, or ``CheckpointError`` without a name.
    init(_ shards: GGUFShards) throws {
        metadata = shards.metadata
        tensors = shards.tensors
        guard let name = metadata.string("general.architecture") else {
            throw CheckpointError.header(file: metadata.file, reason: "there is no general.architecture")
        }
        guard let known = GGUFArchitecture(rawValue: name) else {
            throw ModelShapeError.unsupportedArchitecture(
                name: name, supported: GGUFArchitecture.allCases.map(\.rawValue))
        }
        architecture = known
        guard !tensors.isEmpty else {
            throw CheckpointError.header(file: metadata.file, reason: "it holds no tensors (a vocabulary alone)")
        }
    }

    /// The bytes of an equivalent config.json.
    /// - Throws: ``CheckpointError`` or ``ModelShapeError``, naming the key.
    func json() throws -> [UInt8] {
        var fields = JSONObject()
        fields["architectures"] = [.string(className)]
        try addSizes(&fields)
        try addAttention(&fields)
        try addRope(&fields)
        try addMixture(&fields)
        fields["bos_token_id"] = metadata.integer("tokenizer.ggml.bos_token_id").map { .integer($0) }
        fields["eos_token_id"] = .array(endTokens.map { .integer($0) })
        return JSONValue.object(fields).serialized()
    }

    /// The bytes of an equivalent generation_config.json, where the file recommends how to sample.
    func generationJSON() -> [UInt8]? {
        var fields = JSONObject()
        let keys = [
            ("temperature", "temp"), ("top_k", "top_k"), ("top_p", "top_p"), ("min_p", "min_p"),
            ("repetition_penalty", "penalty_repeat"),
        ]
        for (field, key) in keys {
            switch metadata["general.sampling." + key] {
            case .integer(let value): fields[field] = .integer(value)
            case .number(let value): fields[field] = .double(Double("\(Float(value))") ?? value)
            default: break
            }
        }
        guard !fields.isEmpty else { return nil }
        fields["do_sample"] = true
        return JSONValue.object(fields).serialized()
    }

    /// How the rows of a tensor lie.
    /// - Throws: ``CheckpointError`` where heads do not divide them.
    func order(of kind: String, rows: Int) throws(CheckpointError) -> RowOrder {
        guard architecture.interleavesHeads, kind == "attn_q" || kind == "attn_k" else { return .plain }
        let head = try headSize
        guard head >= 2, head % 2 == 0, rows % head == 0 else {
            throw .header(file: metadata.file, reason: "\(rows) rows of \(kind) are not whole heads of \(head)")
        }
        return .interleaved(head: head)
    }

    // MARK: Keys

    private func key(_ name: String) -> String { "\(architecture.rawValue).\(name)" }

    /// A whole number; arrays of one value for each layer stand for it where they are all the same.
    private func integer(_ name: String) throws(CheckpointError) -> Int? {
        switch metadata[key(name)] {
        case nil: return nil
        case .integer(let value): return value
        case .integers(let values):
            guard let first = values.first, values.allSatisfy({ $0 == first }) else {
                throw .header(
                    file: metadata.file, reason: "\(key(name)) differs between layers, which is not supported")
            }
            return first
        default: throw .header(file: metadata.file, reason: "\(key(name)) is not a whole number")
        }
    }

    private func required(_ name: String) throws(CheckpointError) -> Int {
        guard let value = try integer(name) else { throw missing(name) }
        return value
    }

    private func missing(_ name: String) -> CheckpointError {
        .header(file: metadata.file, reason: "there is no \(key(name))")
    }

    private func has(_ tensor: String) -> Bool { tensors[tensor] != nil }

    private var headSize: Int {
        get throws(CheckpointError) {
            if let size = try integer("attention.key_length") { return size }
            let (width, heads) = (try required("embedding_length"), try required("attention.head_count"))
            return heads > 0 ? width / heads : 0
        }
    }

    private func unsupported(_ name: String, _ value: String, _ supported: String) -> ModelShapeError {
        .unsupportedValue(file: metadata.file, field: key(name), value: value, supported: supported)
    }

    // MARK: Sizes

    /// The class of transformers with the same forward pass.
    private var className: String {
        switch architecture {
        case .llama:
            if (metadata.integer(key("expert_count")) ?? 0) > 0 { return "MixtralForCausalLM" }
            return window == nil ? "LlamaForCausalLM" : "MistralForCausalLM"
        case .qwen2: return "Qwen2ForCausalLM"
        case .qwen2moe: return "Qwen2MoeForCausalLM"
        case .qwen3: return "Qwen3ForCausalLM"
        case .qwen3moe: return "Qwen3MoeForCausalLM"
        case .gemma: return "GemmaForCausalLM"
        case .gemma2: return "Gemma2ForCausalLM"
        case .gemma3: return "Gemma3ForCausalLM"
        case .phi3: return "Phi3ForCausalLM"
        }
    }

    /// The sliding window; 0 stands for none.
    private var window: Int? {
        metadata.integer(key("attention.sliding_window")).flatMap { $0 > 0 ? $0 : nil }
    }

    private func addSizes(_ fields: inout JSONObject) throws {
        guard let embedding = tensors["token_embd.weight"]?.tensor, embedding.shape.count == 2 else {
            throw CheckpointError.header(file: metadata.file, reason: "there is no matrix token_embd.weight")
        }
        fields["vocab_size"] = .integer(embedding.shape[0])
        fields["hidden_size"] = .integer(try required("embedding_length"))
        fields["num_hidden_layers"] = .integer(try required("block_count"))
        fields["max_position_embeddings"] = .integer(try required("context_length"))
        // A mixture may leave out the width of the dense layers that it does not have.
        let width = try integer("feed_forward_length").flatMap { $0 > 0 ? $0 : nil }
        guard let width = try width ?? integer("expert_feed_forward_length") else {
            throw missing("feed_forward_length")
        }
        fields["intermediate_size"] = .integer(width)
        guard let epsilon = metadata.number(key("attention.layer_norm_rms_epsilon")) else {
            throw missing("attention.layer_norm_rms_epsilon")
        }
        fields["rms_norm_eps"] = .double(epsilon)
        fields["tie_word_embeddings"] = .bool(!has("output.weight"))
    }

    private func addAttention(_ fields: inout JSONObject) throws {
        let heads = try required("attention.head_count")
        let head = try headSize
        fields["num_attention_heads"] = .integer(heads)
        fields["num_key_value_heads"] = .integer(try integer("attention.head_count_kv") ?? heads)
        fields["head_dim"] = .integer(head)
        if let values = try integer("attention.value_length"), values != head {
            throw unsupported("attention.value_length", "\(values)", "the keys' length, \(head)")
        }
        let hasBias = has("blk.0.attn_q.bias")
        fields["attention_bias"] = .bool(hasBias)
        fields["qkv_bias"] = .bool(hasBias)
        fields["mlp_bias"] = .bool(has("blk.0.ffn_up.bias"))
        guard architecture == .gemma2 || architecture == .gemma3 else {
            if let window, architecture == .llama || architecture == .phi3 {
                fields["sliding_window"] = .integer(window)
            }
            return
        }
        try addGemma(&fields, heads: heads, head: head)
    }

    /// What only Gemma 2 and 3 have.
    private func addGemma(_ fields: inout JSONObject, heads: Int, head: Int) throws {
        let layers = try required("block_count")
        // Most files have no scale: it follows from a head's size but in the 27B models, which llama.cpp, too,
        // recognises
        // by their layers (llama.cpp, src/models/gemma2.cpp and gemma3.cpp).
        let isLargest = layers == (architecture == .gemma2 ? 46 : 62)
        let usual = Double(isLargest ? try required("embedding_length") / max(heads, 1) : head)
        let given = metadata.number(key("attention.scale")).flatMap { $0 > 0 ? 1 / ($0 * $0) : nil }
        fields["query_pre_attn_scalar"] = .double(given ?? usual)
        for name in ["attn_logit_softcapping", "final_logit_softcapping"] {
            if let cap = metadata.number(key(name)) { fields[name] = cap > 0 ? .double(cap) : .null }
        }
        if let window { fields["sliding_window"] = .integer(window) }
        guard architecture == .gemma3, layers <= 1 << 14 else { return }
        if window == nil { fields["sliding_window"] = .null }
        fields["layer_types"] = .array(
            try slides(layers: layers).map { .string($0 ? "sliding_attention" : "full_attention") })
    }

    /// Which layers of Gemma 3 have the window: every sixth has not, unless the file says otherwise.
    private func slides(layers: Int) throws -> [Bool] {
        guard window != nil else { return Array(repeating: false, count: layers) }
        let name = "attention.sliding_window_pattern"
        switch metadata[key(name)] {
        case .bools(let pattern) where pattern.count >= layers: return Array(pattern.prefix(layers))
        case .integer(let period) where period > 0: return (0..<layers).map { ($0 + 1) % period != 0 }
        case nil: return (0..<layers).map { ($0 + 1) % 6 != 0 }
        default: throw unsupported(name, "another kind", "a period, or a truth value for each of \(layers) layers")
        }
    }

    private func addMixture(_ fields: inout JSONObject) throws {
        guard let experts = try integer("expert_count"), experts > 0 else { return }
        fields["num_local_experts"] = .integer(experts)
        fields["num_experts_per_tok"] = .integer(try required("expert_used_count"))
        guard architecture != .llama else { return }
        fields["num_experts"] = .integer(experts)
        let width = tensors.values.first { $0.tensor.name.hasSuffix("ffn_up_exps.weight") }?.tensor.shape
        guard let width = try integer("expert_feed_forward_length") ?? width?.dropFirst().first else {
            throw missing("expert_feed_forward_length")
        }
        fields["moe_intermediate_size"] = .integer(width)
        if architecture == .qwen2moe {
            let shared = try integer("expert_shared_feed_forward_length") ?? required("feed_forward_length")
            fields["shared_expert_intermediate_size"] = .integer(shared)
        }
        // Not in the file: llama.cpp's forward passes fix it for each architecture.
        let renormalises = metadata.bool(key("expert_weights_norm")) ?? (architecture == .qwen3moe)
        fields["norm_topk_prob"] = .bool(renormalises)
        let layers = try required("block_count")
        let dense = (0..<min(max(layers, 0), 1 << 14)).filter { !has("blk.\($0).ffn_gate_inp.weight") }
        fields["mlp_only_layers"] = .array(dense.map { .integer($0) })
    }

    // MARK: Rotation

    private func addRope(_ fields: inout JSONObject) throws {
        let head = try headSize
        fields["rope_theta"] = .double(metadata.number(key("rope.freq_base")) ?? 10_000)
        if architecture == .gemma3 {
            fields["rope_local_base_freq"] = .double(metadata.number(key("rope.freq_base_swa")) ?? 10_000)
        }
        if let rotated = try integer("rope.dimension_count"), rotated != head {
            guard rotated > 0, rotated < head, !architecture.interleavesHeads else {
                throw unsupported("rope.dimension_count", "\(rotated)", "the heads' size, \(head)")
            }
            // The smallest share of which `int(head * share)` is the file's number.
            let share = Double(rotated) / Double(head)
            fields["partial_rotary_factor"] = .double(Int(share * Double(head)) < rotated ? share.nextUp : share)
        }
        let original = try integer("rope.scaling.original_context_length")
        if let original { fields["original_max_position_embeddings"] = .integer(original) }
        if let scaling = try scaling() { fields["rope_scaling"] = .object(scaling) }
    }

    private func scaling() throws -> JSONObject? {
        if let long = try factors("rope_factors_long.weight"), let short = try factors("rope_factors_short.weight") {
            return longrope(short, long, attention: metadata.number(key("rope.scaling.attn_factor")) ?? 1)
        }
        // Llama 3.1's step between wavelengths, worked out by the converter: a divisor for each frequency.
        if let divisors = try factors("rope_freqs.weight") { return longrope(divisors, divisors, attention: 1) }
        let type = metadata.string(key("rope.scaling.type")) ?? "none"
        let factor = metadata.number(key("rope.scaling.factor")) ?? metadata.number(key("rope.scale_linear"))
        switch type {
        case "none" where metadata[key("rope.scale_linear")] == nil, "longrope": return nil
        case "linear", "none": return factor.map { JSONObject([("rope_type", "linear"), ("factor", .double($0))]) }
        case "yarn": return yarn(factor: factor)
        default: throw unsupported("rope.scaling.type", type, "none, linear, yarn, longrope")
        }
    }

    private func yarn(factor: Double?) -> JSONObject {
        var scaling = JSONObject([("rope_type", "yarn")])
        scaling["factor"] = factor.map { .double($0) }
        for (field, name) in [
            ("attention_factor", "yarn_attn_factor"), ("beta_fast", "yarn_beta_fast"), ("beta_slow", "yarn_beta_slow"),
        ] {
            if let value = metadata.number(key("rope.scaling." + name)) { scaling[field] = .double(value) }
        }
        return scaling
    }

    private func longrope(_ short: [Float], _ long: [Float], attention: Double) -> JSONObject {
        JSONObject([
            ("rope_type", "longrope"), ("short_factor", .array(short.map { .double(Double($0)) })),
            ("long_factor", .array(long.map { .double(Double($0)) })), ("attention_factor", .double(attention)),
        ])
    }

    /// The numbers of a small plain tensor.
    private func factors(_ name: String) throws(CheckpointError) -> [Float]? {
        guard let located = tensors[name] else { return nil }
        let tensor = located.tensor
        guard tensor.type.name == "F32", tensor.shape.count == 1, tensor.shape[0] <= 4096 else {
            throw .entry(file: located.file, tensor: name, reason: "it is not a short list of F32")
        }
        return (0..<tensor.shape[0]).map { tensor.bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
    }

    // MARK: Tokens

    /// Tokens that end an answer by their text, as llama.cpp takes them (src/llama-vocab.cpp, `special_eog_ids`):
    /// files name
    /// one id, and chat models have more.
    private static let endTexts: Set<String> = [
        "<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<|eom_id|>", "<EOT>", "_<EOT>",
        "<|end_of_text|>", "<end_of_utterance>",
    ]

    private var endTokens: [Int] {
        var ids = ["eos", "eot", "eom"].compactMap { metadata.integer("tokenizer.ggml.\($0)_token_id") }
        let tokens = metadata.strings("tokenizer.ggml.tokens") ?? []
        let types = metadata.integers("tokenizer.ggml.token_type") ?? []
        for (id, type) in types.enumerated()
        where type == GGUFTokenType.control.rawValue && id < tokens.count && Self.endTexts.contains(tokens[id]) {
            ids.append(id)
        }
        return ids.reduce(into: []) { if !$0.contains($1) && $1 < Int(Int32.max) { $0.append($1) } }
    }
}
