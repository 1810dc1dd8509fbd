// Compares a checkpoint with what its model needs, by name, shape and type, before anything is packed.

import CServeCore

/// Finds a model's tensors in a checkpoint.
struct TensorCheck {
    let model: any CausalLM

    /// The checkpoint's tensors under the model's names.
    /// - Throws: ``CheckpointError`` with the names that are missing, unexpected, misshapen or of an unknown type.
    func check(_ checkpoint: Checkpoint) throws -> [String: StoredTensor] {
        var tensors: [String: StoredTensor] = [:]
        for tensor in checkpoint.tensors.values {
            guard let name = ModelTable.canonical(tensor.name, model.shape) else { continue }
            if let other = tensors.updateValue(tensor, forKey: name) {
                throw CheckpointError.duplicate(tensor: name, files: [other.file, tensor.file])
            }
        }
        let needed = try neededShapes(tensors)
        let missing = needed.keys.filter { tensors[$0] == nil }.sorted()
        guard missing.isEmpty else {
            throw CheckpointError.missingTensors(missing, files: Set(checkpoint.tensors.values.map(\.file)).sorted())
        }
        let unexpected = tensors.keys.filter { needed[$0] == nil }.sorted()
        guard unexpected.isEmpty else {
            let files = Set(unexpected.compactMap { tensors[$0]?.file }).sorted()
            throw CheckpointError.unexpectedTensors(unexpected, files: files)
        }
        for (name, shape) in needed.sorted(by: { $0.key < $1.key }) {
            guard let tensor = tensors[name] else { continue }
            try check(tensor, shape)
        }
        return tensors
    }

    private func check(_ tensor: StoredTensor, _ shape: [Int]) throws {
        guard tensor.shape == shape else {
            throw CheckpointError.shape(file: tensor.file, tensor: tensor.name, expected: shape, found: tensor.shape)
        }
        if let coded = tensor.coded, shape.count > 1 {
            let found = [coded.rows, coded.columns]
            let flat = [shape.dropLast().reduce(1, *), shape[shape.count - 1]]
            guard found == flat else {
                throw CheckpointError.shape(file: tensor.file, tensor: tensor.name, expected: flat, found: found)
            }
            return
        }
        guard tensor.coded == nil, tensor.element != nil else {
            throw CheckpointError.elementType(file: tensor.file, tensor: tensor.name, type: tensor.type)
        }
    }

    /// Every tensor of the whole model with its shape, whatever part this rank holds.
    func neededShapes(_ tensors: [String: StoredTensor]) throws -> [String: [Int]] {
        let manifest = try WeightManifest(shape: model.shape, shard: .whole(model.shape.layers))
        var needed: [String: [Int]] = [:]
        for item in manifest.items {
            for part in try parts(item, in: tensors) {
                needed[part.name] = part.shape
                if item.hasBias { needed[part.biasName] = [part.shape[0]] }
            }
        }
        return needed
    }

    /// The parts of a weight in the first spelling that the checkpoint has; the first of all if it has none.
    func parts(_ item: WeightItem, in tensors: [String: StoredTensor]) throws -> [TensorPart] {
        let spellings = model.tensors(item.role, layer: item.layer ?? 0, expert: item.expert ?? 0)
        let found = spellings.first { $0.allSatisfy { tensors[$0.name] != nil } }
        guard let parts = found ?? spellings.first else {
            preconditionFailure("\(model.shape.family) names no tensor for \(item.role)")
        }
        return parts
    }
}
