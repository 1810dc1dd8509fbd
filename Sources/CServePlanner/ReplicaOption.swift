// One way to run one copy of the model, before it is known whether it fits.
import CServeCore
import CServeCost

/// A copy of the model on hardware, with settings.
struct ReplicaOption: Sendable {
    /// Where the copy lies, and its settings; its types are settled later.
    var placement: ReplicaPlacement
    /// Accelerators that must share a node.
    var perNode: Int
    /// The machines of one copy; nil: nobody rents them out.
    var rental: Rental?

    var parallelism: Parallelism { placement.parallelism }
    var accelerators: Int { placement.accelerators }

    /// Options of one family have the same hardware, division and types; only limits and policies differ.
    var family: String {
        let recipe: Recipe = placement.recipe
        return "\(placement.accelerator.name) \(placement.node.provider) \(placement.node.name) "
            + "\(parallelism.tensor) \(parallelism.pipeline) \(recipe.quantization ?? "") \(recipe.dtype) "
            + "\(recipe.cacheDtype) \(placement.offloadedShare)"
    }

    /// Its name with so many copies, unique within a search: what differs from the defaults is named.
    func name(replicas: Int = 1) -> String {
        let recipe: Recipe = placement.recipe
        var words: [String] = ["\(accelerators * replicas)x\(placement.accelerator.name)"]
        if parallelism.tensor > 1 { words.append("tp\(parallelism.tensor)") }
        if parallelism.pipeline > 1 { words.append("pp\(parallelism.pipeline)") }
        if replicas > 1 { words.append("dp\(replicas)") }
        if let quantization = recipe.quantization { words.append(quantization) }
        if recipe.dtype != "auto" { words.append(recipe.dtype) }
        if recipe.cacheDtype != "auto" { words.append("kv-\(recipe.cacheDtype)") }
        words.append("s\(recipe.maxNumSeqs)")
        words.append("b\(recipe.maxNumBatchedTokens)")
        if let chunk = recipe.chunkedPrefillSize { words.append("chunk\(chunk)") }
        if recipe.schedulingPolicy != "auto" { words.append(recipe.schedulingPolicy) }
        if !recipe.usePrefixCaching { words.append("no-prefix-cache") }
        if placement.offloadedShare > 0 { words.append("stream\(Int((placement.offloadedShare * 100).rounded()))%") }
        if placement.node.interconnect.kind != .none { words.append(placement.node.interconnect.kind.rawValue) }
        return words.joined(separator: " ")
    }
}
