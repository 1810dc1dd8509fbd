// Configurations in the spellings of published config.json files: each is read, and its weights are counted exactly.

import Testing

@testable import CServeCore

/// A published model: the fields of its config.json that matter here, and its number of weights.
///
/// Origin: the fields are written from memory in the published spelling, not copied. The totals are a survey's published
/// ones, but for Nemo, Qwen1.5-MoE, Phi-4-mini and the repeats of a listed size (LLaMA-7b, Mistral v0.2, the other Phi-3
/// minis), which are from memory.
private struct Published: Sendable, CustomTestStringConvertible {
    var name: String
    var parameters: Int
    var config: String
    var testDescription: String { name }

    init(_ name: String, _ parameters: Int, _ architecture: String, _ sizes: [Int], _ more: String) {
        self.name = name
        self.parameters = parameters
        let keys = [
            "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
            "vocab_size",
        ]
        let fields = zip(keys, sizes).filter { $0.1 > 0 }.map { #""\#($0)": \#($1)"# }
        config = #"{"architectures": ["\#(architecture)"], \#((fields + [more]).joined(separator: ", "))}"#
    }
}

private let llama = #""hidden_act": "silu", "pretraining_tp": 1, "rms_norm_eps": 1e-05, "torch_dtype": "float16""#
private let llama2 = llama + #", "max_position_embeddings": 4096, "rope_scaling": null, "tie_word_embeddings": false"#
private let code = llama + #", "max_position_embeddings": 16384, "rope_theta": 1000000"#
private let llama3 =
    llama + #", "attention_bias": false, "max_position_embeddings": 8192, "rope_theta": 500000.0, "rope_scaling": null"#

private func llama31(_ factor: Int, tied: Bool = false, _ more: String = "") -> String {
    llama + more
        + #"""
        , "max_position_embeddings": 131072, "mlp_bias": false, "rope_theta": 500000.0, "tie_word_embeddings": \#(tied),
        "eos_token_id": [128001, 128008, 128009], "rope_scaling": {"factor": \#(factor).0, "low_freq_factor": 1.0,
        "high_freq_factor": 4.0, "original_max_position_embeddings": 8192, "rope_type": "llama3"}
        """#
}

private let llamas = [
    Published("Llama-2-7b", 6_738_415_616, "LlamaForCausalLM", [4096, 11008, 32, 32, 32, 32000], llama2),
    Published(
        "LLaMA-7b as first published", 6_738_415_616, "LLaMAForCausalLM", [4096, 11008, 32, 32, 0, 32000], llama),
    Published("Llama-2-13b", 13_015_864_320, "LlamaForCausalLM", [5120, 13824, 40, 40, 40, 32000], llama2),
    Published("Llama-2-70b", 68_976_648_192, "LlamaForCausalLM", [8192, 28672, 80, 64, 8, 32000], llama2),
    Published("CodeLlama-7b", 6_738_546_688, "LlamaForCausalLM", [4096, 11008, 32, 32, 32, 32016], code),
    Published("CodeLlama-13b", 13_016_028_160, "LlamaForCausalLM", [5120, 13824, 40, 40, 40, 32016], code),
    Published("CodeLlama-34b", 33_743_970_304, "LlamaForCausalLM", [8192, 22016, 48, 64, 8, 32000], code),
    Published("CodeLlama-70b", 68_976_910_336, "LlamaForCausalLM", [8192, 28672, 80, 64, 8, 32016], code),
    Published("Meta-Llama-3-8B", 8_030_261_248, "LlamaForCausalLM", [4096, 14336, 32, 32, 8, 128256], llama3),
    Published("Meta-Llama-3-70B", 70_553_706_496, "LlamaForCausalLM", [8192, 28672, 80, 64, 8, 128256], llama3),
    Published("Llama-3.1-8B", 8_030_261_248, "LlamaForCausalLM", [4096, 14336, 32, 32, 8, 128256], llama31(8)),
    Published("Llama-3.1-70B", 70_553_706_496, "LlamaForCausalLM", [8192, 28672, 80, 64, 8, 128256], llama31(8)),
    Published("Llama-3.1-405B", 405_853_388_800, "LlamaForCausalLM", [16384, 53248, 126, 128, 8, 128256], llama31(8)),
    Published(
        "Llama-3.2-1B", 1_235_814_400, "LlamaForCausalLM", [2048, 8192, 16, 32, 8, 128256],
        llama31(32, tied: true, #", "head_dim": 64"#)),
    Published(
        "Llama-3.2-3B", 3_212_749_824, "LlamaForCausalLM", [3072, 8192, 28, 24, 8, 128256],
        llama31(32, tied: true, #", "head_dim": 128"#)),
]

private func mistral(_ window: String, theta: String, _ positions: Int = 32768, _ more: String = "") -> String {
    #"""
    "hidden_act": "silu", "max_position_embeddings": \#(positions), "rms_norm_eps": 1e-05, "rope_theta": \#(theta),
    "sliding_window": \#(window), "tie_word_embeddings": false, "torch_dtype": "bfloat16", "use_cache": true\#(more)
    """#
}

private let mistralSizes = [4096, 14336, 32, 32, 8, 32000]
private let mistrals = [
    Published(
        "Mistral-7B-v0.1", 7_241_732_096, "MistralForCausalLM", mistralSizes, mistral("4096", theta: "10000.0")),
    Published(
        "Mistral-7B-v0.2", 7_241_732_096, "MistralForCausalLM", mistralSizes, mistral("null", theta: "1000000.0")),
    Published(
        "Mistral-7B-v0.3", 7_248_023_552, "MistralForCausalLM", [4096, 14336, 32, 32, 8, 32768],
        mistral("null", theta: "1000000.0")),
    Published(
        "Mistral-Nemo-Base-2407", 12_247_782_400, "MistralForCausalLM", [5120, 14336, 40, 32, 8, 131072],
        mistral("null", theta: "1000000.0", 128_000, #", "head_dim": 128"#)),
    Published(
        "Mixtral-8x7B-v0.1", 46_702_792_704, "MixtralForCausalLM", mistralSizes,
        mistral("null", theta: "1000000.0", 32768, #", "num_experts_per_tok": 2, "num_local_experts": 8"#)),
    Published(
        "Mixtral-8x22B-v0.1", 140_620_634_112, "MixtralForCausalLM", [6144, 16384, 56, 48, 8, 32000],
        mistral("null", theta: "1000000", 65536, #", "num_experts_per_tok": 2, "num_local_experts": 8"#)),
]

private let gemma1 = #""head_dim": 256, "hidden_act": "gelu", "hidden_activation": null, "rms_norm_eps": 1e-06"#

private func gemma2(_ scalar: Int, _ headDim: Int) -> String {
    #"""
    "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0, "head_dim": \#(headDim), "sliding_window": 4096,
    "hidden_act": "gelu_pytorch_tanh", "hidden_activation": "gelu_pytorch_tanh", "query_pre_attn_scalar": \#(scalar)
    """#
}

/// Gemma 3 with vision says only what differs from transformers' defaults.
private func gemma3(_ name: String, _ parameters: Int, _ text: String) -> Published {
    Published(
        name, parameters, "Gemma3ForConditionalGeneration", [],
        #"""
        "eos_token_id": [1, 106], "text_config": {\#(text), "model_type": "gemma3_text", "sliding_window": 1024,
        "rope_scaling": {"factor": 8.0, "rope_type": "linear"}}, "vision_config": {"hidden_size": 1152}
        """#)
}

private let gemmas = [
    Published("gemma-2b", 2_506_172_416, "GemmaForCausalLM", [2048, 16384, 18, 8, 1, 256000], gemma1),
    Published("gemma-7b", 8_537_680_896, "GemmaForCausalLM", [3072, 24576, 28, 16, 16, 256000], gemma1),
    Published("gemma-2-2b", 2_614_341_888, "Gemma2ForCausalLM", [2304, 9216, 26, 8, 4, 256000], gemma2(256, 256)),
    Published("gemma-2-9b", 9_241_705_984, "Gemma2ForCausalLM", [3584, 14336, 42, 16, 8, 256000], gemma2(256, 256)),
    Published("gemma-2-27b", 27_227_128_320, "Gemma2ForCausalLM", [4608, 36864, 46, 32, 16, 256000], gemma2(144, 128)),
    Published(
        "gemma-3-1b", 999_885_952, "Gemma3ForCausalLM", [1152, 6912, 26, 4, 1, 262144],
        #""head_dim": 256, "rope_local_base_freq": 10000, "rope_theta": 1000000, "sliding_window": 512, "sliding_window_pattern": 6, "query_pre_attn_scalar": 256"#
    ),
    gemma3(
        "gemma-3-4b (text)", 3_880_263_168,
        #""hidden_size": 2560, "intermediate_size": 10240, "num_hidden_layers": 34"#),
    gemma3(
        "gemma-3-12b (text)", 11_766_034_176,
        #""hidden_size": 3840, "intermediate_size": 15360, "num_hidden_layers": 48, "num_attention_heads": 16, "num_key_value_heads": 8"#
    ),
    gemma3(
        "gemma-3-27b (text)", 27_009_346_304,
        #""hidden_size": 5376, "intermediate_size": 21504, "num_hidden_layers": 62, "num_attention_heads": 32, "num_key_value_heads": 16, "head_dim": 128, "query_pre_attn_scalar": 168"#
    ),
]

private func qwen(tied: Bool, _ more: String = "") -> String {
    #"""
    "hidden_act": "silu", "max_position_embeddings": 32768, "max_window_layers": 28, "rms_norm_eps": 1e-06,
    "rope_theta": 1000000.0, "sliding_window": 131072, "use_sliding_window": false,
    "tie_word_embeddings": \#(tied)\#(more)
    """#
}

private let qwen3 = #", "attention_bias": false, "head_dim": 128, "rope_scaling": null, "sliding_window": null"#
private let qwen3Moe =
    qwen3
    + #", "decoder_sparse_step": 1, "mlp_only_layers": [], "norm_topk_prob": true, "num_experts": 128, "num_experts_per_tok": 8"#
private let qwens = [
    Published("Qwen2.5-0.5B", 494_032_768, "Qwen2ForCausalLM", [896, 4864, 24, 14, 2, 151936], qwen(tied: true)),
    Published("Qwen2.5-1.5B", 1_543_714_304, "Qwen2ForCausalLM", [1536, 8960, 28, 12, 2, 151936], qwen(tied: true)),
    Published("Qwen2.5-3B", 3_085_938_688, "Qwen2ForCausalLM", [2048, 11008, 36, 16, 2, 151936], qwen(tied: true)),
    Published("Qwen2.5-7B", 7_615_616_512, "Qwen2ForCausalLM", [3584, 18944, 28, 28, 4, 152064], qwen(tied: false)),
    Published("Qwen2.5-14B", 14_770_033_664, "Qwen2ForCausalLM", [5120, 13824, 48, 40, 8, 152064], qwen(tied: false)),
    Published("Qwen2.5-32B", 32_763_876_352, "Qwen2ForCausalLM", [5120, 27648, 64, 40, 8, 152064], qwen(tied: false)),
    Published("Qwen2.5-72B", 72_706_203_648, "Qwen2ForCausalLM", [8192, 29568, 80, 64, 8, 152064], qwen(tied: false)),
    Published("Qwen3-0.6B", 596_049_920, "Qwen3ForCausalLM", [1024, 3072, 28, 16, 8, 151936], qwen(tied: true, qwen3)),
    Published(
        "Qwen3-1.7B", 1_720_574_976, "Qwen3ForCausalLM", [2048, 6144, 28, 16, 8, 151936], qwen(tied: true, qwen3)),
    Published("Qwen3-4B", 4_022_468_096, "Qwen3ForCausalLM", [2560, 9728, 36, 32, 8, 151936], qwen(tied: true, qwen3)),
    Published(
        "Qwen3-8B", 8_190_735_360, "Qwen3ForCausalLM", [4096, 12288, 36, 32, 8, 151936], qwen(tied: false, qwen3)),
    Published(
        "Qwen3-14B", 14_768_307_200, "Qwen3ForCausalLM", [5120, 17408, 40, 40, 8, 151936], qwen(tied: false, qwen3)),
    Published(
        "Qwen3-32B", 32_762_123_264, "Qwen3ForCausalLM", [5120, 25600, 64, 64, 8, 151936], qwen(tied: false, qwen3)),
    Published(
        "Qwen3-30B-A3B", 30_532_122_624, "Qwen3MoeForCausalLM", [2048, 6144, 48, 32, 4, 151936],
        qwen(tied: false, qwen3Moe + #", "moe_intermediate_size": 768"#)),
    Published(
        "Qwen3-235B-A22B", 235_093_634_560, "Qwen3MoeForCausalLM", [4096, 12288, 94, 64, 4, 151936],
        qwen(tied: false, qwen3Moe + #", "moe_intermediate_size": 1536"#)),
    Published(
        "Qwen1.5-MoE-A2.7B", 14_315_784_192, "Qwen2MoeForCausalLM", [2048, 5632, 24, 16, 16, 151936],
        qwen(
            tied: false,
            #", "decoder_sparse_step": 1, "moe_intermediate_size": 1408, "norm_topk_prob": false, "num_experts": 60, "num_experts_per_tok": 4, "shared_expert_intermediate_size": 5632"#
        )),
]

private func phi(_ positions: Int, _ window: String, _ scaling: String, _ more: String = "") -> String {
    #"""
    "attention_dropout": 0.0, "hidden_act": "silu", "max_position_embeddings": \#(positions), "rms_norm_eps": 1e-05,
    "original_max_position_embeddings": 4096, "rope_scaling": \#(scaling), "rope_theta": 10000.0,
    "sliding_window": \#(window), "torch_dtype": "bfloat16"\#(more)
    """#
}

private func factors(_ name: String) -> String {
    let ones = "[" + Array(repeating: "1.05", count: 48).joined(separator: ", ") + "]"
    return #"{"long_factor": \#(ones), "short_factor": \#(ones), "type": "\#(name)"}"#
}

private let phiSizes = [3072, 8192, 32, 32, 32, 32064]
private let phis = [
    Published("Phi-3-mini-4k", 3_821_079_552, "Phi3ForCausalLM", phiSizes, phi(4096, "2047", "null")),
    Published("Phi-3-mini-128k", 3_821_079_552, "Phi3ForCausalLM", phiSizes, phi(131_072, "262144", factors("su"))),
    Published("Phi-3.5-mini", 3_821_079_552, "Phi3ForCausalLM", phiSizes, phi(131_072, "262144", factors("longrope"))),
    Published(
        "Phi-3-medium-4k", 13_960_238_080, "Phi3ForCausalLM", [5120, 17920, 40, 40, 10, 32064],
        phi(4096, "2047", "null", #", "attention_bias": false"#)),
    Published(
        "Phi-4-mini", 3_836_021_760, "Phi3ForCausalLM", [3072, 8192, 32, 24, 8, 200064],
        phi(
            131_072, "262144", factors("longrope"), #", "partial_rotary_factor": 0.75, "tie_word_embeddings": true"#)),
]

@Suite struct PublishedModelsTests {
    @Test(
        "a published config.json is read and its weights are counted",
        arguments: llamas + mistrals + gemmas + qwens + phis)
    fileprivate func counts(_ model: Published) throws {
        let shape = try ModelShape.parse(config: Array(model.config.utf8))
        #expect(shape.parameterCount == model.parameters)
    }

    @Test("what the published files leave out is what their models were trained with")
    func details() throws {
        func shape(_ name: String) throws -> ModelShape {
            let model = try #require((llamas + mistrals + gemmas + qwens + phis).first { $0.name == name })
            return try ModelShape.parse(config: Array(model.config.utf8))
        }
        #expect(try shape("Llama-2-7b").rope == RopeParameters(theta: 10_000))
        #expect(try shape("LLaMA-7b as first published").kvHeads == 32)
        #expect(try shape("Mistral-7B-v0.1").window(layer: 31) == 4096)
        #expect(try shape("Mistral-7B-v0.3").window(layer: 0) == nil)
        #expect(try shape("Mistral-Nemo-Base-2407").headDim == 128)
        #expect(try shape("gemma-2b").activation == .geluTanh)
        #expect(try shape("Qwen2.5-7B").window(layer: 27) == nil)
        let gemma = try shape("gemma-3-4b (text)")
        #expect(gemma.heads == 8 && gemma.window(layer: 4) == 1024 && gemma.window(layer: 5) == nil)
        #expect(
            gemma.rope == RopeParameters(theta: 1e6, scaling: .linear(factor: 8)) && gemma.localRope?.theta == 10_000)
        #expect(try shape("Phi-4-mini").rope.rotaryDim(headDim: 128) == 96)
        guard case .longrope(_, _, let attention, let original) = try shape("Phi-3-mini-128k").rope.scaling else {
            Issue.record("Phi-3-mini-128k is not longrope")
            return
        }
        // modeling_phi3.py: sqrt(1 + ln(131072 / 4096) / ln(4096)).
        #expect(abs(attention - 1.190_238) < 1e-6 && original == 4096)
    }
}
