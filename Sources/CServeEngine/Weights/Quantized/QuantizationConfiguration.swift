// What a checkpoint says about how its weights were quantised: read strictly, so that nothing is guessed.

import CServeCore

/// The fields of `quantization_config` that say how stored bytes become numbers.
///
/// Whether a module is quantised is seen by its tensors, so `ignore`, `modules_to_not_convert`, `lm_head` and targets
/// need no reading. Activation schemes are not read: activations are quantised per row while they are used
/// (docs/design/0007), whatever scales a file gives for them.
public struct QuantizationConfiguration: Hashable, Sendable {
    /// The name of the tool's format.
    public enum Method: String, Hashable, Sendable, CaseIterable {
        /// AutoGPTQ, GPTQModel.
        case gptq
        /// AutoAWQ.
        case awq
        /// llm-compressor.
        case compressedTensors = "compressed-tensors"
        /// DeepSeek, Qwen, AutoFP8.
        case fp8
        /// fp8 with one scale per output feature.
        case fbgemmFP8 = "fbgemm_fp8"
    }

    /// How a group of modules stores its weights.
    public struct Scheme: Hashable, Sendable {
        /// Bits per number.
        public var bits: Int
        /// Whether numbers are floats (e4m3).
        public var isFloat: Bool
        /// Input features per scale; nil for all of them.
        public var group: Int?
        /// Output features per scale: more than one for two-dimensional blocks, nil for all of them.
        public var rows: Int?
    }

    /// The file, for messages.
    public var file: String
    /// The tool's format.
    public var method: Method
    /// What modules may be stored as.
    public var schemes: [Scheme]
    /// GPTQ of the first version stores each zero point less one.
    public var storesZeroLessOne = false
    /// Whether modules may differ from the one scheme that is named (GPTQModel's `dynamic`).
    public var hasOverrides = false
}

extension QuantizationConfiguration {
    /// The methods, for messages.
    static let methods = Method.allCases.map(\.rawValue).joined(separator: ", ")

    /// Reads a configuration.
    /// - Parameters:
    ///   - object: `quantization_config` of config.json, or the root of quantize_config.json or quant_config.json.
    ///   - method: The method where the object names none: what the file's name says.
    /// - Throws: ``CheckpointError/unsupportedQuantization(file:field:value:supported:)``,
    ///   ``CheckpointError/quantizationField(file:field:reason:)``.
    init(_ object: JSONValue, file: String, method assumed: Method? = nil) throws(CheckpointError) {
        guard object.objectValue != nil else {
            throw .quantizationField(file: file, field: "quantization_config", reason: "it is not an object")
        }
        let name = object["quant_method"]?.stringValue ?? assumed?.rawValue ?? "none"
        guard let method = Method(rawValue: name) else {
            throw .unsupportedQuantization(file: file, field: "quant_method", value: name, supported: Self.methods)
        }
        self.init(file: file, method: method, schemes: [])
        let fields = Fields(object: object, file: file)
        switch method {
        case .gptq: try readGPTQ(fields)
        case .awq: try readAWQ(fields)
        case .compressedTensors: try readCompressedTensors(fields)
        case .fp8:
            let blocks = try Self.blocks(fields, "weight_block_size")
            schemes = blocks.rows == nil ? [blocks, Scheme(bits: 8, isFloat: true, group: nil, rows: 1)] : [blocks]
        case .fbgemmFP8: schemes = [Scheme(bits: 8, isFloat: true, group: nil, rows: 1)]
        }
    }

    /// AutoGPTQ (`quantize_config.json`), GPTQModel: `bits`, `group_size`, `checkpoint_format`.
    private mutating func readGPTQ(_ fields: Fields) throws(CheckpointError) {
        let bits = try fields.integer("bits", among: [2, 3, 4, 8])
        schemes = [Scheme(bits: bits, isFloat: false, group: try fields.group("group_size"), rows: 1)]
        let format = try fields.name("checkpoint_format", "gptq", among: ["gptq", "gptq_v2"])
        if fields.object["is_marlin_format"]?.boolValue == true {
            throw fields.unsupported("is_marlin_format", "true", "false")
        }
        storesZeroLessOne = format == "gptq"
        hasOverrides = fields.object["dynamic"]?.objectValue?.isEmpty == false
    }

    /// AutoAWQ: `bits` or `w_bit`, `group_size` or `q_group_size`, `version`.
    private mutating func readAWQ(_ fields: Fields) throws(CheckpointError) {
        let bits = try fields.integer(fields.has("bits") ? "bits" : "w_bit", among: [4])
        let group = try fields.group(fields.has("group_size") ? "group_size" : "q_group_size")
        _ = try fields.name("version", "gemm", among: ["gemm"])
        schemes = [Scheme(bits: bits, isFloat: false, group: group, rows: 1)]
    }

