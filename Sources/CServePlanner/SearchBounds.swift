// What the planner may choose: every knob with the values that it may take.
import CServeCore
import CServeCost

/// The search's bounds. Every combination is an option, unless it is rejected with a reason.
public struct SearchBounds: Hashable, Sendable {
    /// Accelerators that may be used.
    public var accelerators: [AcceleratorSpec]
    /// Accelerators at most, in all.
    public var maxAccelerators: Int
    /// Tensor-parallel sizes.
    public var tensor: [Int] = [1, 2, 4, 8]
    /// Pipeline-parallel sizes.
    public var pipeline: [Int] = [1, 2, 4, 8]
    /// Weight quantisations; nil is none.
    public var quantizations: [String?] = [nil]
    /// Types of the KV cache.
    public var cacheTypes: [String] = ["auto"]
    /// Requests that run at once.
    public var maxNumSeqs: [Int] = [128, 256]
    /// Whether ``maxNumSeqs`` counts for each pipeline stage: a pipeline divides its requests among as many micro-batches, so
    /// that with one and the same limit it would compute smaller ones than a replica of one stage.
    public var countsSeqsPerStage: Bool = true
    /// Tokens of one step.
    public var maxNumBatchedTokens: [Int] = [2048, 8192]
    /// Prompt tokens of one request in one step; nil is the step's.
    public var chunkSizes: [Int?] = [nil]
    /// Scheduling policies.
    public var policies: [String] = ["auto"]
    /// Whether cached prefixes are reused.
    public var prefixCaching: [Bool] = [true]
    /// Shares of the layers' weights that stream in from the host.
    public var offloadedShares: [Double] = [0]
    /// The longest request; nil takes what the workload needs.
    public var maxModelLen: Int?
    /// Share of an accelerator's memory that the engine takes; nil: the engine's own.
    public var memoryShare: Double?
    /// Only this provider's machines.
    public var provider: String?
    /// Only machines of this region.
    public var region: String?

    /// Bounds with the usual knobs.
    public init(accelerators: [AcceleratorSpec], maxAccelerators: Int = 8) {
        self.accelerators = accelerators
        self.maxAccelerators = maxAccelerators
    }
}
