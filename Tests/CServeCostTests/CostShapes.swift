// Shapes and accelerators that the cost model's tests share.
import CServeCore
import CServeCost

enum CostShapes {
    /// Llama-3.1-8B's config.json (public).
    static let llama8B: String = """
        {"architectures": ["LlamaForCausalLM"], "hidden_size": 4096, "intermediate_size": 14336,
         "num_attention_heads": 32, "num_key_value_heads": 8, "num_hidden_layers": 32, "vocab_size": 128256,
         "max_position_embeddings": 131072, "rope_theta": 500000.0, "torch_dtype": "bfloat16"}
        """

    static func shape(_ config: String = llama8B) throws -> ModelShape {
        try ModelShape.parse(config: Array(config.utf8))
    }

    /// NVIDIA's A100 SXM 80 GB data sheet.
    static func a100() -> AcceleratorSpec {
        AcceleratorSpec(
            name: "a100-80", title: "NVIDIA A100 80 GB", architecture: "ampere", computeCapability: "8.0",
            memoryBytes: 80_000_000_000, memoryBandwidth: 2.039e12,
            peaks: [.float32: 19.5e12, .float16: 312e12, .bfloat16: 312e12, .int8: 624e12], l2Bytes: 40_000_000,
            processors: 108, hostLink: Link(latency: 1e-5, bandwidth: 25e9))
    }

    /// NVIDIA's L4 data sheet.
    static func l4() -> AcceleratorSpec {
        AcceleratorSpec(
            name: "l4", title: "NVIDIA L4", architecture: "ada", computeCapability: "8.9",
            memoryBytes: 24_000_000_000, memoryBandwidth: 300e9,
            peaks: [.float32: 30.3e12, .float16: 121e12, .bfloat16: 121e12, .fp8: 242e12], l2Bytes: 48_000_000,
            processors: 58, hostLink: Link(latency: 1e-5, bandwidth: 25e9))
    }

    static func node(_ accelerator: AcceleratorSpec, count: Int = 8, bandwidth: Double = 300e9) -> NodeSpec {
        NodeSpec(
            provider: "generic", name: "node", accelerator: accelerator.name, count: count,
            interconnect: Interconnect(
                kind: bandwidth > 100e9 ? .nvswitch : .pcieHost, link: Link(latency: 5e-6, bandwidth: bandwidth)))
    }

    static func placement(
        _ accelerator: AcceleratorSpec = a100(), _ parallelism: Parallelism = Parallelism(), config: String = llama8B,
        offloadedShare: Double = 0, bandwidth: Double = 300e9
    ) throws -> ReplicaPlacement {
        var recipe = Recipe()
        recipe.maxNumSeqs = 256
        return ReplicaPlacement(
            shape: try shape(config), precision: ModelPrecision(.bfloat16), parallelism: parallelism,
            accelerator: accelerator, node: node(accelerator, bandwidth: bandwidth), recipe: recipe,
            offloadedShare: offloadedShare)
    }

    static let engine = EngineProfile(name: "test", version: "1")

    static func decodes(_ count: Int, context: Int) -> StepComposition {
        var step = StepComposition()
        for _ in 0..<count { step.addDecode(context: context) }
        return step
    }

    static func prompt(_ tokens: Int, context: Int = 0) -> StepComposition {
        var step = StepComposition()
        step.addPrefill(tokens: tokens, context: context, samples: true)
        return step
    }
}
