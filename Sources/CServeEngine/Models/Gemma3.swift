// Gemma 3 (text): norms of queries and keys, five local layers to a global one, each kind with its own rotation.

import CServeCore

/// Source: transformers' modeling_gemma3.py. Nested checkpoints' names are undone by ``ModelTable/canonical(_:_:)``.
struct Gemma3: CausalLM {
    let shape: ModelShape

    init(_ shape: ModelShape) { self.shape = shape }

    func tensors(_ role: WeightRole, layer: Int, expert: Int) -> [[TensorPart]] {
        standardTensors(role, layer: layer, expert: expert)
    }

    func forward<B: Backend>(_ pass: LayerPass<B>) {
        pass.sandwichLayer()
    }
}
