// Mixtral: Mistral with a mixture of experts in every layer.

import CServeCore

/// Source: transformers' modeling_mixtral.py. `w1` is the gate, `w3` goes up, `w2` comes down.
struct Mixtral: CausalLM {
    let shape: ModelShape

    init(_ shape: ModelShape) { self.shape = shape }

    func tensors(_ role: WeightRole, layer: Int, expert: Int) -> [[TensorPart]] {
        let block = "model.layers.\(layer).block_sparse_moe."
        let one = block + "experts.\(expert)."
        let hidden = shape.hiddenSize
        let width = shape.intermediateSize
        let standard = standardTensors(role, layer: layer, expert: expert)
        switch role {
        case .router: return [[.matrix(block + "gate.weight", shape.mixture?.experts ?? 0, hidden)]] + standard
        case .expertGateUp:
            return [[.matrix(one + "w1.weight", width, hidden), .matrix(one + "w3.weight", width, hidden)]] + standard
        case .expertDown: return [[.matrix(one + "w2.weight", hidden, width)]] + standard
        default: return standard
        }
    }

    func forward<B: Backend>(_ pass: LayerPass<B>) {
        pass.norm(.inputNorm)
        pass.attention()
        pass.addNorm(.postAttentionNorm)
        if let mixture = shape.mixture { pass.mixtureOfExperts(mixture) }
        pass.add()
    }
}
