// The engine's settings, with CServe's public recipe names: what a plan carries and `cserve serve` runs.

/// How one engine is to be run: the settings that change its speed and memory, not its answers' meaning.
///
/// JSON and YAML use the public names (``CodingKeys``); absent fields keep their defaults.
public struct Recipe: Hashable, Codable, Sendable {
    /// A checkpoint directory, or the built-in model's name.
    public var model: String = Recipe.builtInModel
    /// Ranks that share each layer.
    public var tensorParallelSize: Int = 1
    /// Stages that share the layers.
    public var pipelineParallelSize: Int = 1
    /// Copies of the model.
    public var dataParallelSize: Int = 1
    /// Tokens per KV block.
    public var blockSize: Int = 16
    /// Share of the device's memory that the engine may use, when ``kvCacheMemoryBytes`` is not given.
    public var gpuMemUtil: Double = 0.9
    /// Memory for the KV cache; nil derives it from ``gpuMemUtil`` or, on CPU, from the model and `max_num_seqs`.
    public var kvCacheMemoryBytes: Int?
    /// Branches that may run at once.
    public var maxNumSeqs: Int = 128
    /// Tokens computed in one step at most.
    public var maxNumBatchedTokens: Int = 2048
    /// Whether a prompt may be computed in pieces.
    public var useChunkedPrefill: Bool = true
    /// Prompt tokens of one request computed in one step at most; nil is ``maxNumBatchedTokens``.
    public var chunkedPrefillSize: Int?
    /// Whether cached prefixes are reused.
    public var usePrefixCaching: Bool = true
    /// The largest prompt plus answer; nil takes the model's own.
    public var maxModelLen: Int?
    /// How weights and arithmetic are typed: `auto` (the checkpoint's), `bfloat16`, `float16`, `float32`.
    public var dtype: String = "auto"
    /// How the KV cache is typed: `auto` (as the weights), `bfloat16`, `float16`, `float32`,
    /// `fp8` (or `fp8_e4m3`), `int8`.
    public var cacheDtype: String = "auto"
    /// Weight quantisation on load; nil keeps the checkpoint's.
    public var quantization: String?
    /// The scheduling policy: `throughput`, `latency` or `auto`.
    public var schedulingPolicy: String = "auto"
    /// Requests that may wait; more are refused with 429.
    public var maxNumQueuedReqs: Int = 1024
    /// Prompt tokens that may wait; more are refused with 429.
    public var maxNumQueuedTokens: Int = 1_048_576
    /// Seeds requests that bring no seed of their own.
    public var seed: UInt64 = 0
    /// Layers whose weights live on the host and stream in.
    public var offloadingNum: Double = 0
    /// Which backend runs the model: `auto`, `cpu`, `cuda`, `reference`, `null`.
    public var device: String = "auto"
    /// CPU threads of the backend; nil uses every core.
    public var threads: Int?

    /// The name of the model inside the binary.
    public static let builtInModel = "cserve-demo"

    /// The default recipe: the built-in model.
    public init() {}

    /// The public names.
    public enum CodingKeys: String, CodingKey, CaseIterable {
        case model
        case tensorParallelSize = "tensor_parallel_size"
        case pipelineParallelSize = "pipeline_parallel_size"
        case dataParallelSize = "data_parallel_size"
        case blockSize = "block_size"
        case gpuMemUtil = "gpu_mem_util"
        case kvCacheMemoryBytes = "kv_cache_memory_bytes"
        case maxNumSeqs = "max_num_seqs"
        case maxNumBatchedTokens = "max_num_batched_tokens"
        case useChunkedPrefill = "use_chunked_prefill"
        case chunkedPrefillSize = "chunked_prefill_size"
        case usePrefixCaching = "use_prefix_caching"
        case maxModelLen = "max_model_len"
        case dtype
        case cacheDtype = "cache_dtype"
        case quantization
        case schedulingPolicy = "scheduling_policy"
        case maxNumQueuedReqs = "max_num_queued_reqs"
        case maxNumQueuedTokens = "max_num_queued_tokens"
        case seed
        case offloadingNum = "offloading_num"
        case device
        case threads
    }
}
