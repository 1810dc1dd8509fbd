// Qwen 3: queries and keys are normalised head by head before they are rotated.

import CServeCore

/// Source: transformers' modeling_qwen3.py.
struct Qwen3: CausalLM {
    let shape: ModelShape

    init(_ shape: ModelShape) { self.shape = shape }

    func tensors(_ role: WeightRole, layer: Int, expert: Int) -> [[TensorPart]] {
        standardTensors(role, layer: layer, expert: expert)
    }

    func forward<B: Backend>(_ pass: LayerPass<B>) {
        pass.prenormLayer()
    }
}
