// What config.json says, family by family, with transformers' defaults where it says nothing, and every refusal.

import Testing

@testable import CServeCore

@Suite struct ModelShapeTests {
    static func config(_ architecture: String, _ more: String = "") -> [UInt8] {
        let text = """
            {"architectures": ["\(architecture)"], "hidden_size": 64, "num_attention_heads": 4, "vocab_size": 100,
             "intermediate_size": 96, "num_hidden_layers": 4\(more.isEmpty ? "" : ", " + more)}
            """
        return Array(text.utf8)
    }

    private func parse(_ architecture: String, _ more: String = "") throws -> ModelShape {
        try ModelShape.parse(config: Self.config(architecture, more))
    }

    @Test("head_dim and key-value heads follow the family where the file is silent, and null derives them")
    func heads() throws {
        let llama = try parse("LlamaForCausalLM")
        #expect(llama.headDim == 16 && llama.kvHeads == 4 && !llama.tieWordEmbeddings)
        #expect(try parse("LlamaForCausalLM", #""head_dim": null, "num_key_value_heads": null"#) == llama)
        #expect(try parse("LlamaForCausalLM", #""head_dim": 40"#).headDim == 40)
        #expect(try parse("GemmaForCausalLM").headDim == 256)
        #expect(try parse("GemmaForCausalLM").tieWordEmbeddings)
        #expect(try parse("Qwen3ForCausalLM").headDim == 128)
        #expect(try parse("Gemma2ForCausalLM").kvHeads == 4)
    }

    @Test("a stretching rotation allows more than the trained length to those who ask")
    func lengths() throws {
        func limit(_ rope: String) throws -> Int {
            try parse("LlamaForCausalLM", #""max_position_embeddings": 64, "rope_scaling": \#(rope)"#).lengthLimit(
                asked: 1)
        }
        #expect(try limit("null") == 64)
        #expect(try limit(#"{"type": "dynamic", "factor": 4}"#) == 256)
        #expect(try limit(#"{"type": "linear", "factor": 2.5}"#) == 160)
        // Qwen 2.5 advises this for 131,072 tokens beside "max_position_embeddings": 32768.
        #expect(try limit(#"{"type": "yarn", "factor": 4, "original_max_position_embeddings": 32}"#) == 128)
        #expect(try limit(#"{"type": "yarn", "factor": 1e20}"#) == 1 << 31)
        #expect(
            try parse("LlamaForCausalLM", #""rope_scaling": {"type": "dynamic", "factor": 4}"#).lengthLimit(asked: nil)
                == 2048)
    }

