// The tensor names that most families share; a family that differs answers first and falls back to these.

import CServeCore

extension CausalLM {
    /// The names of Llama's tensors, and of the mixtures that follow Qwen's.
    func standardTensors(_ role: WeightRole, layer: Int, expert: Int) -> [[TensorPart]] {
        let shape = shape
        let hidden = shape.hiddenSize
        let queries = shape.heads * shape.headDim
        let keys = shape.kvHeads * shape.headDim
        let prefix = "model.layers.\(layer)."
        let attention = prefix + "self_attn."
        switch role {
        case .embedding: return [[.matrix("model.embed_tokens.weight", shape.vocabularySize, hidden)]]
        case .finalNorm: return [[.vector("model.norm.weight", hidden)]]
        case .head:
            let name = shape.tieWordEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight"
            return [[.matrix(name, shape.vocabularySize, hidden)]]
        case .inputNorm: return [[.vector(prefix + "input_layernorm.weight", hidden)]]
        case .qkv:
            return [
                [
                    .matrix(attention + "q_proj.weight", queries, hidden),
                    .matrix(attention + "k_proj.weight", keys, hidden),
                    .matrix(attention + "v_proj.weight", keys, hidden),
                ]
            ]
        case .queryNorm: return [[.vector(attention + "q_norm.weight", shape.headDim)]]
        case .keyNorm: return [[.vector(attention + "k_norm.weight", shape.headDim)]]
        case .output: return [[.matrix(attention + "o_proj.weight", hidden, queries)]]
        case .postAttentionNorm: return [[.vector(prefix + "post_attention_layernorm.weight", hidden)]]
        case .preFeedforwardNorm: return [[.vector(prefix + "pre_feedforward_layernorm.weight", hidden)]]
        case .postFeedforwardNorm: return [[.vector(prefix + "post_feedforward_layernorm.weight", hidden)]]
        case .gateUp: return [gateUp(prefix + "mlp.", shape.intermediateSize)]
        case .down: return [[.matrix(prefix + "mlp.down_proj.weight", hidden, shape.intermediateSize)]]
        default: return mixtureTensors(role, prefix: prefix + "mlp.", expert: expert)
        }
    }

    private func gateUp(_ prefix: String, _ width: Int) -> [TensorPart] {
        [
            .matrix(prefix + "gate_proj.weight", width, shape.hiddenSize),
            .matrix(prefix + "up_proj.weight", width, shape.hiddenSize),
        ]
    }

    /// A mixture's tensors: an expert by itself, or all experts in one tensor of three sizes.
    private func mixtureTensors(_ role: WeightRole, prefix: String, expert: Int) -> [[TensorPart]] {
        guard let mixture = shape.mixture else { return [] }
        let hidden = shape.hiddenSize
        let width = mixture.intermediateSize
        let shared = mixture.sharedIntermediateSize ?? 0
        switch role {
        case .router: return [[.matrix(prefix + "gate.weight", mixture.experts, hidden)]]
        case .expertGateUp:
            return [gateUp(prefix + "experts.\(expert).", width), fusedGateUp(prefix + "experts.", mixture, expert)]
        case .expertDown:
            return [
                [.matrix(prefix + "experts.\(expert).down_proj.weight", hidden, width)],
                [fusedDown(prefix + "experts.", mixture, expert)],
            ]
        case .sharedGateUp: return [gateUp(prefix + "shared_expert.", shared)]
        case .sharedDown: return [[.matrix(prefix + "shared_expert.down_proj.weight", hidden, shared)]]
        case .sharedGate: return [[.matrix(prefix + "shared_expert_gate.weight", 1, hidden)]]
        default: return []
        }
    }

    /// One expert's gate and up in `gate_up_proj [experts, 2 * width, hidden]`.
    func fusedGateUp(_ prefix: String, _ mixture: ModelShape.Mixture, _ expert: Int) -> [TensorPart] {
        let width = mixture.intermediateSize
        let sizes = [mixture.experts, 2 * width, shape.hiddenSize]
        return [0, 1].map { half in
            TensorPart(
                name: prefix + "gate_up_proj", shape: sizes, firstRow: (2 * expert + half) * width, rows: width)
        }
    }

    /// One expert's way back in `down_proj [experts, hidden, width]`.
    func fusedDown(_ prefix: String, _ mixture: ModelShape.Mixture, _ expert: Int) -> TensorPart {
        let sizes = [mixture.experts, shape.hiddenSize, mixture.intermediateSize]
        return TensorPart(
            name: prefix + "down_proj", shape: sizes, firstRow: expert * shape.hiddenSize, rows: shape.hiddenSize)
    }
}
