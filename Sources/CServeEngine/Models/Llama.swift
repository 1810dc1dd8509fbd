// Llama 1, 2, 3.x and Code Llama: the plain pre-norm transformer that most others vary.

import CServeCore

/// Source: transformers' modeling_llama.py. Biases come with `attention_bias` and `mlp_bias`.
struct Llama: CausalLM {
    let shape: ModelShape

    init(_ shape: ModelShape) { self.shape = shape }

    func tensors(_ role: WeightRole, layer: Int, expert: Int) -> [[TensorPart]] {
        standardTensors(role, layer: layer, expert: expert)
    }

    func forward<B: Backend>(_ pass: LayerPass<B>) {
        pass.prenormLayer()
    }
}