    /// compressed-tensors: `config_groups`, each with its `weights`.
    private mutating func readCompressedTensors(_ fields: Fields) throws(CheckpointError) {
        let formats = ["pack-quantized", "int-quantized", "float-quantized", "naive-quantized", "mixed-precision"]
        _ = try fields.name("format", "naive-quantized", among: formats)
        _ = try fields.name("quantization_status", "compressed", among: ["compressed"])
        if let sparsity = fields.object["sparsity_config"], sparsity.objectValue?.isEmpty == false {
            _ = try Fields(object: sparsity, file: file).name("format", "dense", among: ["dense"])
        }
        if let transform = fields.object["transform_config"], transform.objectValue?.isEmpty == false {
            throw fields.unsupported("transform_config", "an object", "none")
        }
        guard let groups = fields.object["config_groups"]?.objectValue, !groups.isEmpty else {
            throw .quantizationField(file: file, field: "config_groups", reason: "it is not an object with a scheme")
        }
        for group in groups.values {
            _ = try Fields(object: group, file: file).name("format", "naive-quantized", among: formats)
            guard let weights = group["weights"], !weights.isNull else { continue }
            schemes.append(try Self.scheme(Fields(object: weights, file: file)))
        }
    }

    private static func scheme(_ fields: Fields) throws(CheckpointError) -> Scheme {
        let isFloat = try fields.name("type", "int", among: ["int", "float"]) == "float"
        let bits = try fields.integer("num_bits", 8, among: isFloat ? [8] : [4, 8])
        let group = try fields.group("group_size")
        let standard = group == nil ? "tensor" : "group"
        switch try fields.name("strategy", standard, among: ["tensor", "channel", "group", "block"]) {
        case "tensor": return Scheme(bits: bits, isFloat: isFloat, group: nil, rows: nil)
        case "channel": return Scheme(bits: bits, isFloat: isFloat, group: nil, rows: 1)
        case "group": return Scheme(bits: bits, isFloat: isFloat, group: group, rows: 1)
        default:
            var scheme = try blocks(fields, "block_structure")
            (scheme.bits, scheme.isFloat) = (bits, isFloat)
            return scheme
        }
    }

    /// fp8 whose scales belong to blocks `[output features, input features]`; without a size, to a row or the tensor.
    private static func blocks(_ fields: Fields, _ name: String) throws(CheckpointError) -> Scheme {
        guard let value = fields.object[name], !value.isNull else {
            return Scheme(bits: 8, isFloat: true, group: nil, rows: nil)
        }
        guard value.arrayValue?.count == 2, let rows = value[0]?.intValue, let columns = value[1]?.intValue,
            rows > 0, columns > 0
        else { throw .quantizationField(file: fields.file, field: name, reason: "it is not two sizes of at least 1") }
        return Scheme(bits: 8, isFloat: true, group: columns, rows: rows)
    }
}

/// The fields of one object, read strictly.
private struct Fields {
    var object: JSONValue
    var file: String

    func has(_ name: String) -> Bool { object[name] != nil }

    func unsupported(_ field: String, _ value: String, _ supported: String) -> CheckpointError {
        .unsupportedQuantization(file: file, field: field, value: value, supported: supported)
    }

    /// A whole number among some.
    func integer(_ name: String, _ standard: Int? = nil, among choices: [Int]) throws(CheckpointError) -> Int {
        guard let value = object[name].map(\.intValue) ?? standard else {
            throw .quantizationField(file: file, field: name, reason: "it is missing or not a whole number")
        }
        guard choices.contains(value) else {
            throw unsupported(name, "\(value)", choices.map(String.init).joined(separator: ", "))
        }
        return value
    }

    /// A group's size; nil for -1 and null, which mean whole rows.
    func group(_ name: String) throws(CheckpointError) -> Int? {
        guard let value = object[name], !value.isNull else { return nil }
        guard let size = value.intValue, size == -1 || size > 0 else {
            throw .quantizationField(file: file, field: name, reason: "it is neither -1 nor a size of at least 1")
        }
        return size == -1 ? nil : size
    }

    /// A name among some, in lower case.
    func name(_ name: String, _ standard: String, among choices: [String]) throws(CheckpointError) -> String {
        guard let value = object[name], !value.isNull else { return standard }
        guard let text = value.stringValue?.lowercased() else {
            throw .quantizationField(file: file, field: name, reason: "it is not a string")
        }
        guard choices.contains(text) else { throw unsupported(name, text, choices.joined(separator: ", ")) }
        return text
    }
}

extension QuantizationConfiguration {
    /// A checkpoint's description: in config.json (of the language model, if it nests one), or in a file of its own
    /// as older AutoGPTQ and AutoAWQ wrote it; nil where there is none.
    /// - Throws: ``CheckpointError``.
    static func find(
        configuration: [UInt8], directory: String? = nil
    ) throws(CheckpointError) -> QuantizationConfiguration? {
        // A broken config.json has its own message elsewhere.
        let root = try? JSONValue(parsing: configuration)
        let places = [root, root?["text_config"]].flatMap { [$0?["quantization_config"], $0?["compression_config"]] }
        if let object = places.compactMap(\.self).first(where: { !$0.isNull }) {
            return try QuantizationConfiguration(object, file: "config.json")
        }
        guard let directory else { return nil }
        for (name, method) in [("quantize_config.json", Method.gptq), ("quant_config.json", .awq)] {
            let path = directory + "/" + name
            guard Checkpoint.exists(path) else { continue }
            let bytes = try MappedFile.read(path)
            guard let object = try? JSONValue(parsing: bytes) else {
                throw .quantizationField(file: path, field: name, reason: "it is not JSON")
            }
            return try QuantizationConfiguration(object, file: path, method: method)
        }
        return nil
    }
}
