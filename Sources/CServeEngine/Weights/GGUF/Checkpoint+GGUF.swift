// A GGUF file as a checkpoint: its tensors under the names that models ask for, its metadata as a configuration.

import CServeCore

extension Checkpoint {
    /// The values of `general.architecture` that can be served.
    public static var ggufArchitectures: [String] { GGUFArchitecture.allCases.map(\.rawValue) }

    /// Opens a GGUF file, or all files of a split one by any of their names.
    ///
    /// Quantised tensors stay as they are stored (``CodedMatrix``); nothing is copied.
    /// - Throws: ``CheckpointError`` or ``ModelShapeError``, naming file and tensor or key.
    public convenience init(gguf path: String) throws {
        let shards = try GGUFShards(path: path)
        let configuration = try GGUFConfiguration(shards)
        var tensors: [String: StoredTensor] = [:]
        for located in shards.tensors.values {
            for tensor in try Self.stored(located, configuration) {
                if let other = tensors.updateValue(tensor, forKey: tensor.name) {
                    throw CheckpointError.duplicate(tensor: tensor.name, files: [other.file, tensor.file])
                }
            }
        }
        self.init(
            name: path, configuration: try configuration.json(),
            generationConfiguration: configuration.generationJSON(), tensors: tensors, quantization: "gguf",
            metadata: shards.metadata)
    }

    /// A tensor under the name that models ask for; one of all experts becomes one for each.
    private static func stored(
        _ located: GGUFShards.Located, _ configuration: GGUFConfiguration
    ) throws(CheckpointError) -> [StoredTensor] {
        let tensor = located.tensor
        guard !GGUFArchitecture.configurationTensors.contains(tensor.name) else { return [] }
        let (layer, kind, ending) = GGUFArchitecture.parts(tensor.name)
        if let layer, let projection = GGUFArchitecture.experts[kind], tensor.shape.count == 3,
            tensor.shape[0] <= 1 << 14
        {
            let size = tensor.bytes.count / tensor.shape[0]
            return (0..<tensor.shape[0]).map { expert in
                let bytes = UnsafeRawBufferPointer(rebasing: tensor.bytes[(expert * size)..<((expert + 1) * size)])
                let name = "model.layers.\(layer).mlp.experts.\(expert).\(projection)\(ending)"
                return Self.stored(located, name, Array(tensor.shape.dropFirst()), bytes, .plain)
            }
        }
        // What mixes in the shared expert is a vector in the file, a matrix of one row in the model.
        let shape = kind == "ffn_gate_inp_shexp" && tensor.shape.count == 1 ? [1] + tensor.shape : tensor.shape
        let order = try configuration.order(of: kind, rows: shape[0])
        return [stored(located, configuration.architecture.name(tensor.name), shape, tensor.bytes, order)]
    }

    private static func stored(
        _ located: GGUFShards.Located, _ name: String, _ shape: [Int], _ bytes: UnsafeRawBufferPointer,
        _ order: RowOrder
    ) -> StoredTensor {
        let type = located.tensor.type
        let matrix = GGUFMatrix(
            type, bytes: bytes, columns: shape.last ?? 1, order: order, mapping: located.mapping)
        return StoredTensor(
            file: located.file, name: name, type: type.name, shape: shape, bytes: bytes, mapping: located.mapping,
            coded: matrix, order: order)
    }
}
