// Packs a checkpoint's tensors straight into their planned places, checking every name and shape on the way.

import CServeCore

/// How far loading has come.
public struct LoadProgress: Hashable, Sendable {
    /// Packed bytes.
    public var bytes: Int
    /// Bytes in all.
    public var totalBytes: Int
}

/// Fills a shard's packed weights from a checkpoint.
struct WeightLoader<B: Backend> {
    let backend: B
    let model: any CausalLM
    let shard: ModelShard
    let layouts: WeightLayouts
    let tensors: [String: StoredTensor]

    /// - Throws: ``CheckpointError`` when the checkpoint does not hold exactly what the whole model needs.
    init(
        backend: B, model: any CausalLM, shard: ModelShard, layouts: WeightLayouts, checkpoint: Checkpoint
    ) throws {
        self.backend = backend
        self.model = model
        self.shard = shard
        self.layouts = layouts
        tensors = try TensorCheck(model: model).check(checkpoint)
    }

    /// Packs everything. Pages of the checkpoint are given back behind the packing.
    func load(progress: ((LoadProgress) -> Void)?) throws -> WeightStore<B> {
        let manifest = try WeightManifest(shape: model.shape, shard: shard)
        let total = manifest.items.reduce(0) { $0 + $1.bytes(layouts[$1]) }
        let memory = try backend.allocate("The weights", bytes: total)
        var layers = Array(repeating: LayerWeights<B>(), count: shard.layers.count)
        var outside = LayerWeights<B>()
        var offset = 0
        for item in manifest.items {
            if let layer = item.layer {
                try pack(item, into: &layers[layer - shard.layers.lowerBound], memory, at: offset)
            } else {
                try pack(item, into: &outside, memory, at: offset)
            }
            offset += item.bytes(layouts[item])
            progress?(LoadProgress(bytes: offset, totalBytes: total))
        }
        return WeightStore(layers: layers, firstLayer: shard.layers.lowerBound, outside: outside, memory: memory)
    }

    private func pack(
        _ item: WeightItem, into weights: inout LayerWeights<B>, _ memory: B.Memory, at offset: Int
    ) throws {
        let parts = try TensorCheck(model: model).parts(item, in: tensors)
        guard item.columns != nil else {
            let norm = try values(parts[0].name).map { $0 + Float(model.shape.normOffset) }
            weights.set(backend.upload(norm, into: memory, at: offset), item.role)
            return
        }
        let matrix = try source(item, parts)
        let packed = try backend.pack(matrix, layout: layouts[item], into: memory, at: offset)
        if item.expert != nil {
            weights.appendExpert(packed, item.role)
        } else {
            weights.set(packed, item.role)
        }
        for case .plain(let rows) in matrix.parts { drop(rows, parts) }
        for case .coded(let rows) in matrix.parts { rows.matrix.releasePages() }
        for part in parts { tensors[part.name]?.dequantized?.release() }
    }

    private func drop(_ part: MatrixSource.PlainRows, _ parts: [TensorPart]) {
        guard
            let mapping = parts.compactMap({ tensors[$0.name]?.mapping }).first(where: { file in
                guard let base = file.bytes.baseAddress else { return false }
                return part.base >= base && part.base < base + file.bytes.count
            })
        else { return }
        mapping.drop(part.base, count: max(0, part.rows - 1) * part.rowStride * part.element.size)
    }

    /// This rank's slice of a weight, in place.
    private func source(_ item: WeightItem, _ parts: [TensorPart]) throws -> MatrixSource {
        let columns = columnRange(item.role, full: parts[0].shape.last ?? 0)
        var source = MatrixSource(parts: [], columns: columns.count, bias: item.hasBias ? [] : nil)
        for (index, part) in parts.enumerated() {
            let rows = rowRange(item.role, part: index, full: part.rows)
            source.parts += try slice(part, rows: rows, columns: columns)
            guard item.hasBias else { continue }
            let bias = try values(part.biasName)[(part.firstRow + rows.lowerBound)..<(part.firstRow + rows.upperBound)]
            // A bias behind a sum over ranks is added by one of them.
            let isSummed = item.role == .output || item.role == .down
            source.bias? += isSummed && shard.rank > 0 ? bias.map { _ in 0 } : Array(bias)
        }
        return source
    }

    /// The files that were searched, for messages.
    private var files: [String] { Set(tensors.values.map(\.file)).sorted() }

    private func slice(_ part: TensorPart, rows: Range<Int>, columns: Range<Int>) throws -> [MatrixSource.Part] {
        guard let tensor = tensors[part.name] else {
            throw CheckpointError.missingTensors([part.name], files: files)
        }
        let first = part.firstRow + rows.lowerBound
        if let coded = tensor.coded {
            return [.coded(CodedSlice(coded, rows: first..<(first + rows.count), columns: columns))]
        }
        guard let element = tensor.element, let base = tensor.numbers.baseAddress else {
            throw CheckpointError.missingTensors([part.name], files: files)
        }
        let stride = part.shape.last ?? 0
        let numbers = base + columns.lowerBound * element.size
        return tensor.order.runs(first..<(first + rows.count)).map { run in
            .plain(
                MatrixSource.PlainRows(
                    base: numbers + run.first * stride * element.size, element: element, rows: run.count,
                    rowStride: run.step * stride))
        }
    }

    private func values(_ name: String) throws -> [Float] {
        guard let tensor = tensors[name], let element = tensor.element, let base = tensor.numbers.baseAddress else {
            throw CheckpointError.missingTensors([name], files: files)
        }
        let count = tensor.shape.reduce(1, *)
        let stored = [Float](unsafeUninitializedCapacity: count) { buffer, filled in
            ElementConversion.toFloat(base, element, count: count, into: buffer.baseAddress!)
            filled = count
        }
        return tensor.order == .plain ? stored : stored.indices.map { stored[tensor.order.stored($0)] }
    }

    /// The rows of a part that this rank holds.
    private func rowRange(_ role: WeightRole, part: Int, full: Int) -> Range<Int> {
        let shape = model.shape
        switch role {
        case .embedding, .head: return shard.vocabulary(shape)
        case .qkv:
            let heads = part == 0 ? shard.heads(shape) : shard.kvHeads(shape)
            return (heads.lowerBound * shape.headDim)..<(heads.upperBound * shape.headDim)
        case .gateUp, .expertGateUp, .sharedGateUp: return shard.part(of: full)
        default: return 0..<full
        }
    }

    /// The columns that this rank holds: all but behind a split.
    private func columnRange(_ role: WeightRole, full: Int) -> Range<Int> {
        role.isSplitByColumns ? shard.part(of: full) : 0..<full
    }
}
