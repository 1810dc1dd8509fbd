// The operators of one stage: which matrices one rank multiplies how often, from the list that the engine packs by.
import CServeCore

/// One matrix of a stage and how many of its kind there are.
struct DenseOperator: Hashable {
    var kind: OperatorKind
    /// Output features on the rank.
    var rows: Int
    /// Input features on the rank.
    var columns: Int
    /// Matrices of this form in the stage.
    var count: Int
    var role: WeightRole
}

/// The experts of one layer's mixture on one rank.
struct MixtureOperator: Hashable {
    var mixture: ModelShape.Mixture
    var hidden: Int
    /// An expert's width on the rank.
    var width: Int
    var layers: Int
}

/// What one rank of one stage computes.
struct StagePlan {
    var stage: Int
    var shard: ModelShard
    var dense: [DenseOperator] = []
    var mixture: MixtureOperator?
    /// Attention forms with the number of layers that have them.
    var attention: [(prompt: AttentionShape, answer: AttentionShape, layers: Int)] = []
    /// Bytes that elementwise kernels move per token, and how many kernels there are.
    var elementwiseBytes: Double = 0
    var elementwiseKernels: Int = 0
    /// Bytes of the layers' weights on this rank.
    var layerBytes: Double = 0
    var reductions: Int { shard.ranks > 1 ? 2 * shard.layers.count : 0 }

    init(_ placement: ReplicaPlacement, stage: Int) throws(ParallelismError) {
        let shape: ModelShape = placement.shape
        self.stage = stage
        shard = try placement.parallelism.shard(of: shape, stage: stage, rank: 0)
        let manifest: WeightManifest = try WeightManifest(shape: shape, shard: shard)
        for item in manifest.items { take(item, placement) }
        if let mixture = shape.mixture {
            let layers: Int = shard.layers.count { shape.isMixture(layer: $0) }
            if layers > 0 {
                self.mixture = MixtureOperator(
                    mixture: mixture, hidden: shape.hiddenSize, width: mixture.intermediateSize / shard.ranks,
                    layers: layers)
            }
        }
        addAttention(placement)
        addElementwise(shape)
    }

    private mutating func take(_ item: WeightItem, _ placement: ReplicaPlacement) {
        if item.layer != nil {
            layerBytes += Double(item.bytes(WeightLayout(format: placement.format(item.role))))
        }
        guard let columns = item.columns, item.expert == nil, item.role != .embedding, item.role != .head else {
            return
        }
        let kind: OperatorKind = item.role == .router || item.role == .sharedGate ? .mixture : .dense
        let place: Int? = dense.firstIndex { $0.role == item.role && $0.rows == item.rows && $0.columns == columns }
        if let place {
            dense[place].count += 1
        } else {
            dense.append(DenseOperator(kind: kind, rows: item.rows, columns: columns, count: 1, role: item.role))
        }
    }

    private mutating func addAttention(_ placement: ReplicaPlacement) {
        for layer in shard.layers {
            let window: Int? = placement.shape.window(layer: layer)
            if let place = attention.firstIndex(where: { $0.prompt.window == window }) {
                attention[place].layers += 1
            } else {
                let forms = placement.attention(shard, window: window)
                attention.append((forms.prompt, forms.answer, 1))
            }
        }
    }

    /// Reads and writes of norms, rotary embedding, activation and residual sums, in half precision.
    private mutating func addElementwise(_ shape: ModelShape) {
        let hidden = Double(shape.hiddenSize)
        let heads = Double(shard.heads(shape).count + 2 * shard.kvHeads(shape).count) * Double(shape.headDim)
        for layer in shard.layers {
            let width: Double = Double(activationWidth(shape, layer: layer)) / Double(shard.ranks)
            // Two norms with their residual sums: read the input and the residual, write both.
            let norms: Double = (shape.sandwichNorms ? 4 : 2) * 4 * hidden
            // Rotary embedding in place and the write into the cache; activation reads two halves, writes one.
            elementwiseBytes += 2 * (norms + 3 * heads + 3 * width)
            elementwiseKernels += (shape.sandwichNorms ? 4 : 2) + (shape.queryKeyNorm ? 2 : 0) + 3
        }
    }

    private func activationWidth(_ shape: ModelShape, layer: Int) -> Int {
        guard shape.isMixture(layer: layer), let mixture = shape.mixture else { return shape.intermediateSize }
        return mixture.perToken * mixture.intermediateSize + (mixture.sharedIntermediateSize ?? 0)
    }
}

extension WeightRole {
    /// Tables that tokens look up, and the head, which works on sampled rows only.
    static let lookedUp: [WeightRole] = [.embedding, .positions, .head]
}

extension ReplicaPlacement {
    /// How a matrix is stored: what chooses experts stays plain, the embedding and the head follow the quantisation.
    func format(_ role: WeightRole) -> WeightFormat {
        guard case .quantized(let format) = precision.weights else { return precision.weights }
        let quantization: Quantization =
            switch format.code {
            case .int8: .int8
            case .int4: .int4
            case .fp8: .fp8
            }
        guard let outside = quantization.format(role) else { return .plain(precision.plain) }
        return role == .embedding || role == .head ? .quantized(outside) : precision.weights
    }

    /// How one rank's heads attend. A latent is widened to heads for prompts and attended as it is by answers
    /// (DeepSeek-V2, arXiv:2405.04434, section 2.1.2: the matrices around it absorb the widening).
    func attention(_ shard: ModelShard, window: Int?) -> (prompt: AttentionShape, answer: AttentionShape) {
        let heads: Int = shard.heads(shape).count
        let bytes = Double(precision.cache.numberBytes)
        guard let latent = shape.latentAttention else {
            let form = AttentionShape(
                heads: heads, kvHeads: shard.kvHeads(shape).count, headDim: shape.headDim, window: window,
                cacheBytes: bytes)
            return (form, form)
        }
        let prompt = AttentionShape(
            heads: heads, kvHeads: heads, headDim: latent.plainDim + latent.rotatedDim, valueDim: latent.valueDim,
            window: window, cacheBytes: bytes)
        let answer = AttentionShape(
            heads: heads, kvHeads: 1, headDim: latent.cachedNumbers, valueDim: latent.keyValueRank, window: window,
            cacheBytes: bytes, latentBytes: Double(latent.cachedNumbers) * bytes)
        return (prompt, answer)
    }
}

extension WeightFormat {
    /// Bytes per number, scales included.
    func bytesPerNumber(columns: Int) -> Double {
        switch self {
        case .plain(let element): return Double(element.size)
        case .quantized(let format):
            let scales: Double = Double(format.groups(columns: columns) * format.scale.size)
            return Double(format.code.bits) / 8 + scales * (format.hasMinimums ? 2 : 1) / Double(columns)
        }
    }
}
