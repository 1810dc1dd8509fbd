// The architectures of GGUF files that can be served, and what their tensors are called in a Hugging Face checkpoint.

import CServeCore

/// A value of `general.architecture`.
enum GGUFArchitecture: String, CaseIterable {
    case llama, qwen2, qwen2moe, qwen3, qwen3moe, gemma, gemma2, gemma3, phi3

    /// Whether rows of queries and keys are stored interleaved (see ``RowOrder``).
    var interleavesHeads: Bool { self == .llama }

    /// Whether norms stand behind attention and the feed-forward part, too.
    private var hasSandwichNorms: Bool { self == .gemma2 || self == .gemma3 }

    /// Names of tensors outside the layers.
    private static let outside: [String: String] = [
        "token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head",
    ]

    /// Names of tensors within a layer; a mixture's experts and the norm before the feed-forward part aside.
    private static let inside: [String: String] = [
        "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
        "attn_v": "self_attn.v_proj", "attn_qkv": "self_attn.qkv_proj", "attn_output": "self_attn.o_proj",
        "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm",
        "post_attention_norm": "post_attention_layernorm", "post_ffw_norm": "post_feedforward_layernorm",
        "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj", "ffn_gate_inp": "mlp.gate",
        "ffn_gate_inp_shexp": "mlp.shared_expert_gate", "ffn_gate_shexp": "mlp.shared_expert.gate_proj",
        "ffn_up_shexp": "mlp.shared_expert.up_proj", "ffn_down_shexp": "mlp.shared_expert.down_proj",
    ]

    /// Tensors of all experts in one, and the name of an expert's part.
    static let experts: [String: String] = [
        "ffn_gate_exps": "gate_proj", "ffn_up_exps": "up_proj", "ffn_down_exps": "down_proj",
    ]

    /// Tensors that ``GGUFConfiguration`` reads; they are none of the forward pass's.
    static let configurationTensors: Set<String> = [
        "rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight",
    ]

    /// llama.cpp's name of a tensor in its parts: the layer, what it is, and `.weight` or `.bias`.
    static func parts(_ name: String) -> (layer: Int?, kind: String, ending: String) {
        var words = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let ending = words.count > 1 ? "." + words.removeLast() : ""
        guard words.count == 3, words[0] == "blk", let layer = Int(words[1]) else {
            return (nil, words.joined(separator: "."), ending)
        }
        return (layer, words[2], ending)
    }

    /// The name in a Hugging Face checkpoint; unknown ones stay as they are, so that messages show them.
    func name(_ name: String) -> String {
        let (layer, kind, ending) = Self.parts(name)
        guard let layer else { return Self.outside[kind].map { $0 + ending } ?? name }
        let prefix = "model.layers.\(layer)."
        // Phi-3 keeps gate and up in one tensor.
        if self == .phi3, kind == "ffn_up" { return prefix + "mlp.gate_up_proj" + ending }
        if kind == "ffn_norm" {
            return prefix + (hasSandwichNorms ? "pre_feedforward_layernorm" : "post_attention_layernorm") + ending
        }
        return Self.inside[kind].map { prefix + $0 + ending } ?? name
    }
}
