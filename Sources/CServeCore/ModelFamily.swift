// The model families that CServe knows, by the architecture names that checkpoints carry: most are served, some only planned.

/// A family of models that share one forward pass.
public enum ModelFamily: String, Hashable, Codable, Sendable, CaseIterable {
    /// Llama 1, 2, 3.x, Code Llama, and models of their architecture.
    case llama
    /// Mistral 7B and Nemo: Llama with a sliding window.
    case mistral
    /// Mixtral: Mistral with a mixture of experts.
    case mixtral
    /// Gemma 1.
    case gemma
    /// Gemma 2: sandwich norms, softcaps, alternating windows.
    case gemma2
    /// Gemma 3 (text): query and key norms, five local layers to one global.
    case gemma3
    /// Qwen 2 and 2.5: biases on queries, keys and values.
    case qwen2
    /// Qwen 3: query and key norms.
    case qwen3
    /// Qwen 1.5/2 mixture with a shared expert.
    case qwen2Moe = "qwen2_moe"
    /// Qwen 3 mixture.
    case qwen3Moe = "qwen3_moe"
    /// Phi-3, 3.5 and 4-mini: fused projections, longrope.
    case phi3
    /// DeepSeek V2: latent attention, a mixture with shared experts behind dense layers. Planned, not served.
    case deepseekV2 = "deepseek_v2"
    /// DeepSeek V3 and R1, Kimi K2: the same with a bias in the choice of experts. Planned, not served.
    case deepseekV3 = "deepseek_v3"
    /// gpt-oss: a mixture with biases, attention sinks, alternating windows. Planned, not served.
    case gptOss = "gpt_oss"
    /// MiniMax M2: a mixture, norms over all heads' queries and keys. Planned, not served.
    case minimaxM2 = "minimax_m2"
    /// GPT-J: one norm before attention and feed-forward side by side. Planned, not served.
    case gptj
    /// Falcon: the same with few key-value heads. Planned, not served.
    case falcon
    /// OPT: learned positions. Planned, not served.
    case opt
    /// Phi-1.5 and 2: GPT-J's layout with biases. Planned, not served.
    case phi

    /// The names in `architectures` of config.json.
    public var architectures: [String] {
        switch self {
        case .llama: ["LlamaForCausalLM", "LLaMAForCausalLM"]
        case .mistral: ["MistralForCausalLM"]
        case .mixtral: ["MixtralForCausalLM"]
        case .gemma: ["GemmaForCausalLM"]
        case .gemma2: ["Gemma2ForCausalLM"]
        case .gemma3: ["Gemma3ForCausalLM", "Gemma3ForConditionalGeneration"]
        case .qwen2: ["Qwen2ForCausalLM"]
        case .qwen3: ["Qwen3ForCausalLM"]
        case .qwen2Moe: ["Qwen2MoeForCausalLM"]
        case .qwen3Moe: ["Qwen3MoeForCausalLM"]
        case .phi3: ["Phi3ForCausalLM"]
        case .deepseekV2: ["DeepseekV2ForCausalLM"]
        case .deepseekV3: ["DeepseekV3ForCausalLM", "KimiK25ForConditionalGeneration"]
        case .gptOss: ["GptOssForCausalLM"]
        case .minimaxM2: ["MiniMaxM2ForCausalLM"]
        case .gptj: ["GPTJForCausalLM"]
        case .falcon: ["FalconForCausalLM"]
        case .opt: ["OPTForCausalLM"]
        case .phi: ["PhiForCausalLM"]
        }
    }

    /// Whether the engine has the forward pass; planning knows the shapes of the others too.
    public var isServed: Bool {
        switch self {
        case .llama, .mistral, .mixtral, .gemma, .gemma2, .gemma3, .qwen2, .qwen3, .qwen2Moe, .qwen3Moe, .phi3: true
        case .deepseekV2, .deepseekV3, .gptOss, .minimaxM2, .gptj, .falcon, .opt, .phi: false
        }
    }

    /// The families that the engine serves.
    public static let served: [ModelFamily] = allCases.filter(\.isServed)

    /// The family of an architecture name, or nil.
    public init?(architecture: String) {
        guard let family = ModelFamily.allCases.first(where: { $0.architectures.contains(architecture) }) else {
            return nil
        }
        self = family
    }

