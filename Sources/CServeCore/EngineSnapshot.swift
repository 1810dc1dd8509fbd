// An engine's gauges and counters at one moment: what `/metrics`, health checks and the dashboard read.

/// The state of an engine at one moment. Counters only grow.
public struct EngineSnapshot: Hashable, Codable, Sendable {
    /// Branches in the running batch.
    public var running: Int = 0
    /// Requests waiting for admission.
    public var waiting: Int = 0
    /// Prompt tokens of the waiting requests.
    public var waitingTokens: Int = 0
    /// KV blocks in all.
    public var totalBlocks: Int = 0
    /// KV blocks that are free or hold only reusable prefixes.
    public var freeBlocks: Int = 0
    /// Tokens per KV block.
    public var blockSize: Int = 0
    /// Tokens looked up in the prefix cache, of admitted requests.
    public var prefixCacheQueries: Int = 0
    /// Tokens found there.
    public var prefixCacheHits: Int = 0
    /// Requests preempted.
    public var preemptions: Int = 0
    /// Prompt tokens computed or found in the cache, of admitted requests.
    public var promptTokens: Int = 0
    /// Tokens generated.
    public var generationTokens: Int = 0
    /// Steps run.
    public var steps: Int = 0
    /// Steps that failed.
    public var failedSteps: Int = 0
    /// The time of all steps: scheduling, inputs, the forward pass, sampling, events.
    public var stepTime: Nanoseconds = 0
    /// The part of ``stepTime`` inside forward passes, sampling left out.
    public var forwardTime: Nanoseconds = 0
    /// Steps by the tokens that they computed, since the start: a count per bucket of ``iterationTokenEdges``, and a last
    /// one for those above the last edge.
    public var iterationTokenCounts: [Int] = []
    /// Sum of the tokens of all steps.
    public var iterationTokenSum: Int = 0
    /// Nanoseconds since the last step ended, while work is waiting or running; nil when idle.
    public var stalledFor: Nanoseconds?
    /// Whether the engine is draining.
    public var draining: Bool = false

    /// Upper edges of the step-size histogram (vLLM's `iteration_tokens_total`).
    public static let iterationTokenEdges: [Int] = [
        1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384,
    ]

    /// An idle engine's state.
    public init() {}
}
