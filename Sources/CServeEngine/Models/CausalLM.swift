// What a model family is: the names of its tensors, and the story of one layer. A new family is one file and one row.

import CServeCore

/// A family of causal language models.
protocol CausalLM: Sendable {
    /// The family for a model's numbers.
    init(_ shape: ModelShape)

    /// The model's numbers.
    var shape: ModelShape { get }

    /// Where a weight of the whole model comes from: spellings to try in order, each a list of parts from top to bottom.
    func tensors(_ role: WeightRole, layer: Int, expert: Int) -> [[TensorPart]]

    /// One layer: from the residual stream to the residual stream.
    func forward<B: Backend>(_ pass: LayerPass<B>)
}

/// Consecutive rows of a stored tensor.
struct TensorPart: Hashable {
    /// The tensor's name.
    var name: String
    /// The tensor's whole shape.
    var shape: [Int]
    /// The first row, with all sizes but the last taken as rows.
    var firstRow: Int
    /// Rows.
    var rows: Int

    /// A matrix, all of it.
    static func matrix(_ name: String, _ rows: Int, _ columns: Int) -> TensorPart {
        TensorPart(name: name, shape: [rows, columns], firstRow: 0, rows: rows)
    }

    /// A vector, all of it.
    static func vector(_ name: String, _ count: Int) -> TensorPart {
        TensorPart(name: name, shape: [count], firstRow: 0, rows: count)
    }

    /// The vector that is added to this matrix's outputs.
    var biasName: String { name.hasSuffix(".weight") ? String(name.dropLast(7)) + ".bias" : name + ".bias" }
}

/// The table of families.
enum ModelTable {
    /// The family's model; ``Checkpoint/shape()`` refuses families without one.
    static func model(_ shape: ModelShape) -> any CausalLM {
        switch shape.family {
        case .llama: Llama(shape)
        case .mistral: Mistral(shape)
        case .mixtral: Mixtral(shape)
        case .gemma: Gemma(shape)
        case .gemma2: Gemma2(shape)
        case .gemma3: Gemma3(shape)
        case .qwen2: Qwen2(shape)
        case .qwen3: Qwen3(shape)
        case .qwen2Moe, .qwen3Moe: QwenMoE(shape)
        case .phi3: Phi3(shape)
        case .deepseekV2, .deepseekV3, .gptOss, .minimaxM2, .gptj, .falcon, .opt, .phi:
            preconditionFailure("\(shape.family) is planned, not served")
        }
    }

    /// The name that a model asks for, of a name in a checkpoint; nil where the tensor is none of the language model's.
    static func canonical(_ name: String, _ shape: ModelShape) -> String? {
        if name.hasSuffix("rotary_emb.inv_freq") { return nil }
        if shape.tieWordEmbeddings && name.hasSuffix("lm_head.weight") { return nil }
        guard shape.family == .gemma3 else { return name }
        for other in ["vision_tower.", "multi_modal_projector."] {
            if name.hasPrefix(other) || name.hasPrefix("model." + other) { return nil }
        }
        if name.hasPrefix("language_model.") { return String(name.dropFirst("language_model.".count)) }
        let nested = "model.language_model."
        return name.hasPrefix(nested) ? "model." + name.dropFirst(nested.count) : name
    }
}
