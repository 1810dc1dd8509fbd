// Small random checkpoints of every family, made in memory from a seed: what the tests that need no reference run on.

import CServeCore
import Foundation

@testable import CServeEngine

/// A checkpoint in memory.
struct TinyCheckpoint {
    /// Configurations that between them use every part of every family.
    static let configurations: [String: String] = [
        "llama": base("LlamaForCausalLM", #""attention_bias": true, "mlp_bias": true"#),
        "llama3-tied": base(
            "LlamaForCausalLM",
            #""tie_word_embeddings": true, "rope_scaling": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 16}"#
        ),
        "llama-dynamic": base("LlamaForCausalLM", #""rope_scaling": {"type": "dynamic", "factor": 4}"#),
        "mistral": base("MistralForCausalLM", #""sliding_window": 5"#),
        "mixtral": base("MixtralForCausalLM", #""num_local_experts": 4, "num_experts_per_tok": 2"#),
        "gemma": base("GemmaForCausalLM", #""head_dim": 16"#),
        "gemma2": base("Gemma2ForCausalLM", #""head_dim": 8, "sliding_window": 4, "query_pre_attn_scalar": 8"#),
        "gemma3": base("Gemma3ForCausalLM", #""head_dim": 8, "sliding_window": 4, "sliding_window_pattern": 2"#),
        "qwen2": base("Qwen2ForCausalLM", #""use_sliding_window": true, "sliding_window": 4, "max_window_layers": 1"#),
        "qwen3": base("Qwen3ForCausalLM", #""head_dim": 16"#),
        "qwen2-moe": base(
            "Qwen2MoeForCausalLM",
            #""num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 12, "shared_expert_intermediate_size": 16"#
        ),
        "qwen3-moe": base(
            "Qwen3MoeForCausalLM",
            #""head_dim": 8, "num_experts": 4, "num_experts_per_tok": 3, "moe_intermediate_size": 12, "norm_topk_prob": true, "mlp_only_layers": [1]"#
        ),
        "phi3": base("Phi3ForCausalLM", #""partial_rotary_factor": 0.75, "sliding_window": 7"#),
    ]

    private static func base(_ architecture: String, _ more: String) -> String {
        """
        {"architectures": ["\(architecture)"], "vocab_size": 61, "hidden_size": 32, "intermediate_size": 24,
         "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64,
         \(more)}
        """
    }

    /// A checkpoint with random f32 weights. Its bytes are never freed: they are small and outlive every test.
    static func make(_ name: String, seed: UInt64 = 7) throws -> Checkpoint {
        let configuration = Array(configurations[name, default: ""].utf8)
        let shape = try ModelShape.parse(config: configuration)
        let needed = try TensorCheck(model: ModelTable.model(shape)).neededShapes([:])
        let file = SafeTensorsFile.bytes(needed.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, seed: seed)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: file.count, alignment: 8)
        memory.copyBytes(from: file)
        return try Checkpoint(name: name, configuration: configuration, weights: UnsafeRawBufferPointer(memory))
    }

    /// The same checkpoint with its matrices as codes, as a quantised file's reader would hand it over.
    /// - Parameter format: The format of a tensor by its name; nil leaves it plain.
    static func coded(
        _ name: String, method: String, format: (String) -> QuantizedFormat?
    ) throws -> Checkpoint {
        let plain = try make(name)
        var random = Uniform(seed: 31)
        var tensors = plain.tensors
        for (name, tensor) in plain.tensors.sorted(by: { $0.key < $1.key }) where tensor.shape.count > 1 {
            guard let format = format(name) else { continue }
            let rows = tensor.shape.dropLast().reduce(1, *)
            tensors[name]?.coded = FakeCodedMatrix(format, quantizing: tensor, rows, tensor.shape.last ?? 0, &random)
            tensors[name]?.bytes = UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return Checkpoint(
            name: name, configuration: plain.configuration, tensors: tensors, quantization: method)
    }

    /// A recipe for tests.
    static func recipe(tokens: Int = 64, blockSize: Int = 4, stages: Int = 1) -> Recipe {
        var recipe = Recipe()
        recipe.maxModelLen = 64
        recipe.maxNumSeqs = 8
        recipe.maxNumBatchedTokens = tokens
        recipe.blockSize = blockSize
        recipe.pipelineParallelSize = stages
        return recipe
    }
}

/// Writes the safetensors format.
enum SafeTensorsFile {
    /// A file of f32 tensors with random values.
    static func bytes(_ tensors: [(name: String, shape: [Int])], seed: UInt64) -> [UInt8] {
        var random = SplitMix(state: seed)
        var header: [String] = []
        var data: [UInt8] = []
        for tensor in tensors {
            let count = tensor.shape.reduce(1, *)
            let end = data.count + count * 4
            header.append(
                #""\#(tensor.name)":{"dtype":"F32","shape":\#(tensor.shape),"data_offsets":[\#(data.count),\#(end)]}"#)
            let scale = 1 / Float(tensor.shape.last ?? 1).squareRoot()
            for _ in 0..<count {
                let value = (random.unit() * 2 - 1) * 1.7 * (tensor.shape.count > 1 ? scale : 1)
                withUnsafeBytes(of: value) { data.append(contentsOf: $0) }
            }
        }
        return file(header: "{" + header.joined(separator: ",") + "}", data: data)
    }

    /// A file from its parts.
    static func file(header: String, data: [UInt8]) -> [UInt8] {
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8) + data
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): one seed, the same numbers everywhere.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func unit() -> Float { Float(next() >> 40) * 0x1p-24 }
}
