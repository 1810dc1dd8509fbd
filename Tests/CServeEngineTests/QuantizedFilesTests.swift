// Quantised files that lie or ask for what is not read: each is refused with its names and numbers, none is followed.

import CServeCore
import Testing

@testable import CServeEngine

/// Tensors of chosen types, shapes and bytes.
private struct StoredFile {
    var tensors: [(name: String, type: String, shape: [Int], bytes: [UInt8])] = []

    /// Adds a tensor; its bytes repeat a word.
    mutating func add(_ name: String, _ type: String, _ shape: [Int], _ bytes: [UInt8]? = nil) {
        let sizes = ["I64": 8, "I32": 4, "F32": 4, "F16": 2, "BF16": 2, "I8": 1, "F8_E4M3": 1, "F8_E8M0": 1]
        let count = shape.reduce(1, *) * sizes[type, default: 1]
        tensors.append((name, type, shape, bytes ?? (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }))
    }

    /// Resolves the tensors by a description.
    func resolved(_ quantization: String) throws -> [String: StoredTensor] {
        var header: [String] = []
        var data: [UInt8] = []
        for tensor in tensors {
            let end = data.count + tensor.bytes.count
            header.append(
                #""\#(tensor.name)":{"dtype":"\#(tensor.type)","shape":\#(tensor.shape),"data_offsets":[\#(data.count),\#(end)]}"#
            )
            data += tensor.bytes
        }
        let file = SafeTensorsFile.file(header: "{" + header.joined(separator: ",") + "}", data: data)
        return try file.withUnsafeBytes { bytes in
            let all = try SafeTensors.tensors(in: bytes, file: "file")
            let description = try QuantizationConfiguration(
                JSONValue(parsing: Array(quantization.utf8)), file: "config.json")
            return try QuantizedTensors.resolved(
                Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) }), description)
        }
    }
}

private func int32(_ values: [Int32]) -> [UInt8] {
    values.flatMap { value in withUnsafeBytes(of: value) { Array($0) } }
}

@Suite struct QuantizedFilesTests {
    private static let gptq = #"{"quant_method": "gptq", "bits": 4, "group_size": 16, "sym": true}"#
    private static let awq = #"{"quant_method": "awq", "bits": 4, "group_size": 16, "version": "gemm"}"#
    private static let packed = """
        {"quant_method": "compressed-tensors", "format": "pack-quantized", "quantization_status": "compressed",
         "config_groups": {"a": {"weights": {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 16}}}}
        """
    private static let bytes = """
        {"quant_method": "compressed-tensors", "format": "int-quantized", "quantization_status": "compressed",
         "config_groups": {"a": {"weights": {"num_bits": 8, "type": "int", "strategy": "channel"}}}}
        """
    private static let fp8 = #"{"quant_method": "fp8", "weight_block_size": [4, 8]}"#

    /// The tensors of a matrix of 8 outputs and 32 inputs, one replaced.
    private func tensors(
        _ kind: String, _ changed: String = "", _ type: String = "", _ shape: [Int] = [], _ bytes: [UInt8]? = nil
    ) -> StoredFile {
        let all: [String: [(String, String, [Int], [UInt8]?)]] = [
            "gptq": [
                ("qweight", "I32", [4, 8], nil), ("qzeros", "I32", [2, 1], nil), ("scales", "F16", [2, 8], nil),
            ],
            "awq": [
                ("qweight", "I32", [32, 1], nil), ("qzeros", "I32", [2, 1], nil), ("scales", "F16", [2, 8], nil),
            ],
            "packed": [
                ("weight_packed", "I32", [8, 4], nil), ("weight_shape", "I32", [2], int32([8, 32])),
                ("weight_scale", "F32", [8, 2], nil),
            ],
            "bytes": [("weight", "I8", [8, 32], nil), ("weight_scale", "F32", [8, 1], nil)],
            "fp8": [("weight", "F8_E4M3", [8, 32], nil), ("weight_scale_inv", "F32", [2, 4], nil)],
        ]
        var file = StoredFile()
        var isKnown = changed.isEmpty
        for (name, standard, sizes, content) in all[kind] ?? [] {
            if name == changed {
                isKnown = true
                if !type.isEmpty { file.add("x." + name, type, shape, bytes) }
            } else {
                file.add("x." + name, standard, sizes, content)
            }
        }
        if !isKnown { file.add("x." + changed, type, shape, bytes) }
        return file
    }

