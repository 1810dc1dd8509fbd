// Stands for a backend: keeps each position's token where the KV cache would keep keys and values, and samples a hash
// of what a branch's block table shows, so that a wrong block, copy or prefix hit changes the answer.
import CServeCore

@testable import CServeScheduling

/// A generator with a visible state (SplitMix64, Steele et al. 2014).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z: UInt64 = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func int(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(next() % UInt64(range.upperBound - range.lowerBound + 1))
    }

    mutating func chance(_ percent: Int) -> Bool { int(1...100) <= percent }
}

/// The token that follows some tokens.
/// - Parameter repeats: Whether three of four follow from the token before alone, so that the text repeats itself.
func successor(of tokens: some Sequence<TokenID>, branch: Int, repeats: Bool) -> TokenID {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325 &+ UInt64(branch)
    var last: TokenID = 0
    for token in tokens {
        hash = (hash ^ UInt64(UInt32(bitPattern: token))) &* 0x100_0000_01B3
        last = token
    }
    if repeats, (hash >> 40) % 4 > 0 { return (last * 5 + 3) % 11 }
    return TokenID((hash >> 24) % 40)
}

/// Runs micro-batches over a pretended KV cache.
struct FakeRunner {
    let blockSize: Int
    var cells: [TokenID]
    var lastSampled: [TokenID]
    var random: SplitMix
    /// Whether sometimes fewer tokens come back than were asked for.
    var varies: Bool
    let repeats: Bool

    init(_ configuration: SchedulerConfiguration, seed: UInt64, varies: Bool) {
        blockSize = configuration.blockSize
        cells = Array(repeating: -9, count: configuration.blockCount * configuration.blockSize)
        lastSampled = Array(repeating: -5, count: configuration.maxNumSeqs)
        random = SplitMix(seed)
        self.varies = varies
        repeats = configuration.draftTokens > 0
    }

    mutating func run(_ batch: MicroBatch) -> [EntryOutput] {
        for copy in batch.copies {
            for offset in 0..<blockSize {
                cells[Int(copy.destination) * blockSize + offset] = cells[Int(copy.source) * blockSize + offset]
            }
        }
        return batch.entries.map { run($0) }
    }

    private mutating func run(_ entry: MicroBatch.Entry) -> EntryOutput {
        for (offset, token) in entry.tokens.enumerated() {
            let known: TokenID = token == MicroBatch.placeholder ? lastSampled[entry.slot] : token
            cells[cell(entry, entry.start + offset)] = known
        }
        let end: Int = entry.start + entry.tokens.count
        for (offset, draft) in entry.drafts.enumerated() { cells[cell(entry, end + offset)] = draft }
        var sampled: [TokenID] = []
        let most: Int = varies ? tokensBack(entry) : entry.sampledTokens
        while sampled.count < most, entry.accepts(TokenRun(sampled), drafts: sampled.count) {
            let seen = (0..<(end + sampled.count)).map { cells[cell(entry, $0)] }
            sampled.append(successor(of: seen, branch: entry.branch, repeats: repeats))
        }
        if let last = sampled.last { lastSampled[entry.slot] = last }
        return EntryOutput(tokens: sampled)
    }

    private mutating func tokensBack(_ entry: MicroBatch.Entry) -> Int {
        guard entry.sampledTokens > 0 else { return 0 }
        return random.chance(15) ? 0 : random.int(1...entry.sampledTokens)
    }

    private func cell(_ entry: MicroBatch.Entry, _ position: Int) -> Int {
        Int(entry.blocks[position / blockSize]) * blockSize + position % blockSize
    }
}
