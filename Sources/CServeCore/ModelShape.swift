// A model's numbers as its config.json tells them: enough to plan memory, build the forward pass and count parameters.

/// Everything about a model but its weights.
public struct ModelShape: Hashable, Codable, Sendable {
    /// The forward pass's family.
    public var family: ModelFamily
    /// Token ids that the embedding and the head know (padding included).
    public var vocabularySize: Int
    /// Numbers per token between layers.
    public var hiddenSize: Int
    /// Width of the dense feed-forward part.
    public var intermediateSize: Int
    /// Layers.
    public var layers: Int
    /// Query heads.
    public var heads: Int
    /// Key and value heads.
    public var kvHeads: Int
    /// Numbers per head; not always `hiddenSize / heads`.
    public var headDim: Int
    /// Added to the mean square in norms.
    public var normEpsilon: Double
    /// The feed-forward part's function.
    public var activation: Activation
    /// The longest context that the model was made for.
    public var maxPositionEmbeddings: Int
    /// Whether the head is the embedding.
    public var tieWordEmbeddings: Bool
    /// Rotary embedding of the full-attention layers.
    public var rope: RopeParameters
    /// Rotary embedding of the sliding layers, where it differs (Gemma 3).
    public var localRope: RopeParameters?
    /// The window of the sliding layers.
    public var slidingWindow: Int?
    /// Which layers slide.
    public var slidingLayers: [Bool]
    /// Cap of attention scores.
    public var attentionSoftcap: Double?
    /// Cap of logits.
    public var finalSoftcap: Double?
    /// What attention scores are multiplied with.
    public var attentionScale: Double
    /// What embeddings are multiplied with.
    public var embeddingScale: Double
    /// Added to every norm weight (1 in Gemma).
    public var normOffset: Double
    /// Biases on queries, keys and values.
    public var qkvBias: Bool
    /// A bias behind attention.
    public var outputBias: Bool
    /// Biases in the feed-forward part.
    public var mlpBias: Bool
    /// Norms of each query and key head.
    public var queryKeyNorm: Bool
    /// Norms behind attention and the feed-forward part as well as before them (Gemma 2 and 3).
    public var sandwichNorms: Bool
    /// The mixture of experts, if there is one.
    public var mixture: Mixture?
    /// How keys and values are squeezed into one latent, where they are.
    public var latentAttention: LatentAttention?
    /// What layers have beyond or instead of a Llama layer's parts; the families served have none of it.
    public var parts: LayerParts = LayerParts()
    /// Ids that end an answer, from config.json and generation_config.json.
    public var eosTokenIDs: [TokenID]
    /// The id that begins a text.
    public var bosTokenID: TokenID?
    /// How the checkpoint says that its weights are stored.
    public var storedType: ElementType?

    /// A mixture of experts.
    public struct Mixture: Hashable, Codable, Sendable {
        /// Experts.
        public var experts: Int
        /// Experts per token.
        public var perToken: Int
        /// Width of an expert.
        public var intermediateSize: Int
        /// Width of the expert that every token passes, or nil.
        public var sharedIntermediateSize: Int?
        /// Whether the chosen experts' weights are made to sum to one.
        public var renormalise: Bool
        /// Which layers have the mixture; the others are dense.
        public var layers: [Bool]
        /// Whether a gate weighs the shared expert.
        public var sharedIsGated: Bool = true
        /// Whether the router has a bias.
        public var routerBias: Bool = false
        /// Whether experts have biases.
        public var expertBias: Bool = false
    }

    /// Multi-head latent attention (DeepSeek-V2, arXiv:2405.04434): the cache holds one latent and one rotated key for all
    /// heads.
    public struct LatentAttention: Hashable, Codable, Sendable {
        /// Width of the latent that queries come from; nil: straight from the hidden state (`q_lora_rank`).
        public var queryRank: Int?
        /// Width of the latent of keys and values (`kv_lora_rank`).
        public var keyValueRank: Int
        /// Rotated numbers of a query and of the shared key (`qk_rope_head_dim`).
        public var rotatedDim: Int
        /// Plain numbers of a query and a key (`qk_nope_head_dim`).
        public var plainDim: Int
        /// Numbers of a value (`v_head_dim`).
        public var valueDim: Int

        /// Numbers cached per token and layer.
        public var cachedNumbers: Int { keyValueRank + rotatedDim }
    }

    /// Where a family's layers differ from Llama's.
    public struct LayerParts: Hashable, Codable, Sendable {
        /// Whether the feed-forward part has a gate.
        public var gatedFeedForward: Bool = true
        /// Whether the feed-forward part has a norm of its own (otherwise it shares attention's).
        public var feedForwardNorm: Bool = true
        /// Whether norms have biases.
        public var normBias: Bool = false
        /// Whether the head has a bias.
        public var headBias: Bool = false
        /// Rows of a table of learned positions; 0: none.
        public var learnedPositions: Int = 0
        /// Whether each query head has a sink that takes some of its attention.
        public var attentionSinks: Bool = false
        /// Whether norms of queries and keys span all heads.
        public var wideQueryKeyNorm: Bool = false

        /// Llama's layer.
        public init() {}
    }

    /// The longest context that may be asked for: rotations that stretch (dynamic, linear, YaRN) go beyond
    /// ``maxPositionEmbeddings``, which their files leave at the length of training.
    public var longestLength: Int {
        let stretched: Double
        switch rope.scaling {
        case .none, .llama3, .longrope: return maxPositionEmbeddings
        case .linear(let factor), .dynamic(let factor): stretched = Double(maxPositionEmbeddings) * factor
        case .yarn(let yarn): stretched = yarn.originalPositions * yarn.factor
        }
        return max(maxPositionEmbeddings, Int(min(stretched, Double(1 << 31))))
    }

    /// The length that `max_model_len` is held against: what was trained for where nothing is asked.
    public func lengthLimit(asked: Int?) -> Int { asked == nil ? maxPositionEmbeddings : longestLength }

    /// Whether a layer's feed-forward part is a mixture.
    public func isMixture(layer: Int) -> Bool { mixture?.layers[layer] ?? false }

    /// The window of a layer: nil sees everything before.
    public func window(layer: Int) -> Int? { slidingLayers[layer] ? slidingWindow : nil }

    /// The number of weights.
    public var parameterCount: Int {
        (try? WeightManifest(shape: self, shard: .whole(layers)))?.items.reduce(0) { $0 + $1.parameters } ?? 0
    }

    /// The number of weights that one token passes (fewer than all in a mixture).
    public var activeParameterCount: Int {
        guard let mixture else { return parameterCount }
        let width = mixture.intermediateSize
        let perExpert = 3 * hiddenSize * width + (mixture.expertBias ? 2 * width + hiddenSize : 0)
        return parameterCount
            - mixture.layers.count { $0 } * (mixture.experts - mixture.perToken) * perExpert
    }

    /// Bytes of keys and values of one token in all layers.
    public func kvBytesPerToken(_ element: ElementType) -> Int { kvBytesPerToken(CacheFormat(element)) }
}
