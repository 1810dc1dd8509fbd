// Why a checkpoint's files are refused, each with file and tensor, and what to do.

import CServeCore

/// A checkpoint that cannot be read.
public enum CheckpointError: Error, Hashable, Sendable {
    /// A file that must be there is not.
    case missingFile(String)
    /// A file cannot be read.
    case unreadable(file: String, reason: String)
    /// Only PyTorch pickles.
    case pickledWeights(directory: String, file: String)
    /// No weights at all.
    case noWeights(directory: String)
    /// The header's length does not fit the file.
    case headerLength(file: String, length: UInt64, fileBytes: Int)
    /// The header is not what the format says.
    case header(file: String, reason: String)
    /// A tensor's entry in the header is malformed.
    case entry(file: String, tensor: String, reason: String)
    /// Tensors overlap or leave a hole.
    case layout(file: String, tensor: String, expected: Int, found: Int)
    /// The header describes more or fewer bytes than the file has.
    case dataLength(file: String, described: Int, present: Int)
    /// The same tensor in two files.
    case duplicate(tensor: String, files: [String])
    /// The index is malformed.
    case index(file: String, reason: String)
    /// The index names a file outside the directory.
    case indexPath(file: String, path: String)
    /// The index names a tensor that its shard does not hold.
    case notInShard(tensor: String, file: String)
    /// Tensors that the model needs are in none of the files.
    case missingTensors([String], files: [String])
    /// Tensors that the model does not know.
    case unexpectedTensors([String], files: [String])
    /// A tensor of the wrong shape.
    case shape(file: String, tensor: String, expected: [Int], found: [Int])
    /// A tensor whose numbers cannot be read.
    case elementType(file: String, tensor: String, type: String)
    /// A way of quantising that is not read.
    case unsupportedQuantization(file: String, field: String, value: String, supported: String)
    /// A field of the quantisation's description is malformed.
    case quantizationField(file: String, field: String, reason: String)
    /// A quantised matrix whose tensors do not fit each other or the description.
    case quantizedTensor(file: String, tensor: String, reason: String)
}

extension CheckpointError: CustomStringConvertible {
    /// What happened, with names and numbers, and what to do next.
    public var description: String {
        switch self {
        case .missingFile(let file): "\(file) is missing. Download the checkpoint again, completely."
        case .unreadable(let file, let reason):
            "\(file) cannot be read: \(reason). Check its permissions, or download it again."
        case .pickledWeights(let directory, let file):
            "\(directory) holds only PyTorch pickles (\(file)), which can run code and are not read. "
                + "Convert them: load the model with transformers and save_pretrained(..., safe_serialization=True)."
        case .noWeights(let directory):
            "\(directory) holds neither model.safetensors nor model.safetensors.index.json. "
                + "Point --model at a checkpoint's directory."
        case .headerLength(let file, let length, let bytes):
            "\(file): the header claims \(length) bytes, the file has \(bytes). Download it again."
        case .header(let file, let reason): "\(file): the header is broken: \(reason). Download it again."
        case .entry(let file, let tensor, let reason): "\(file): tensor \"\(tensor)\": \(reason). Download it again."
        case .layout(let file, let tensor, let expected, let found):
            "\(file): tensor \"\(tensor)\" begins at byte \(found) of the data, not at \(expected): tensors overlap or "
                + "leave a hole. Download it again."
        case .dataLength(let file, let described, let present):
            "\(file): the header describes \(described) bytes of data, the file has \(present). Download it again."
        default: namedTensors
        }
    }

    private var namedTensors: String {
        switch self {
        case .duplicate(let tensor, let files):
            "Tensor \"\(tensor)\" is in \(files.joined(separator: " and in ")). Remove one of the files."
        case .index(let file, let reason): "\(file): \(reason). Download it again."
        case .indexPath(let file, let path):
            "\(file) points at \"\(path)\", outside the checkpoint's directory. Shards must lie beside the index."
        case .notInShard(let tensor, let file):
            "The index puts tensor \"\(tensor)\" into \(file), which does not hold it. Download the checkpoint again."
        case .missingTensors(let names, let files):
            "\(Self.listed(files, quoted: false)): \(names.count) tensors that the model needs are missing: "
                + "\(Self.listed(names)). "
                + "Check that config.json belongs to these weights."
        case .unexpectedTensors(let names, let files):
            "\(Self.listed(files, quoted: false)): \(names.count) tensors are unknown to the model: "
                + "\(Self.listed(names)). "
                + "Check that config.json belongs to these weights."
        case .shape(let file, let tensor, let expected, let found):
            "\(file): tensor \"\(tensor)\" has shape \(found), config.json asks for \(expected). "
                + "Check that config.json belongs to these weights."
        case .elementType(let file, let tensor, let type):
            "\(file): tensor \"\(tensor)\" is stored as \(type). F32, F16 and BF16 can be read; use such a checkpoint."
        default: quantization
        }
    }

    private var quantization: String {
        switch self {
        case .unsupportedQuantization(let file, let field, let value, let supported):
            "\(file): the checkpoint is quantised with \(field) \"\(value)\", which is not read. "
                + "Supported: \(supported). Use such a checkpoint, or the unquantised one with --quantization."
        case .quantizationField(let file, let field, let reason):
            "\(file): \"\(field)\" of the quantisation: \(reason). Download the checkpoint again."
        case .quantizedTensor(let file, let tensor, let reason):
            "\(file): quantised tensor \"\(tensor)\": \(reason). Check that config.json belongs to these weights."
        default: ""
        }
    }

    private static func listed(_ names: [String], quoted: Bool = true) -> String {
        let shown = names.prefix(5).map { quoted ? "\"\($0)\"" : $0 }.joined(separator: ", ")
        return names.count > 5 ? shown + " and others" : shown
    }
}