    @Test("whole matrices are read, and nothing else is left of them")
    func whole() throws {
        for (kind, text) in [("gptq", Self.gptq), ("awq", Self.awq), ("packed", Self.packed), ("bytes", Self.bytes)] {
            var file = tensors(kind)
            file.add("x.input_scale", "F32", [1])
            file.add("x.k_scale", "F32", [1])
            file.add("norm.weight", "F16", [8])
            let all = try file.resolved(text)
            #expect(all.keys.sorted() == ["norm.weight", "x.weight"], "\(kind)")
            #expect(all["x.weight"]?.shape == [8, 32])
            #expect(all["x.weight"]?.coded != nil)
        }
    }

    @Test("files that contradict themselves are refused with tensor and numbers")
    func contradictions() throws {
        func refused(_ file: StoredFile, _ text: String, _ words: String) {
            do {
                _ = try file.resolved(text)
                Issue.record("accepted: \(words)")
            } catch {
                #expect("\(error)".contains(words), "\(error)")
            }
        }
        refused(tensors("gptq", "qzeros"), Self.gptq, "\"x.qzeros\" is missing")
        refused(tensors("gptq", "scales"), Self.gptq, "\"x.scales\" is missing")
        refused(tensors("gptq", "qweight", "F32", [4, 8]), Self.gptq, "stored as F32, not as I32")
        refused(tensors("gptq", "qweight", "I32", [0, 1 << 60]), Self.gptq, "not two sizes of at least 1")
        refused(tensors("gptq", "qweight", "I32", [4, 16]), Self.gptq, "4 words of 16 outputs")
        refused(tensors("gptq", "qweight", "I32", [8, 8]), Self.gptq, "2 groups of 64 inputs, config.json asks for 4")
        refused(tensors("gptq", "scales", "F16", [2, 7]), Self.gptq, "its shape is [2, 7], the matrix needs [2, 8]")
        refused(tensors("gptq", "scales", "I8", [2, 8]), Self.gptq, "stored as I8")
        refused(tensors("gptq", "g_idx", "I32", [31]), Self.gptq, "the matrix needs [32]")
        let wild = int32((0..<32).map { $0 == 5 ? 2 : 0 })
        refused(tensors("gptq", "g_idx", "I32", [32], wild), Self.gptq, "input feature 5 is of group 2, there are 2")
        let negative = int32((0..<32).map { $0 == 9 ? -7 : 0 })
        refused(tensors("gptq", "g_idx", "I32", [32], negative), Self.gptq, "input feature 9 is of group -7")
        refused(tensors("gptq", "weight", "F16", [8, 32]), Self.gptq, "is in")
        refused(tensors("awq", "qzeros", "I32", [2, 2]), Self.awq, "the matrix needs [2, 1]")
        refused(tensors("awq", "qzeros", "I32", [3, 1]), Self.awq, "3 groups of 32 inputs")
        refused(
            tensors("packed", "weight_shape", "I32", [2], int32([8, 1 << 30])), Self.packed, "it says [8, 1073741824]")
        refused(tensors("packed", "weight_shape", "I32", [2], int32([8, -1])), Self.packed, "it says [8, -1]")
        refused(tensors("packed", "weight_shape", "I32", [2], int32([9, 32])), Self.packed, "it says [9, 32]")
        refused(tensors("packed", "weight_shape", "I32", [3]), Self.packed, "the matrix needs [2]")
        refused(tensors("packed", "weight_packed", "I32", [8, 5]), Self.packed, "32 inputs in 5 words")
        refused(tensors("packed", "weight_scale", "F32", [8, 3]), Self.packed, "[8, 3] is none of what config.json")
        refused(tensors("packed", "weight_zero_point", "I32", [2, 2]), Self.packed, "the matrix needs [1, 2]")
        refused(tensors("packed", "weight_zero_point", "I8", [8, 1]), Self.packed, "its scales' [8, 2]")
        refused(tensors("bytes", "weight_scale"), Self.bytes, "\"x.weight_scale\" is missing")
        refused(tensors("bytes", "weight", "F8_E4M3", [8, 32]), Self.bytes, "no scheme of fp8 weights")
        refused(tensors("fp8"), Self.fp8, "blocks of 8 inputs are no multiple of 16")
        refused(tensors("fp8", "weight_scale_inv", "F8_E8M0", [2, 4]), Self.fp8, "stored as F8_E8M0")
    }

