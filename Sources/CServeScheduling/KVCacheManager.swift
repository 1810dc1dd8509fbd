// Gives blocks to branches and takes them back; the one place where the pool and the prefix cache meet.
import CServeCore

/// Hands out blocks, evicting cached prefixes least recently used first.
struct KVCacheManager: Equatable, Sendable {
    private(set) var pool: BlockPool
    private(set) var cache: PrefixCache
    let blockSize: Int
    let usesPrefixes: Bool

    init(_ configuration: SchedulerConfiguration) {
        pool = BlockPool(count: configuration.blockCount)
        cache = PrefixCache(
            blockCount: configuration.usePrefixCaching ? configuration.blockCount : 0,
            blockSize: configuration.blockSize)
        blockSize = configuration.blockSize
        usesPrefixes = configuration.usePrefixCaching
    }

    var freeCount: Int { pool.freeCount }

    /// Blocks that so many tokens take.
    func blocks(for tokens: Int) -> Int { (tokens + blockSize - 1) / blockSize }

    /// A block of one's own, with undefined contents.
    mutating func take() -> BlockID? {
        guard let block = pool.take() else { return nil }
        if usesPrefixes { cache.evict(block) }
        return block
    }

    /// Another hold on a block.
    mutating func share(_ block: BlockID) { pool.retain(block) }

    /// Lets go of one block.
    mutating func release(_ block: BlockID) {
        pool.release(block, keep: usesPrefixes && cache.holds(block))
    }

    /// Lets go of a table, last block first, so that of one prefix the tail is evicted first.
    mutating func release(_ table: BlockTable) {
        for block in table.ids.reversed() { release(block) }
    }

    /// Prepares a block with a single holder for being written by that holder.
    mutating func own(_ block: BlockID) {
        if usesPrefixes { cache.evict(block) }
    }

    func isShared(_ block: BlockID) -> Bool { pool.references[Int(block)] > 1 }

    /// The hashes of a text's full blocks.
    func hashes(prompt: [TokenID], answer: [TokenID], seed: BlockHash) -> [BlockHash] {
        var hash: BlockHash = seed
        return (0..<(prompt.count + answer.count) / blockSize).map { (index: Int) -> BlockHash in
            hash = next(hash, TokenSpan(prompt: prompt, answer: answer, start: index * blockSize))
            return hash
        }
    }

    /// The hash of a block from that of its predecessor.
    func next(_ hash: BlockHash, _ tokens: TokenSpan) -> BlockHash {
        var result: BlockHash = hash
        for offset in 0..<blockSize { result.mix(UInt64(UInt32(bitPattern: tokens[offset]))) }
        return result
    }

    /// The cached blocks of a text's beginning, at most all but its last token. Nothing is held yet.
    func lookUp(prompt: [TokenID], answer: [TokenID], hashes: [BlockHash]) -> [BlockID] {
        let most: Int = (prompt.count + answer.count - 1) / blockSize
        var found: [BlockID] = []
        for index in 0..<min(most, hashes.count) {
            let span = TokenSpan(prompt: prompt, answer: answer, start: index * blockSize)
            guard let block = cache.block(for: hashes[index], tokens: span) else { break }
            found.append(block)
        }
        return found
    }

    /// How many of some blocks are free: holding them costs free blocks too.
    func freeAmong(_ blocks: [BlockID]) -> Int { blocks.count { pool.references[Int($0)] == 0 } }

    /// Makes a filled block findable.
    mutating func remember(_ block: BlockID, hash: BlockHash, tokens: TokenSpan) {
        cache.insert(block, hash: hash, tokens: tokens)
    }
}