    @Test("Gemma's scales, caps and norms are the family's")
    func gemma() throws {
        let first = try parse("GemmaForCausalLM", #""hidden_act": "gelu", "head_dim": 16"#)
        #expect(first.activation == .geluTanh && first.embeddingScale == 8 && first.normOffset == 1)
        let second = try parse("Gemma2ForCausalLM", #""query_pre_attn_scalar": 144"#)
        #expect(second.attentionSoftcap == 50 && second.finalSoftcap == 30 && second.attentionScale == 1.0 / 12)
        #expect(second.slidingLayers == [true, false, true, false] && second.slidingWindow == 4096)
        #expect(try parse("Gemma2ForCausalLM", #""final_logit_softcapping": null"#).finalSoftcap == nil)
        let third = try parse("Gemma3ForCausalLM", #""attn_logit_softcapping": 5, "sliding_window_pattern": 3"#)
        #expect(third.attentionSoftcap == nil && third.slidingLayers == [true, true, false, true])
        #expect(third.rope.theta == 1e6 && third.localRope?.theta == 10_000)
    }

    @Test("Gemma 3's two rotations are read in the old and in the new spelling")
    func gemma3Rope() throws {
        let old = try parse(
            "Gemma3ForCausalLM",
            #""rope_theta": 500, "rope_local_base_freq": 100, "rope_scaling": {"rope_type": "linear", "factor": 8}"#)
        let new = try parse(
            "Gemma3ForCausalLM",
            #""rope_parameters": {"full_attention": {"rope_type": "linear", "factor": 8, "rope_theta": 500}, "sliding_attention": {"rope_type": "default", "rope_theta": 100}}"#
        )
        #expect(old == new)
        #expect(new.rope.scaling == .linear(factor: 8) && new.localRope == RopeParameters(theta: 100))
    }

    @Test("a nested text_config is read, with the outer file's token ids and tie")
    func nested() throws {
        let text = """
            {"architectures": ["Gemma3ForConditionalGeneration"], "eos_token_id": [1, 106], "vision_config": {},
             "text_config": {"hidden_size": 64, "num_attention_heads": 4, "vocab_size": 100, "intermediate_size": 96,
             "num_hidden_layers": 2, "num_key_value_heads": 2, "eos_token_id": 1}}
            """
        let shape = try ModelShape.parse(config: Array(text.utf8))
        #expect(shape.eosTokenIDs == [1, 106] && shape.tieWordEmbeddings && shape.kvHeads == 2)
    }

    @Test("windows follow each family's rule")
    func windows() throws {
        func windows(_ architecture: String, _ more: String) throws -> [Int?] {
            let shape = try parse(architecture, more)
            return (0..<4).map { shape.window(layer: $0) }
        }
        #expect(try windows("MistralForCausalLM", #""sliding_window": 9"#) == [9, 9, 9, 9])
        #expect(try windows("MistralForCausalLM", #""sliding_window": null"#) == [nil, nil, nil, nil])
        #expect(try windows("MistralForCausalLM", "\"hidden_act\": \"silu\"") == [4096, 4096, 4096, 4096])
        let qwen = #""sliding_window": 9, "max_window_layers": 3"#
        #expect(try windows("Qwen2ForCausalLM", qwen) == [nil, nil, nil, nil])
        let on = qwen + #", "use_sliding_window": true"#
        #expect(try windows("Qwen2ForCausalLM", on) == [nil, nil, nil, 9])
        #expect(try windows("Qwen2MoeForCausalLM", on) == [9, nil, 9, nil])
        #expect(try windows("Qwen3MoeForCausalLM", on) == [9, 9, 9, 9])
        let types = #", "layer_types": ["full_attention", "sliding_attention", "full_attention", "full_attention"]"#
        #expect(try windows("Qwen3ForCausalLM", on + types) == [nil, 9, nil, nil])
        #expect(try windows("Phi3ForCausalLM", #""sliding_window": 9"#) == [9, 9, 9, 9])
    }

    @Test("mixtures name their experts, widths and sparse layers")
    func mixtures() throws {
        let mixtral = try parse("MixtralForCausalLM").mixture
        #expect(mixtral?.experts == 8 && mixtral?.perToken == 2 && mixtral?.renormalise == true)
        let qwen = try parse("Qwen2MoeForCausalLM", #""decoder_sparse_step": 2, "mlp_only_layers": [3]"#).mixture
        #expect(qwen?.layers == [false, true, false, false] && qwen?.sharedIntermediateSize == 5632)
        #expect(try parse("Qwen3MoeForCausalLM", #""num_local_experts": 16"#).mixture?.experts == 16)
        #expect(try parse("Qwen3MoeForCausalLM", #""num_experts": 0"#).mixture == nil)
    }

    @Test("end tokens are the union of both files")
    func endTokens() throws {
        let generation = Array(#"{"eos_token_id": [3, 2]}"#.utf8)
        let config = Self.config("LlamaForCausalLM", #""eos_token_id": 2, "bos_token_id": 1"#)
        let shape = try ModelShape.parse(config: config, generationConfig: generation)
        #expect(shape.eosTokenIDs == [2, 3] && shape.bosTokenID == 1)
    }

    @Test("Phi-3 reads su and yarn as longrope, with the original length at the top")
    func phi() throws {
        let factors = #""short_factor": [1,1,1,1,1,1], "long_factor": [2,2,2,2,2,2]"#
        for name in ["su", "yarn", "longrope"] {
            let shape = try parse(
                "Phi3ForCausalLM",
                #""partial_rotary_factor": 0.75, "original_max_position_embeddings": 32, "max_position_embeddings": 64, "rope_scaling": {"type": "\#(name)", \#(factors)}"#
            )
            guard case .longrope(_, let long, _, let original) = shape.rope.scaling else {
                Issue.record("\(name) is not longrope")
                continue
            }
            #expect(long.count == 6 && original == 32 && shape.rope.rotaryDim(headDim: 16) == 12)
        }
    }

    @Test("Llama 3.1 8B has 8,030,261,248 weights")
    func parameters() throws {
        // Origin: the model's card and its safetensors index (total_size 16,060,522,496 bytes of bf16).
        let text = """
            {"architectures": ["LlamaForCausalLM"], "hidden_size": 4096, "num_attention_heads": 32, "vocab_size": 128256,
             "num_key_value_heads": 8, "intermediate_size": 14336, "num_hidden_layers": 32}
            """
        let shape = try ModelShape.parse(config: Array(text.utf8))
        #expect(shape.parameterCount == 8_030_261_248)
        #expect(shape.kvBytesPerToken(.bfloat16) == 131_072)
    }

    static let refusals: [(String, ModelShapeError)] = [
        ("[1]", .notJSON(file: "config.json", reason: "it holds another kind of value")),
        ("{}", .missing(file: "config.json", field: "architectures")),
        (
            #"{"architectures": ["GPT2LMHeadModel"]}"#,
            .unsupportedArchitecture(name: "GPT2LMHeadModel", supported: ModelFamily.knownArchitectures)
        ),
        (#"{"architectures": ["LlamaForCausalLM"]}"#, .missing(file: "config.json", field: "hidden_size")),
        (
            #"{"architectures": ["LlamaForCausalLM"], "hidden_size": "big"}"#,
            .wrongType(file: "config.json", field: "hidden_size", expected: "a whole number", found: "string")
        ),
        (
            #"{"architectures": ["LlamaForCausalLM"], "hidden_size": 64, "num_attention_heads": 0}"#,
            .outOfRange(
                file: "config.json", field: "num_attention_heads", value: "0", allowed: "a whole number from 1 to 65536"
            )
        ),
    ]

    @Test("a broken configuration is refused with its file and field", arguments: refusals.indices)
    func refused(_ index: Int) throws {
        let (text, expected) = Self.refusals[index]
        #expect(throws: expected) { try ModelShape.parse(config: Array(text.utf8)) }
        #expect(expected.description.count > 30)
    }

    @Test("fields that contradict each other are refused")
    func inconsistent() throws {
        let cases = [
            #""num_key_value_heads": 3"#, #""hidden_size": 66, "num_attention_heads": 4"#,
            #""rope_scaling": {"rope_type": "longrope", "short_factor": [1], "long_factor": [1]}"#,
            #""rope_scaling": {"rope_type": "linear"}"#, #""rope_scaling": {"rope_type": "mrope"}"#,
            #""rope_scaling": {"rope_type": "linear", "factor": 0}"#, #""rope_scaling": 3"#, #""head_dim": 15"#,
            #""rope_scaling": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 4}"#,
            #""hidden_act": "tanh"#, #""hidden_act": "softplus""#, #""eos_token_id": "x""#, #""eos_token_id": -4"#,
            #""max_position_embeddings": 1e300"#, #""rms_norm_eps": -1"#, #""vocab_size": 99999999999999999999"#,
            #""num_hidden_layers": 16384, "hidden_size": 1048576, "intermediate_size": 16777216"#,
            #""partial_rotary_factor": 2, "rope_scaling": {"rope_type": "default"}"#,
        ]
        for more in cases {
            #expect(throws: ModelShapeError.self, "\(more)") { try self.parse("LlamaForCausalLM", more) }
        }
        #expect(throws: ModelShapeError.self) {
            try self.parse("Qwen2ForCausalLM", #""layer_types": ["full_attention"]"#)
        }
        #expect(throws: ModelShapeError.self) { try self.parse("MixtralForCausalLM", #""num_experts_per_tok": 9"#) }
    }

    @Test("no mutation of a configuration crashes the reader")
    func mutations() throws {
        var random = SystemSeeded(state: 11)
        let source = Self.config(
            "Gemma3ForCausalLM",
            #""rope_parameters": {"full_attention": {"rope_type": "yarn", "factor": 8, "rope_theta": 500}}, "layer_types": null, "eos_token_id": [1, 2]"#
        )
        let values = ["null", "-1", "0", "1e308", "9223372036854775807", "\"x\"", "[]", "{}", "true", "0.5"]
        for _ in 0..<3000 {
            var text = source
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let at = Int.random(in: 0..<text.count, using: &random)
                if Bool.random(using: &random) {
                    text[at] = UInt8.random(in: 32...126, using: &random)
                } else if let colon = text[at...].firstIndex(of: UInt8(ascii: ":")),
                    let end = text[colon...].firstIndex(where: { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "}") })
                {
                    let value = values.randomElement(using: &random) ?? ""
                    text.replaceSubrange((colon + 1)..<end, with: Array(value.utf8))
                }
            }
            if let shape = try? ModelShape.parse(config: text) {
                _ = RopeFrequencies(shape.rope, headDim: shape.headDim, maxModelLength: 64, maxPositions: 64)
                _ = try? MemoryPlan.make(
                    shape: shape, recipe: Recipe(),
                    formats: MemoryPlan.Formats(
                        weights: WeightLayouts(WeightLayout(element: .float32)), cache: .float32))
            }
        }
    }
}

/// SplitMix64: the same mutations in every run.
private struct SystemSeeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
