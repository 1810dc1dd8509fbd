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
    var shard: ModelShard
    var dense: [DenseOperator] = []
    var mixture: MixtureOperator?
    /// Attention forms with the number of layers that have them.
    var attention: [(shape: AttentionShape, layers: Int)] = []
    /// Bytes that elementwise kernels move per token, and how many kernels there are.
    var elementwiseBytes: Double = 0
    var elementwiseKernels: Int = 0
    /// Bytes of the layers' weights on this rank.
    var layerBytes: Double = 0
    var reductions: Int { shard.ranks > 1 ? 2 * shard.layers.count : 0 }

    init(_ placement: ReplicaPlacement, stage: Int) throws(ParallelismError) {
        let shape: ModelShape = placement.shape
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
        let shape: ModelShape = placement.shape
        for layer in shard.layers {
            let form = AttentionShape(
                heads: shard.heads(shape).count, kvHeads: shard.kvHeads(shape).count, headDim: shape.headDim,
                window: shape.window(layer: layer), cacheBytes: Double(placement.precision.cache.numberBytes))
            if let place = attention.firstIndex(where: { $0.shape == form }) {
                attention[place].layers += 1
            } else {
                attention.append((form, 1))
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
        guard let outside = quantization.format(role) else { return .plain(plainElement) }
        return role == .embedding || role == .head ? .quantized(outside) : precision.weights
    }

    private var plainElement: ElementType {
        switch precision.arithmetic {
        case .float32: .float32
        case .float16: .float16
        case .bfloat16, .fp8, .int8: .bfloat16
        }
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
