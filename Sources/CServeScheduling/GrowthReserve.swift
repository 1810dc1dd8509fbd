// Who may start: how much of the cache is kept for running requests' growth when another one is admitted.
import CServeCore

/// A rule for what stays free when a request is admitted.
public enum GrowthReservePolicy: String, Codable, CaseIterable, Sendable {
    /// A share of the possible growth that rises with every preemption: ``GrowthReserve``.
    case adaptive
    /// Nothing: who fits with its prompt starts, and the newest is preempted when blocks run out; a pass that preempts
    /// admits nobody. Source: vLLM V1's `scheduler.py` (`if not preempted_reqs`), which differs in that it takes the
    /// blocks of a prompt chunk by chunk; its `long_prefill_token_threshold` is ``SchedulerConfiguration/chunkedPrefillSize``,
    /// and its filling of the token budget ``SchedulingPolicy/throughput``.
    case none
    /// Everything that all may still ask for, so that requests of one branch are never preempted. Source: TensorRT-LLM's
    /// `GUARANTEED_NO_EVICT`, its default.
    case full
}

/// The share of running requests' possible growth for which blocks are kept free when a new one is admitted.
///
/// Rises with every preemption and falls with every step. Source: SGLang's and gLLM's `new_token_ratio` (start 0.7,
/// +0.05 per preemption, -0.002 per step, at least about 0.1; growth beyond 4096 tokens is not counted). Kept in
/// thousandths, so that skipping ahead is exact.
public struct GrowthReserve: Hashable, Codable, Sendable {
    /// The share, in thousandths.
    public private(set) var thousandths: Int = 700

    static let least: Int = 100
    static let clip: Int = 4096

    /// The starting share.
    public init() {}

    mutating func preempted() { thousandths = min(1000, thousandths + 50) }

    mutating func stepped(_ steps: Int = 1) {
        thousandths = max(GrowthReserve.least, thousandths - 2 * steps)
    }

    /// Tokens to keep room for, given how many more each running request may generate, summed after clipping.
    func tokens(of growth: Int) -> Int { (growth * thousandths + 999) / 1000 }
}

extension Scheduler {
    /// Blocks that stay free for growth, its own included, when a waiting request is admitted now.
    func keptBlocks(beside item: WaitingRequest, _ request: Request) -> Int {
        switch configuration.growthReserve {
        case .adaptive:
            let own: Int = min(limit(of: request) - item.answer.count, GrowthReserve.clip) * item.branches.count
            return memory.blocks(for: reserve.tokens(of: runningGrowth + own))
        case .none: return 0
        case .full: return runningBlocksToCome + ownBlocksToCome(item, request)
        }
    }

    /// Blocks that running branches, and those that wait for their prompts, may still take until they end.
    private var runningBlocksToCome: Int {
        running.reduce(0) { (sum: Int, slot: Int) -> Int in
            guard branches[slot].phase == .running else { return sum }
            let prompt: Int = branches[slot].prompt.count
            let whole: Int = lastBlock(prompt: prompt, limit: branches[slot].limit)
            let followers: Int = branches[slot].followers.count * (whole - (prompt - 1) / memory.blockSize)
            return sum + max(0, whole - branches[slot].table.count) + followers
        }
    }

    /// Blocks that a waiting request takes behind its prompt and what it had generated.
    private func ownBlocksToCome(_ item: WaitingRequest, _ request: Request) -> Int {
        let whole: Int = lastBlock(prompt: item.promptCount, limit: limit(of: request))
        let followers: Int = (item.branches.count - 1) * (whole - (item.promptCount - 1) / memory.blockSize)
        return max(0, whole - memory.blocks(for: item.promptCount + item.answer.count)) + followers
    }

    /// Blocks of a whole answer; its last token is never computed.
    private func lastBlock(prompt: Int, limit: Int) -> Int { memory.blocks(for: prompt + max(0, limit - 1)) }
}
