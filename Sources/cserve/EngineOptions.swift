// The flags that make a recipe, named as vLLM names them.

import ArgumentParser
import CServeCore
import Foundation

/// Which model, and how the engine runs it.
struct EngineOptions: ParsableArguments {
    @Option(help: "A checkpoint folder in Hugging Face's format, a .gguf file, or cserve-demo (built in).")
    var model: String?

    @Option(help: "A recipe file (JSON or YAML with CServe's names); flags override it.", completion: .file())
    var recipe: String?

    @Option(help: "The largest prompt plus answer in tokens (default: the model's own).")
    var maxModelLen: Int?

    @Option(help: "The backend: auto, cpu, reference (slow, exact) or null (no model; for measurements).")
    var device: String?

    @Option(help: "Type of the weights: auto, bfloat16, float16, float32.")
    var dtype: String?

    @Option(name: [.customLong("kv-cache-dtype"), .customLong("cache-dtype")], help: "Type of the KV cache.")
    var kvCacheDtype: String?

    @Option(
        help: """
            Quantise the weights on load: int8 (per output feature), int4 (groups of 32; embedding and head int8), fp8 \
            (e4m3). A quantised checkpoint is served as it is; gptq, awq, compressed-tensors, fp8 or gguf may name it.
            """)
    var quantization: String?

    @Option(help: "Tokens per KV block.")
    var blockSize: Int?

    @Option(help: "Memory for the KV cache in bytes.")
    var kvCacheMemoryBytes: Int?

    @Option(
        name: [.customLong("gpu-memory-utilization"), .customLong("gpu-mem-util")],
        help: "Share of the device's memory to use when --kv-cache-memory-bytes is not given.")
    var gpuMemoryUtilization: Double?

    @Option(help: "Answers that may be generated at once.")
    var maxNumSeqs: Int?

    @Option(help: "Tokens computed in one step at most.")
    var maxNumBatchedTokens: Int?

    @Flag(inversion: .prefixedNo, help: "Reuse cached prefixes.")
    var enablePrefixCaching: Bool?

    @Flag(inversion: .prefixedNo, help: "Compute long prompts in pieces.")
    var enableChunkedPrefill: Bool?

    @Option(help: "Prompt tokens of one request computed in one step at most.")
    var chunkedPrefillSize: Int?

    @Option(help: "throughput, latency or auto.")
    var schedulingPolicy: String?

    @Option(help: "Requests that may wait; more get 429.")
    var maxNumQueuedReqs: Int?

    @Option(help: "Prompt tokens that may wait; more get 429.")
    var maxNumQueuedTokens: Int?

    @OptionGroup var speculation: SpeculationOptions

    @Option(help: "Seeds requests that bring no seed.")
    var seed: UInt64?

    @Option(name: [.long, .customShort("t")], help: "CPU threads (default: every core).")
    var threads: Int?

    @Option(name: [.customLong("tensor-parallel-size"), .customLong("tp")], help: "Ranks that share each layer.")
    var tensorParallelSize: Int?

    @Option(name: [.customLong("pipeline-parallel-size"), .customLong("pp")], help: "Stages that share the layers.")
    var pipelineParallelSize: Int?

    @Option(name: [.customLong("data-parallel-size"), .customLong("dp")], help: "Copies of the model.")
    var dataParallelSize: Int?

    /// The recipe: the file's, or else a given one, with flags laid over it.
    func resolved(over given: Recipe? = nil) throws -> Recipe {
        var recipe: Recipe = try self.recipe.map { try RecipeFile.read($0) } ?? given ?? Recipe()
        model.map { recipe.model = $0 }
        maxModelLen.map { recipe.maxModelLen = $0 }
        overlayTypes(&recipe)
        overlayBatching(&recipe)
        overlayParallelism(&recipe)
        try speculation.overlay(&recipe)
        return recipe
    }

    private func overlayTypes(_ recipe: inout Recipe) {
        device.map { recipe.device = $0 }
        dtype.map { recipe.dtype = $0 }
        kvCacheDtype.map { recipe.cacheDtype = $0 }
        quantization.map { recipe.quantization = $0 }
        blockSize.map { recipe.blockSize = $0 }
        kvCacheMemoryBytes.map { recipe.kvCacheMemoryBytes = $0 }
        gpuMemoryUtilization.map { recipe.gpuMemUtil = $0 }
    }

    private func overlayBatching(_ recipe: inout Recipe) {
        maxNumSeqs.map { recipe.maxNumSeqs = $0 }
        maxNumBatchedTokens.map { recipe.maxNumBatchedTokens = $0 }
        enablePrefixCaching.map { recipe.usePrefixCaching = $0 }
        enableChunkedPrefill.map { recipe.useChunkedPrefill = $0 }
        chunkedPrefillSize.map { recipe.chunkedPrefillSize = $0 }
        schedulingPolicy.map { recipe.schedulingPolicy = $0 }
        maxNumQueuedReqs.map { recipe.maxNumQueuedReqs = $0 }
        maxNumQueuedTokens.map { recipe.maxNumQueuedTokens = $0 }
        seed.map { recipe.seed = $0 }
    }

    private func overlayParallelism(_ recipe: inout Recipe) {
        threads.map { recipe.threads = $0 }
        tensorParallelSize.map { recipe.tensorParallelSize = $0 }
        pipelineParallelSize.map { recipe.pipelineParallelSize = $0 }
        dataParallelSize.map { recipe.dataParallelSize = $0 }
    }
}

/// What requests are answered with, besides the model.
struct TextOptions: ParsableArguments {
    @Option(help: "A Jinja file that replaces the model's chat template.", completion: .file())
    var chatTemplate: String?

    @Option(help: "Sampling defaults: auto (the model's generation_config.json) or vllm (the API's).")
    var generationConfig: String = "auto"

    func validate() throws {
        guard generationConfig == "auto" || generationConfig == "vllm" else {
            throw ValidationError("--generation-config is \(generationConfig). Choose auto or vllm.")
        }
    }
}

/// How much is logged, and how.
struct LogOptions: ParsableArguments {
    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel: String = "info"

    @Flag(help: "Log one JSON object per line.")
    var logJson: Bool = false
}
