// How full a replica's KV cache is over time.
import CServeCore

/// Integrates the blocks in use over time.
struct MemoryMeter: Equatable, Sendable {
    /// Blocks times nanoseconds: beyond 64 bits after a day of a large cache.
    private(set) var blockTime: Int128 = 0
    private(set) var peak: Int = 0
    private var held: Int = 0
    private var since: Nanoseconds = 0

    /// So many blocks are in use from now on.
    mutating func hold(_ blocks: Int, from now: Nanoseconds) {
        blockTime += Int128(held) * Int128(now - since)
        since = now
        held = blocks
        if blocks > peak { peak = blocks }
    }
}
