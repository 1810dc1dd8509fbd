// How a checkpoint stores its matrices, place by place: what a recipe's types and quantisation are laid over.

import CServeCore

/// How a checkpoint stores its matrices.
public struct StoredFormats: Hashable, Sendable {
    /// The type of plain matrices; f32 where they differ.
    public var element: ElementType
    /// Matrices that are stored as codes, with the narrowest format that holds all of their parts.
    public var coded: [WeightLayouts.Place: QuantizedFormat]
    /// The name of the method that quantised it (gptq, awq, compressed-tensors, fp8, gguf), or nil.
    public var method: String?

    /// Describes a checkpoint; a plain one is an element type.
    public init(
        element: ElementType, coded: [WeightLayouts.Place: QuantizedFormat] = [:], method: String? = nil
    ) {
        self.element = element
        self.coded = coded
        self.method = method
    }
}

extension Checkpoint {
    /// How the matrices are stored, cut for a number of ranks.
    ///
    /// A matrix keeps its codes where all of its parts are codes and one format holds them; a mixture's experts of one
    /// layer take one format.
    /// - Throws: ``CheckpointError`` when the checkpoint does not hold what the model needs, or ``ModelShapeError``.
    public func storedFormats(ranks: Int = 1) throws -> StoredFormats {
        var stored = StoredFormats(element: storedElement(), method: quantization)
        guard tensors.values.contains(where: { $0.coded != nil }) else { return stored }
        let model = ModelTable.model(try shape())
        let tensors = try TensorCheck(model: model).check(self)
        let manifest = try WeightManifest(shape: model.shape, shard: .whole(model.shape.layers))
        var common: [WeightLayouts.Place: QuantizedFormat?] = [:]
        for item in manifest.items where item.columns != nil {
            let place = WeightLayouts.Place(item.role, layer: item.layer)
            for part in try TensorCheck(model: model).parts(item, in: tensors) {
                let format = tensors[part.name]?.coded?.format.cut(item.role, part.shape.last ?? 0, ranks: ranks)
                guard let before = common[place] else {
                    common[place] = .some(format)
                    continue
                }
                common[place] = .some(before.flatMap { known in format.flatMap { known.holding($0) } })
            }
        }
        stored.coded = common.compactMapValues(\.self)
        // A stage that has only a tied head packs the embedding there.
        if model.shape.tieWordEmbeddings {
            stored.coded[WeightLayouts.Place(.head)] = stored.coded[WeightLayouts.Place(.embedding)]
        }
        return stored
    }
}

extension QuantizedFormat {
    /// The format that holds every rank's columns; nil where groups do not begin where a rank does.
    fileprivate func cut(_ role: WeightRole, _ columns: Int, ranks: Int) -> QuantizedFormat? {
        guard role.isSplitByColumns else { return self }
        return (1..<max(ranks, 2)).reduce(self) { format, rank in
            ranks == 1 ? format : format?.sliced(at: rank * (columns / ranks))
        }
    }
}

extension WeightRole {
    /// Whether ranks hold columns of it, not rows: behind a product that is split by rows.
    var isSplitByColumns: Bool {
        switch self {
        case .output, .down, .expertDown, .sharedDown: true
        default: false
        }
    }
}
