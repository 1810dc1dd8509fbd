// What to say when a model does not fit: the numbers, and the nearest changes that would make it fit.
import CServeCore

/// A replica that does not fit.
public enum MemoryBudgetError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Settings that no engine takes, or a division that does not work out.
    case plan(MemoryPlanError)
    /// Weights and what runs beside them leave nothing.
    case weights(model: String, needs: Int, type: String, hardware: String, has: Int, advice: [String])
    /// Not even one request of the full length has room.
    case cache(model: String, length: Int, needs: Int, room: Int, hardware: String, advice: [String])

    /// What happened, with its numbers, and what to do next.
    public var description: String {
        switch self {
        case .plan(let error): error.description
        case .weights(let model, let needs, let type, let hardware, let has, let advice):
            "\(model) needs \(ByteCount(needs)) (\(type)) but \(hardware) has \(ByteCount(has))"
                + (needs < has ? ", too little for weights and what runs beside them. " : ". ")
                + MemoryBudgetError.use(advice)
        case .cache(let model, let length, let needs, let room, let hardware, let advice):
            "One request of \(length) tokens of \(model) needs \(ByteCount(needs)) of KV cache per accelerator, but "
                + "\(hardware) has \(ByteCount(room)) left for it. " + MemoryBudgetError.use(advice)
        }
    }

    private static func use(_ advice: [String]) -> String {
        advice.isEmpty ? "Use more or larger accelerators." : "Use " + advice.joined(separator: ", or ") + "."
    }
}

/// Looks for what would fit.
struct MemoryAdvice {
    let placement: ReplicaPlacement
    let engine: EngineMemory

    func error(
        _ rank: MemoryBudget.Rank, neededBytes: Int, isWeights: Bool, searches: Bool
    ) -> MemoryBudgetError {
        let hardware = "\(placement.accelerators)x\(placement.accelerator.name.uppercased())"
        let advice = searches ? suggestions(length: !isWeights, rank: rank) : []
        if isWeights {
            return .weights(
                model: modelName, needs: totalWeights, type: placement.precision.weightName, hardware: hardware,
                has: placement.accelerators * placement.accelerator.memoryBytes, advice: advice)
        }
        return .cache(
            model: modelName, length: placement.recipe.maxModelLen ?? placement.shape.maxPositionEmbeddings,
            needs: neededBytes, room: rank.roomBytes, hardware: hardware, advice: advice)
    }

    private var modelName: String {
        let name = placement.recipe.model
        if name == Recipe.builtInModel { return "The model" }
        return name.split(separator: "/").last.map(String.init) ?? name
    }

    private var totalWeights: Int { weightBytes(placement) }

    /// Weights alone, whether they fit or not.
    private func weightBytes(_ placement: ReplicaPlacement) -> Int {
        var roomy = placement
        roomy.accelerator.memoryBytes = 1 << 50
        roomy.recipe.maxModelLen = 1
        let budget = try? MemoryReckoning(placement: roomy, engine: engine).budget(advises: false)
        return budget.map { $0.weightBytes + $0.offloadedBytes } ?? 0
    }

    private func fits(_ placement: ReplicaPlacement) -> Bool {
        (try? MemoryReckoning(placement: placement, engine: engine).budget(advises: false)) != nil
    }

    private func suggestions(length: Bool, rank: MemoryBudget.Rank) -> [String] {
        var suggestions: [String] = []
        if length, let shorter = fittingLength(rank) { suggestions.append("--max-model-len \(shorter)") }
        if let wider = wider(placement) { suggestions.append("--tensor-parallel-size \(wider.parallelism.tensor)") }
        if let quantized = quantized() {
            let name = quantized.accelerator.name.uppercased()
            let size = ByteCount(weightBytes(quantized))
            suggestions.append(
                "--quantization \(quantized.precision.weightName) (\(size) on \(quantized.accelerators)x\(name))")
        }
        return suggestions
    }

    /// The longest request that the rank has room for, in whole thousands of tokens.
    private func fittingLength(_ rank: MemoryBudget.Rank) -> Int? {
        guard rank.bytesPerBlock > 0 else { return nil }
        var candidate = rank.roomBytes / rank.bytesPerBlock * placement.recipe.blockSize / 1024 * 1024
        while candidate >= 1024 {
            var shorter = placement
            shorter.recipe.maxModelLen = candidate
            if fits(shorter) { return candidate }
            candidate = candidate / 2 / 1024 * 1024
        }
        return nil
    }

    /// The fewest ranks more that fit.
    private func wider(_ placement: ReplicaPlacement) -> ReplicaPlacement? {
        for ranks in [2, 4, 8, 16] where ranks > placement.parallelism.tensor {
            var wider = placement
            wider.parallelism.tensor = ranks
            if fits(wider) { return wider }
        }
        return nil
    }

    /// Four-bit weights on as few ranks as hold them.
    private func quantized() -> ReplicaPlacement? {
        guard case .plain = placement.precision.weights, let format = Quantization.int4.format(.qkv) else { return nil }
        var smaller = placement
        smaller.precision.weights = .quantized(format)
        smaller.parallelism.tensor = 1
        return fits(smaller) ? smaller : wider(smaller)
    }
}
