// Qwen 2 and 2.5: Llama with biases on queries, keys and values, and windows on the upper layers if asked.

import CServeCore

/// Source: transformers' modeling_qwen2.py.
struct Qwen2: CausalLM {
    let shape: ModelShape

    init(_ shape: ModelShape) { self.shape = shape }

    func tensors(_ role: WeightRole, layer: Int, expert: Int) -> [[TensorPart]] {
        standardTensors(role, layer: layer, expert: expert)
    }

    func forward<B: Backend>(_ pass: LayerPass<B>) {
        pass.prenormLayer()
    }
}
