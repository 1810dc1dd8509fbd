// Phi-3, 3.5 and 4-mini: Llama with queries, keys and values in one tensor, gate and up in another.

import CServeCore

/// Source: transformers' modeling_phi3.py. LongRoPE and partial rotation are the shape's.
struct Phi3: CausalLM {
    let shape: ModelShape

    init(_ shape: ModelShape) { self.shape = shape }

    func tensors(_ role: WeightRole, layer: Int, expert: Int) -> [[TensorPart]] {
        let prefix = "model.layers.\(layer)."
        let queries = shape.heads * shape.headDim
        let keys = shape.kvHeads * shape.headDim
        switch role {
        case .qkv: return [stacked(prefix + "self_attn.qkv_proj.weight", [queries, keys, keys])]
        case .gateUp:
            return [stacked(prefix + "mlp.gate_up_proj.weight", [shape.intermediateSize, shape.intermediateSize])]
        default: return standardTensors(role, layer: layer, expert: expert)
        }
    }

    /// Parts that lie on top of each other in one tensor.
    private func stacked(_ name: String, _ heights: [Int]) -> [TensorPart] {
        let sizes = [heights.reduce(0, +), shape.hiddenSize]
        var first = 0
        return heights.map { rows in
            defer { first += rows }
            return TensorPart(name: name, shape: sizes, firstRow: first, rows: rows)
        }
    }

    func forward<B: Backend>(_ pass: LayerPass<B>) {
        pass.prenormLayer()
    }
}
