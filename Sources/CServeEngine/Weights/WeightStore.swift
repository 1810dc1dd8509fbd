// Packed weights by layer: a forward pass acquires a layer, uses it and gives it back.

import CServeCore

/// One layer's packed weights, or those outside the layers.
struct LayerWeights<B: Backend> {
    private var matrices: [B.Weight?] = Array(repeating: nil, count: WeightRole.allCases.count)
    private var vectors: [B.Vector?] = Array(repeating: nil, count: WeightRole.allCases.count)
    /// Gate and up, and down, of each expert.
    private(set) var experts: [(gateUp: B.Weight, down: B.Weight)] = []

    mutating func set(_ matrix: B.Weight, _ role: WeightRole) { matrices[role.rawValue] = matrix }
    mutating func set(_ vector: B.Vector, _ role: WeightRole) { vectors[role.rawValue] = vector }

    /// Experts come in order, gate and up first.
    mutating func appendExpert(_ matrix: B.Weight, _ role: WeightRole) {
        if role == .expertGateUp {
            set(matrix, role)
        } else {
            experts.append((gateUp: self.matrix(.expertGateUp), down: matrix))
        }
    }

    func has(_ role: WeightRole) -> Bool { matrices[role.rawValue] != nil }

    func matrix(_ role: WeightRole) -> B.Weight {
        guard let matrix = matrices[role.rawValue] else { preconditionFailure("no \(role) in this layer") }
        return matrix
    }

    func vector(_ role: WeightRole) -> B.Vector {
        guard let vector = vectors[role.rawValue] else { preconditionFailure("no \(role) in this layer") }
        return vector
    }
}

/// Hands out the weights of layers. This one keeps all of them; a streaming one would bring them in.
final class WeightStore<B: Backend> {
    private let layers: [LayerWeights<B>]
    private let firstLayer: Int
    /// The embedding, the final norm and the head.
    let outside: LayerWeights<B>
    /// The region that holds them.
    let memory: B.Memory

    init(layers: [LayerWeights<B>], firstLayer: Int, outside: LayerWeights<B>, memory: B.Memory) {
        self.layers = layers
        self.firstLayer = firstLayer
        self.outside = outside
        self.memory = memory
    }

    /// A layer's weights, valid until ``release(_:)``.
    func acquire(_ layer: Int) -> LayerWeights<B> { layers[layer - firstLayer] }

    /// Gives a layer back.
    func release(_ layer: Int) {}
}
