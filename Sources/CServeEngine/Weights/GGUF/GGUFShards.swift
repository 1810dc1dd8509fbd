// Opens a model's GGUF file, or all files of a split one, and keeps them mapped.

import CServeCore

/// The files of one model.
struct GGUFShards {
    /// A tensor and the file that keeps its bytes.
    struct Located {
        var tensor: GGUFTensor
        var file: String
        var mapping: MappedFile
    }

    /// The first file's metadata: it describes the model.
    var metadata: GGUFMetadata
    /// The tensors of all files by llama.cpp's names.
    var tensors: [String: Located] = [:]

    /// Opens the model that a file belongs to; `x-00002-of-00003.gguf` stands for all three.
    /// - Throws: ``CheckpointError``.
    init(path: String) throws(CheckpointError) {
        var parts: [(path: String, file: GGUFFile, mapping: MappedFile)] = []
        for part in Self.paths(path) {
            let mapping = try MappedFile(path: part)
            parts.append((part, try GGUFFile(mapping.bytes, file: part), mapping))
        }
        metadata = parts[0].file.metadata
        try Self.checkSplit(parts.map(\.file.metadata))
        for part in parts {
            for tensor in part.file.tensors {
                let located = Located(tensor: tensor, file: part.path, mapping: part.mapping)
                if let other = tensors.updateValue(located, forKey: tensor.name) {
                    throw .duplicate(tensor: tensor.name, files: [other.file, part.path])
                }
            }
        }
        if let count = metadata.integer("split.tensors.count"), count != tensors.count {
            throw .header(file: path, reason: "it tells of \(count) tensors, and its files hold \(tensors.count)")
        }
    }

    /// The files of a model whose name ends in `-00001-of-00003.gguf` (llama.cpp's gguf-split), in order.
    static func paths(_ path: String) -> [String] {
        let ending = Array(path.utf8.suffix(20))
        guard ending.count == 20, ending.prefix(1) == [UInt8(ascii: "-")],
            String(decoding: ending[6..<10], as: UTF8.self) == "-of-", String(path.suffix(5)) == ".gguf",
            let number = Int(String(decoding: ending[1..<6], as: UTF8.self)),
            let count = Int(String(decoding: ending[10..<15], as: UTF8.self)), (1...count).contains(number)
        else { return [path] }
        return (1...count).map { "\(path.dropLast(20))-\(digits($0))-of-\(digits(count)).gguf" }
    }

    private static func digits(_ number: Int) -> String {
        let text = "\(number)"
        return String(repeating: "0", count: max(0, 5 - text.count)) + text
    }

    /// A split file says which part it is: parts of another model, or a part alone, are refused.
    private static func checkSplit(_ parts: [GGUFMetadata]) throws(CheckpointError) {
        for (index, part) in parts.enumerated() {
            let count = part.integer("split.count") ?? 1
            guard count == parts.count || (count == 0 && parts.count == 1) else {
                throw .header(
                    file: part.file,
                    reason: "it is one of \(count) files, and its name stands for \(parts.count); "
                        + "the parts' names must end in -00001-of-0000N.gguf")
            }
            if let number = part.integer("split.no"), number != index {
                throw .header(file: part.file, reason: "it is part \(number + 1), not \(index + 1)")
            }
        }
    }
}
