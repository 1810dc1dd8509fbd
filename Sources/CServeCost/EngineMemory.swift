// What an engine's memory holds besides weights and cache, and by which rule the cache gets the rest: data per engine.
import CServeCore

/// How one engine uses an accelerator's memory.
public struct EngineMemory: Hashable, Codable, Sendable {
    /// What the recipe's memory share is a share of.
    public enum Share: String, Hashable, Codable, Sendable, CaseIterable {
        /// Of all memory: weights, activations and overheads are taken from it (CServe, vLLM).
        case all
        /// Of what weights, activations and overheads leave (TensorRT-LLM).
        case free
    }

    /// What a forward pass needs besides.
    public enum Activations: Hashable, Codable, Sendable {
        /// The arena that ``ActivationPlan`` lays out.
        case arena
        /// Bytes per token of a step as a multiple of the hidden size in 16 bits, and bytes per logit of the sampler's pass;
        /// the larger of the two is needed.
        case peak(PeakActivations)
    }

    /// The engine's name: `cserve`, `vllm`, `trtllm`.
    public var name: String
    /// How matrices are packed; nil: as they are, vectors in the plain type.
    public var packing: WeightPacking?
    /// Whether quantising on load takes the embedding and the head as well.
    public var quantizesEmbedding: Bool
    /// What a forward pass needs.
    public var activations: Activations
    /// The runtime's own memory on one accelerator: context, kernels, workspaces, captured graphs.
    public var fixedBytes: Int
    /// What collectives add where several accelerators share a layer.
    public var collectiveBytes: Int
    /// What the recipe's share is of.
    public var share: Share
    /// Whether the cache takes all that is left, or what `max_num_seqs` requests can use if that is less.
    public var fillsMemory: Bool
    /// Whether coded keys and values carry a scale per position and head.
    public var cacheScales: Bool
    /// Whether sliding layers keep tokens that have left their window.
    public var keepsWholeContext: Bool
    /// Sources by field name.
    public var provenance: [String: Provenance]

    /// How an engine's profiling pass grows.
    public struct PeakActivations: Hashable, Codable, Sendable {
        /// Per token of a step, in hidden sizes of two bytes, by the number of ranks 1, 2, 4, 8 (dense models).
        public var dense: [Double]
        /// The same for mixtures of experts.
        public var mixture: [Double]
        /// Per logit of `max_num_seqs` rows.
        public var bytesPerLogit: Double
        /// At least this.
        public var floorBytes: Int

        /// Describes growth.
        public init(dense: [Double], mixture: [Double], bytesPerLogit: Double, floorBytes: Int) {
            self.dense = dense
            self.mixture = mixture
            self.bytesPerLogit = bytesPerLogit
            self.floorBytes = floorBytes
        }
    }

    /// Describes an engine.
    public init(
        name: String, packing: WeightPacking? = nil, quantizesEmbedding: Bool = false, activations: Activations,
        fixedBytes: Int = 0, collectiveBytes: Int = 0, share: Share = .all, fillsMemory: Bool = true,
        cacheScales: Bool = false, keepsWholeContext: Bool = true, provenance: [String: Provenance] = [:]
    ) {
        self.name = name
        self.packing = packing
        self.quantizesEmbedding = quantizesEmbedding
        self.activations = activations
        self.fixedBytes = fixedBytes
        self.collectiveBytes = collectiveBytes
        self.share = share
        self.fillsMemory = fillsMemory
        self.cacheScales = cacheScales
        self.keepsWholeContext = keepsWholeContext
        self.provenance = provenance
    }
}

extension EngineMemory {
    /// The memory rules of an engine on a kind of accelerator; nil for other names.
    public static func named(_ name: String, on kind: AcceleratorSpec.Kind) -> EngineMemory? {
        switch name {
        case "cserve": kind == .cpu ? cserveCPU : cserveGPU
        case "vllm": vllm
        case "trtllm": trtllm
        default: nil
        }
    }

    /// CServe on the CPU: exactly what it allocates, nothing beside it.
    public static let cserveCPU = EngineMemory(
        name: "cserve", packing: .cpu, quantizesEmbedding: true, activations: .arena, fillsMemory: false,
        cacheScales: true,
        provenance: ["*": Provenance(source: "MemoryPlan, which the engine obeys", date: "2026-11-24")])

    /// CServe on a GPU: the same plan with the same packing beside a CUDA context.
    public static let cserveGPU = EngineMemory(
        name: "cserve", packing: .cpu, quantizesEmbedding: true, activations: .arena, fixedBytes: gibibytes(0.5),
        collectiveBytes: gibibytes(0.35), cacheScales: true,
        provenance: [
            "*": Provenance(
                source: "MemoryPlan; context and collectives as measured of other engines on CUDA", date: "2026-11-24",
                isEstimate: true)
        ])

    /// vLLM (0.19).
    public static let vllm = EngineMemory(
        name: "vllm",
        activations: .peak(
            PeakActivations(
                dense: [11, 6.5, 5, 5], mixture: [22, 13, 10, 10], bytesPerLogit: 15.5, floorBytes: 70 << 20)),
        fixedBytes: gibibytes(0.68), collectiveBytes: gibibytes(1.83), keepsWholeContext: false,
        provenance: [
            "activations": Provenance(
                source: "per token: ai-dynamo/aiconfigurator memory model; per logit: llm-d planner PR #205, "
                    + "activation peaks of vLLM 0.19 on H100 (Llama 1.89 GiB, Qwen2 2.25) over 1024 rows of their vocabularies",
                date: "2026"),
            "fixed_bytes": Provenance(
                source: "llm-d planner PR #205: 0.27 GiB outside of torch; with 0.41 GiB of graphs and workspaces that "
                    + "the KV blocks of vLLM 0.19 on an RTX 4090 leave unexplained (casys-kaist/LLMServingSim)",
                date: "2026-08-20", isEstimate: true),
            "collective_bytes": Provenance(
                source: "llm-d planner PR #205: 2.10 GiB outside of torch at TP > 1, less 0.27", date: "2026"),
        ])

    /// TensorRT-LLM: the share is of what is left.
    public static let trtllm = EngineMemory(
        name: "trtllm",
        activations: .peak(
            PeakActivations(
                dense: [11, 6.5, 5, 5], mixture: [22, 13, 10, 10], bytesPerLogit: 4, floorBytes: 70 << 20)),
        fixedBytes: gibibytes(3.5), collectiveBytes: 392 << 20, share: .free,
        provenance: [
            "*": Provenance(source: "ai-dynamo/aiconfigurator memory model (TRT-LLM)", date: "2026-08-21")
        ])

    private static func gibibytes(_ value: Double) -> Int { ByteCount.gibibytes(value).bytes }
}
