// Gemma 2: norms around each part, capped scores and logits, every other layer with a window.

import CServeCore

/// Source: transformers' modeling_gemma2.py. Caps and windows are the shape's.
struct Gemma2: CausalLM {
    let shape: ModelShape

    init(_ shape: ModelShape) { self.shape = shape }

    func tensors(_ role: WeightRole, layer: Int, expert: Int) -> [[TensorPart]] {
        standardTensors(role, layer: layer, expert: expert)
    }

    func forward<B: Backend>(_ pass: LayerPass<B>) {
        pass.sandwichLayer()
    }
}