    @Test("groups of other sizes become smaller groups with the same scale, or plain numbers")
    func groupSizes() throws {
        func format(_ group: Int, groups: Int) throws -> (QuantizedFormat?, DequantizedMatrix?) {
            var file = StoredFile()
            file.add("x.qweight", "I32", [192 / 8, 8])
            file.add("x.qzeros", "I32", [groups, 1])
            file.add("x.scales", "F16", [groups, 8])
            let all = try file.resolved(#"{"quant_method": "gptq", "bits": 4, "group_size": \#(group)}"#)
            return (all["x.weight"]?.coded?.format, all["x.weight"]?.dequantized)
        }
        #expect(try format(96, groups: 2).0?.group == 32)
        #expect(try format(160, groups: 2).0?.group == 32)
        #expect(try format(192, groups: 1).0?.group == nil)
        #expect(try format(512, groups: 1).0?.group == nil)
        #expect(try format(24, groups: 8).0 == nil)
        #expect(try format(24, groups: 8).1?.element == .float16)
    }

    @Test("descriptions that are not read are refused with the choices")
    func descriptions() throws {
        let cases: [(String, String)] = [
            (#"{"quant_method": "bitsandbytes"}"#, "quant_method \"bitsandbytes\", which is not read. Supported: gptq"),
            (#"{"bits": 4}"#, "quant_method \"none\""),
            ("3", "it is not an object"),
            (#"{"quant_method": "gptq", "bits": 5}"#, "bits \"5\", which is not read. Supported: 2, 3, 4, 8"),
            (#"{"quant_method": "gptq"}"#, "\"bits\" of the quantisation: it is missing"),
            (#"{"quant_method": "gptq", "bits": 4, "group_size": 0}"#, "neither -1 nor a size"),
            (#"{"quant_method": "gptq", "bits": 4, "checkpoint_format": "marlin"}"#, "checkpoint_format \"marlin\""),
            (#"{"quant_method": "gptq", "bits": 4, "is_marlin_format": true}"#, "is_marlin_format"),
            (#"{"quant_method": "awq", "bits": 4, "version": "gemv"}"#, "version \"gemv\""),
            (#"{"quant_method": "awq", "w_bit": 8}"#, "w_bit \"8\""),
            (#"{"quant_method": "fp8", "weight_block_size": [128]}"#, "it is not two sizes"),
            (#"{"quant_method": "compressed-tensors", "format": "marlin-24"}"#, "format \"marlin-24\""),
            (#"{"quant_method": "compressed-tensors", "format": 3}"#, "it is not a string"),
            (#"{"quant_method": "compressed-tensors", "config_groups": {}}"#, "\"config_groups\""),
            (
                #"{"quant_method": "compressed-tensors", "sparsity_config": {"format": "sparse-24-bitmask"}}"#,
                "sparse-24-bitmask"
            ),
            (#"{"quant_method": "compressed-tensors", "transform_config": {"a": 1}}"#, "transform_config"),
            (
                #"{"quant_method": "compressed-tensors", "config_groups": {"a": {"weights": {"num_bits": 3}}}}"#,
                "num_bits \"3\""
            ),
        ]
        for (text, words) in cases {
            do {
                _ = try QuantizationConfiguration(JSONValue(parsing: Array(text.utf8)), file: "config.json")
                Issue.record("accepted: \(words)")
            } catch {
                #expect("\(error)".contains(words), "\(error)")
            }
        }
    }

    @Test("AutoAWQ's and AutoGPTQ's own spellings are the same")
    func spellings() throws {
        let old = try QuantizationConfiguration(
            JSONValue(
                parsing: Array(#"{"zero_point": true, "q_group_size": 128, "w_bit": 4, "version": "GEMM"}"#.utf8)),
            file: "quant_config.json", method: .awq)
        #expect(old.schemes == [.init(bits: 4, isFloat: false, group: 128, rows: 1)])
        let first = try QuantizationConfiguration(
            JSONValue(parsing: Array(#"{"bits": 8, "group_size": -1, "desc_act": false}"#.utf8)),
            file: "quantize_config.json", method: .gptq)
        #expect(first.schemes == [.init(bits: 8, isFloat: false, group: nil, rows: 1)])
        #expect(first.storesZeroLessOne)
    }
}