    /// Every architecture name that can be served.
    public static var supportedArchitectures: [String] { served.flatMap(\.architectures) }

    /// Every architecture name whose shape is known.
    public static var knownArchitectures: [String] { allCases.flatMap(\.architectures) }

    /// What transformers assumes where config.json says nothing.
    var defaults: FamilyDefaults {
        switch self {
        case .llama: FamilyDefaults(maxPositions: 2048, epsilon: 1e-6)
        case .mistral: FamilyDefaults(kvHeads: 8, maxPositions: 131_072, epsilon: 1e-6, slidingWindow: 4096)
        case .mixtral: FamilyDefaults(kvHeads: 8, maxPositions: 131_072, epsilon: 1e-5, theta: 1e6)
        case .gemma: FamilyDefaults(kvHeads: 16, headDim: 256, maxPositions: 8192, epsilon: 1e-6, tied: true)
        case .gemma2:
            FamilyDefaults(
                kvHeads: 4, headDim: 256, maxPositions: 8192, epsilon: 1e-6, tied: true, slidingWindow: 4096,
                attentionSoftcap: 50, finalSoftcap: 30)
        case .gemma3:
            FamilyDefaults(
                heads: 8, vocabularySize: 262_208, kvHeads: 4, headDim: 256, maxPositions: 131_072, epsilon: 1e-6,
                theta: 1e6, tied: true, slidingWindow: 4096)
        case .qwen2: FamilyDefaults(kvHeads: 32, maxPositions: 32768, epsilon: 1e-6, slidingWindow: 4096)
        case .qwen3: FamilyDefaults(kvHeads: 32, headDim: 128, maxPositions: 32768, epsilon: 1e-6, slidingWindow: 4096)
        case .qwen2Moe: FamilyDefaults(kvHeads: 16, maxPositions: 32768, epsilon: 1e-6, slidingWindow: 4096)
        case .qwen3Moe: FamilyDefaults(kvHeads: 4, maxPositions: 32768, epsilon: 1e-6, slidingWindow: 4096)
        case .phi3: FamilyDefaults(maxPositions: 4096, epsilon: 1e-5)
        case .deepseekV2, .deepseekV3: FamilyDefaults(maxPositions: 4096, epsilon: 1e-6)
        case .gptOss:
            FamilyDefaults(
                kvHeads: 8, headDim: 64, maxPositions: 131_072, epsilon: 1e-5, theta: 150_000, slidingWindow: 128)
        case .minimaxM2: FamilyDefaults(kvHeads: 8, headDim: 128, maxPositions: 196_608, epsilon: 1e-6)
        case .gptj: FamilyDefaults(vocabularySize: 50400, maxPositions: 2048, epsilon: 1e-5)
        case .falcon: FamilyDefaults(vocabularySize: 65024, maxPositions: 2048, epsilon: 1e-5)
        case .opt: FamilyDefaults(vocabularySize: 50272, maxPositions: 2048, epsilon: 1e-5, tied: true)
        case .phi: FamilyDefaults(vocabularySize: 51200, maxPositions: 2048, epsilon: 1e-5)
        }
    }

    /// Whether norms multiply by `1 + weight` and embeddings by `sqrt(hidden)`.
    var isGemma: Bool { self == .gemma || self == .gemma2 || self == .gemma3 }

    /// Whether queries and keys pass norms.
    var hasQueryKeyNorm: Bool { [.qwen3, .qwen3Moe, .gemma3, .minimaxM2].contains(self) }
}

/// The defaults of transformers' configuration classes (5.x); nil means derived (`kvHeads` from heads, `headDim` from
/// the hidden size).
struct FamilyDefaults {
    /// Only Gemma 3's published files leave these two out (4B, 12B and 27B), and old ones the vocabulary; elsewhere they
    /// must be given.
    var heads: Int?
    var vocabularySize: Int?
    var kvHeads: Int?
    var headDim: Int?
    var maxPositions: Int
    var epsilon: Double
    var theta: Double = 10_000
    var tied: Bool = false
    var slidingWindow: Int?
    var attentionSoftcap: Double?
    var finalSoftcap: Double?
}
