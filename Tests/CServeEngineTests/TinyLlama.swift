import CServeCore
import Foundation

@testable import CServeEngine

/// A Llama with random weights, small enough to run plainly in a debug build.
enum TinyLlama {
    static let vocabulary = 72
    static let hidden = 32
    static let layers = 2

    /// Writes the checkpoint into a fresh folder, hands it to the body, and removes the folder.
    static func with<R>(seed: UInt64 = 1, _ body: (Checkpoint) throws -> R) throws -> R {
        let folder = FileManager.default.temporaryDirectory.appending(path: "cserve-tiny-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(configuration.utf8).write(to: folder.appending(path: "config.json"))
        try safetensors(seed: seed).write(to: folder.appending(path: "model.safetensors"))
        return try body(try Checkpoint(directory: folder.path))
    }

    private static let configuration = """
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": \(vocabulary),
         "hidden_size": \(hidden), "intermediate_size": 48, "num_hidden_layers": \(layers), "num_attention_heads": 4,
         "num_key_value_heads": 2, "max_position_embeddings": 96, "rms_norm_eps": 1e-5, "hidden_act": "silu",
         "rope_theta": 10000.0, "tie_word_embeddings": false, "torch_dtype": "float32", "eos_token_id": 71,
         "bos_token_id": 0}
        """

    private static var tensors: [(name: String, shape: [Int])] {
        var all: [(String, [Int])] = [("model.embed_tokens.weight", [vocabulary, hidden])]
        for layer in 0..<layers {
            let prefix = "model.layers.\(layer)."
            all += [
                (prefix + "input_layernorm.weight", [hidden]),
                (prefix + "self_attn.q_proj.weight", [hidden, hidden]),
                (prefix + "self_attn.k_proj.weight", [hidden / 2, hidden]),
                (prefix + "self_attn.v_proj.weight", [hidden / 2, hidden]),
                (prefix + "self_attn.o_proj.weight", [hidden, hidden]),
                (prefix + "post_attention_layernorm.weight", [hidden]),
                (prefix + "mlp.gate_proj.weight", [48, hidden]),
                (prefix + "mlp.up_proj.weight", [48, hidden]),
                (prefix + "mlp.down_proj.weight", [hidden, 48]),
            ]
        }
        return all + [("model.norm.weight", [hidden]), ("lm_head.weight", [vocabulary, hidden])]
    }

    private static func safetensors(seed: UInt64) -> Data {
        var header: [String] = []
        var body = Data()
        for (index, tensor) in tensors.enumerated() {
            let count = tensor.shape.reduce(1, *)
            let offset = body.count
            for element in 0..<count {
                let bits = RandomStream.mix(seed &+ UInt64(index) << 32 &+ UInt64(element))
                let unit = Float(Int64(bitPattern: bits) >> 40) / Float(1 << 23)
                let value: Float = tensor.shape.count == 1 ? 1 + unit / 4 : unit / 2
                withUnsafeBytes(of: value.bitPattern.littleEndian) { body.append(contentsOf: $0) }
            }
            header.append(
                "\"\(tensor.name)\":{\"dtype\":\"F32\",\"shape\":\(tensor.shape),"
                    + "\"data_offsets\":[\(offset),\(body.count)]}")
        }
        let text = Data("{\(header.joined(separator: ","))}".utf8)
        var file = Data()
        withUnsafeBytes(of: UInt64(text.count).littleEndian) { file.append(contentsOf: $0) }
        return file + text + body
    }
}
