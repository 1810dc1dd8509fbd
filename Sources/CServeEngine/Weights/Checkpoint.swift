// Where a model comes from: a Hugging Face directory, a GGUF file, or bytes that live inside the binary.

import CServeCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A model's configuration and its tensors, read in place.
///
/// Ownership: immutable; the tensors' bytes live as long as the checkpoint (or longer, for memory that lasts).
public final class Checkpoint: @unchecked Sendable {
    /// What to call it in messages.
    public let name: String
    /// The bytes of config.json.
    public let configuration: [UInt8]
    /// The bytes of generation_config.json, if there is one.
    public let generationConfiguration: [UInt8]?
    /// The tensors by name.
    public let tensors: [String: StoredTensor]
    /// The name of the method that quantised the weights, as its files give it; nil for plain weights.
    public let quantization: String?
    /// What a GGUF file says besides: its tokenizer and chat template among it; nil for a directory.
    public let metadata: GGUFMetadata?

    /// A checkpoint of tensors at hand.
    init(
        name: String, configuration: [UInt8], generationConfiguration: [UInt8]? = nil, tensors: [String: StoredTensor],
        quantization: String? = nil, metadata: GGUFMetadata? = nil
    ) {
        self.name = name
        self.configuration = configuration
        self.generationConfiguration = generationConfiguration
        self.tensors = tensors
        self.quantization = quantization
        self.metadata = metadata
    }

    /// A checkpoint in memory that outlives it: `weights` holds one safetensors file.
    /// - Throws: ``CheckpointError``.
    public convenience init(
        name: String, configuration: [UInt8], generationConfiguration: [UInt8]? = nil, weights: UnsafeRawBufferPointer
    ) throws(CheckpointError) {
        let quantized = try QuantizationConfiguration.find(configuration: configuration)
        self.init(
            name: name, configuration: configuration, generationConfiguration: generationConfiguration,
            tensors: try QuantizedTensors.resolved(
                try Self.merged([try SafeTensors.tensors(in: weights, file: name)]), quantized),
            quantization: quantized?.method.rawValue)
    }

    /// A checkpoint's directory: config.json, and model.safetensors or the shards that an index names.
    ///
    /// Other files (consolidated.safetensors, pickles beside safetensors) are not read.
    /// - Throws: ``CheckpointError``.
    public convenience init(directory: String) throws(CheckpointError) {
        let configuration = try MappedFile.read(directory + "/config.json")
        let generation = directory + "/generation_config.json"
        let quantized = try QuantizationConfiguration.find(configuration: configuration, directory: directory)
        self.init(
            name: directory, configuration: configuration,
            generationConfiguration: Self.exists(generation) ? try MappedFile.read(generation) : nil,
            tensors: try QuantizedTensors.resolved(try Self.readTensors(directory), quantized),
            quantization: quantized?.method.rawValue)
    }

    /// The model's numbers; families that can only be planned are refused.
    public func shape() throws(ModelShapeError) -> ModelShape {
        var shape = try ModelShape.parse(
            config: configuration, generationConfig: generationConfiguration, file: metadata?.file ?? "config.json")
        try shape.checkServed()
        guard metadata != nil else { return shape }
        // Gemma's norms lie in GGUF files with the one already added.
        shape.normOffset = 0
        return shape
    }

    /// Compares names, shapes and types of the tensors with what the configuration asks for.
    /// - Throws: ``CheckpointError``, naming file and tensor, or ``ModelShapeError``.
    public func check() throws {
        _ = try TensorCheck(model: ModelTable.model(try shape())).check(self)
    }

    /// How the plain matrices are stored; f32 where they differ, so that nothing is lost.
    public func storedElement() -> ElementType {
        let matrices = tensors.values.filter {
            $0.shape.count > 1 && $0.coded == nil && !$0.name.contains("vision_tower")
        }
        let elements = Set(matrices.compactMap(\.element))
        return elements.count == 1 ? elements.first ?? .float32 : .float32
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    private static func readTensors(_ directory: String) throws(CheckpointError) -> [String: StoredTensor] {
        let index = directory + "/model.safetensors.index.json"
        if exists(index) { return try readShards(index: index, directory: directory) }
        let single = directory + "/model.safetensors"
        if exists(single) { return try merged([try read(single)]) }
        for pickle in ["pytorch_model.bin", "pytorch_model.bin.index.json"] where exists(directory + "/" + pickle) {
            throw .pickledWeights(directory: directory, file: pickle)
        }
        throw .noWeights(directory: directory)
    }

    private static func read(_ path: String) throws(CheckpointError) -> [StoredTensor] {
        let file = try MappedFile(path: path)
        return try SafeTensors.tensors(in: file.bytes, file: path, mapping: file)
    }

    private static func merged(_ files: [[StoredTensor]]) throws(CheckpointError) -> [String: StoredTensor] {
        var all: [String: StoredTensor] = [:]
        for tensor in files.joined() {
            if let other = all.updateValue(tensor, forKey: tensor.name) {
                throw .duplicate(tensor: tensor.name, files: [other.file, tensor.file])
            }
        }
        return all
    }

    private static func readShards(
        index: String, directory: String
    ) throws(CheckpointError) -> [String: StoredTensor] {
        let map = try weightMap(index)
        let files = Set(map.values).sorted()
        var shards: [[StoredTensor]] = []
        for file in files { shards.append(try read(directory + "/" + file)) }
        let all = try merged(shards)
        for (tensor, file) in map where all[tensor]?.file != directory + "/" + file {
            throw .notInShard(tensor: tensor, file: file)
        }
        for (name, tensor) in all where map[name] == nil {
            throw .entry(file: tensor.file, tensor: name, reason: "the index does not name it")
        }
        return all
    }

    private static func weightMap(_ index: String) throws(CheckpointError) -> [String: String] {
        let bytes = try MappedFile.read(index)
        let root: JSONValue
        do {
            root = try JSONValue(parsing: bytes, uniqueKeys: true)
        } catch {
            throw .index(file: index, reason: "\(error)")
        }
        guard let members = root["weight_map"]?.objectValue,
            !members.isEmpty
        else { throw .index(file: index, reason: "there is no weight_map") }
        var map: [String: String] = [:]
        for (tensor, value) in zip(members.keys, members.values) {
            guard let file = value.stringValue else {
                throw .index(file: index, reason: "the file of tensor \"\(tensor)\" is not a string")
            }
            let isPlain = !file.isEmpty && !file.contains("/") && !file.contains("\\") && !file.utf8.contains(0)
            guard isPlain, file != "..", file.hasSuffix(".safetensors") else {
                throw .indexPath(file: index, path: file)
            }
            map[tensor] = file
        }
        return map
    }
}
