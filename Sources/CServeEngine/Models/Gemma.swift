// Gemma 1: scaled embeddings, norms by one plus the weight, gated GELU; the rest is Llama.

import CServeCore

/// Source: transformers' modeling_gemma.py. Scale and offset are the shape's (`embeddingScale`, `normOffset`).
struct Gemma: CausalLM {
    let shape: ModelShape

    init(_ shape: ModelShape) { self.shape = shape }

    func tensors(_ role: WeightRole, layer: Int, expert: Int) -> [[TensorPart]] {
        standardTensors(role, layer: layer, expert: expert)
    }

    func forward<B: Backend>(_ pass: LayerPass<B>) {
        pass.prenormLayer()
    }
}
