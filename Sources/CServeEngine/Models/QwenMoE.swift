// Qwen 1.5/2 and Qwen 3 mixtures: dense and sparse layers side by side; the older has an expert that all tokens pass.

import CServeCore

/// Source: transformers' modeling_qwen2_moe.py and modeling_qwen3_moe.py.
struct QwenMoE: CausalLM {
    let shape: ModelShape

    init(_ shape: ModelShape) { self.shape = shape }

    func tensors(_ role: WeightRole, layer: Int, expert: Int) -> [[TensorPart]] {
        standardTensors(role, layer: layer, expert: expert)
    }

    func forward<B: Backend>(_ pass: LayerPass<B>) {
        pass.norm(.inputNorm)
        pass.attention()
        pass.addNorm(.postAttentionNorm)
        if let mixture = shape.mixture, mixture.layers[pass.layer] {
            pass.mixtureOfExperts(mixture)
        } else {
            pass.feedForward()
        }
        pass.add()
    }
}
