// Mistral 7B and Nemo: Llama whose layers may all see only a window.

import CServeCore

/// Source: transformers' modeling_mistral.py. The window is the shape's: every layer slides, or none.
struct Mistral: CausalLM {
    let shape: ModelShape

    init(_ shape: ModelShape) { self.shape = shape }

    func tensors(_ role: WeightRole, layer: Int, expert: Int) -> [[TensorPart]] {
        standardTensors(role, layer: layer, expert: expert)
    }

    func forward<B: Backend>(_ pass: LayerPass<B>) {
        pass.prenormLayer()
    }
}
