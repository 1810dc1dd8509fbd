// Replaces the tensors that a quantised matrix is stored as by the matrix itself, comparing every shape and type first.

import CServeCore

/// A checkpoint's tensors while quantised matrices are put together.
///
/// A module `X` whose tensors say that it is quantised gives one tensor `X.weight` of shape `[out, in]`; what it was made
/// from disappears. Scales of activations and of the cache are left out: activations are quantised per row while they are
/// used, and the cache has a type of its own.
struct QuantizedTensors {
    let configuration: QuantizationConfiguration
    var tensors: [String: StoredTensor]

    /// The tensors, quantised ones put together.
    /// - Throws: ``CheckpointError/quantizedTensor(file:tensor:reason:)``, ``CheckpointError/elementType(file:tensor:type:)``.
    static func resolved(
        _ tensors: [String: StoredTensor], _ configuration: QuantizationConfiguration?
    ) throws(CheckpointError) -> [String: StoredTensor] {
        guard let configuration else { return tensors }
        var all = QuantizedTensors(configuration: configuration, tensors: tensors)
        for name in tensors.keys.sorted() {
            guard let tensor = tensors[name], let dot = name.lastIndex(of: ".") else { continue }
            let module = String(name[..<dot])
            switch (configuration.method, name[name.index(after: dot)...]) {
            case (.gptq, "qweight"): try all.readGPTQ(module, tensor)
            case (.awq, "qweight"): try all.readAWQ(module, tensor)
            case (.compressedTensors, "weight_packed"): try all.readPacked(module, tensor)
            case (.compressedTensors, "weight") where tensor.type == "I8": try all.readBytes(module, tensor)
            case (.compressedTensors, "weight"), (.fp8, "weight"), (.fbgemmFP8, "weight"):
                if tensor.type == "F8_E4M3" { try all.readBytes(module, tensor) }
            default: break
            }
        }
        all.tensors = all.tensors.filter { name, _ in !unused.contains { name.hasSuffix("." + $0) } }
        return all.tensors
    }

    /// What is left out: scales of activations (static w8a8) and of the cache (fp8).
    private static let unused = [
        "input_scale", "input_zero_point", "input_scale_ub", "activation_scale_ub", "output_scale", "k_scale",
        "v_scale",
        "q_scale", "k_zero_point", "v_zero_point", "prob_output_scale",
    ]

    // MARK: Tensors

    /// Removes a tensor that belongs to a module, if it is there.
    mutating func take(_ module: String, _ name: String) -> StoredTensor? {
        tensors.removeValue(forKey: module + "." + name)
    }

    /// Removes a tensor that a module must have.
    mutating func need(
        _ module: String, _ name: String, beside tensor: StoredTensor
    ) throws(CheckpointError) -> StoredTensor {
        guard let found = take(module, name) else {
            throw broken(tensor, "\"\(module).\(name)\" is missing beside it")
        }
        return found
    }

    func broken(_ tensor: StoredTensor, _ reason: String) -> CheckpointError {
        .quantizedTensor(file: tensor.file, tensor: tensor.name, reason: reason)
    }

    /// A tensor's first byte, when type and shape are as they must be.
    @discardableResult
    func base(
        _ tensor: StoredTensor, _ types: [String], _ shape: [Int]
    ) throws(CheckpointError) -> UnsafeRawPointer {
        guard types.contains(tensor.type) else {
            throw broken(tensor, "it is stored as \(tensor.type), not as \(types.joined(separator: " or "))")
        }
        guard tensor.shape == shape else {
            throw broken(tensor, "its shape is \(tensor.shape), the matrix needs \(shape)")
        }
        guard let base = tensor.bytes.baseAddress, !tensor.bytes.isEmpty else { throw broken(tensor, "it is empty") }
        return base
    }

    /// The two sizes of a matrix, neither 0: products with small factors then fit an Int, as the bytes exist.
    func sizes(_ tensor: StoredTensor) throws(CheckpointError) -> (Int, Int) {
        guard tensor.shape.count == 2, tensor.shape[0] > 0, tensor.shape[1] > 0 else {
            throw broken(tensor, "its shape is \(tensor.shape), not two sizes of at least 1")
        }
        return (tensor.shape[0], tensor.shape[1])
    }

    /// The type of scales.
    func scaleType(_ tensor: StoredTensor) throws(CheckpointError) -> ElementType {
        guard let element = tensor.element else {
            throw .elementType(file: tensor.file, tensor: tensor.name, type: tensor.type)
        }
        return element
    }

    /// The group of each input feature, or nil where groups are in order.
    ///
    /// Act-order files number the groups by importance; -1 everywhere (llm-compressor) says that there is no order.
    func groupOfColumn(
        _ tensor: StoredTensor?, columns: Int, group: Int?, groups: Int
    ) throws(CheckpointError) -> [Int32]? {
        guard let tensor else { return nil }
        let base = try base(tensor, ["I32"], [columns])
        let indices = (0..<columns).map {
            Int32(littleEndian: base.loadUnaligned(fromByteOffset: $0 * 4, as: Int32.self))
        }
        if indices.allSatisfy({ $0 == -1 }) { return nil }
        for (column, index) in indices.enumerated() where index < 0 || index >= groups {
            throw broken(tensor, "input feature \(column) is of group \(index), there are \(groups)")
        }
        let size = group ?? columns
        return indices.enumerated().allSatisfy { $0.offset / size == Int($0.element) } ? nil : indices
    }

    /// Puts the matrix in the place of what it was made from: as codes, or as numbers made when they are asked for.
    mutating func put(
        _ module: String, _ matrix: GroupedMatrix, groupOfColumn: [Int32]? = nil, from tensor: StoredTensor
    ) throws(CheckpointError) {
        let name = module + ".weight"
        var result = StoredTensor(
            file: tensor.file, name: name, type: "codes", shape: [matrix.rows, matrix.columns],
            bytes: UnsafeRawBufferPointer(start: nil, count: 0), mapping: nil)
        if groupOfColumn == nil, let coded = CodedGroups(matrix) {
            result.coded = coded
        } else {
            guard !matrix.isFloat else {
                throw broken(tensor, "its blocks of \(matrix.group ?? 0) inputs are no multiple of 16")
            }
            let dequantized = DequantizedMatrix(matrix, groupOfColumn: groupOfColumn)
            result.dequantized = dequantized
            result.type = dequantized.element.safeTensorsName
        }
        if let other = tensors.updateValue(result, forKey: name) {
            throw .duplicate(tensor: name, files: [other.file, tensor.file])
        }
    }
}

extension ElementType {
    /// The name in safetensors' headers.
    fileprivate var safeTensorsName: String {
        switch self {
        case .float32: "F32"
        case .float16: "F16"
        case .bfloat16: "BF16"
        }
    }
}
