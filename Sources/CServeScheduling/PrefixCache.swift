// Finds blocks whose keys and values were computed for the same beginning, so that it is not computed again.
import CServeCore

/// A fingerprint of all tokens up to the end of a block, of the salt and of the adapter.
///
/// Two lanes of multiply-and-fold (as wyhash); not cryptographic, which is why a hit also compares the tokens.
struct BlockHash: Hashable, Sendable {
    var high: UInt64
    var low: UInt64

    /// The value before the first block: a request without a salt shares with the others without one.
    init(salt: String?, adapter: String?) {
        high = 0x9E37_79B9_7F4A_7C15
        low = 0xD1B5_4A32_D192_ED03
        for text in [salt, adapter] {
            mix(text == nil ? 1 : 2)
            guard let text else { continue }
            for byte in text.utf8 { mix(UInt64(byte) &+ 3) }
            mix(UInt64(text.utf8.count))
        }
    }

    mutating func mix(_ value: UInt64) {
        high = BlockHash.fold(high ^ value, 0xA076_1D64_78BD_642F)
        low = BlockHash.fold(low &+ value, 0xE703_7ED1_A0B4_28DB ^ high)
    }

    private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right | 1)
        return product.high ^ product.low ^ left
    }

    func hash(into hasher: inout Hasher) { hasher.combine(low) }
}

/// Which block holds which prefix. Knows nothing of who uses a block.
struct PrefixCache: Equatable, Sendable {
    private var blocks: [BlockHash: BlockID] = [:]
    private var hashes: [BlockHash?]
    private var tokens: [TokenID]
    private let blockSize: Int

    init(blockCount: Int, blockSize: Int) {
        self.blockSize = blockSize
        hashes = Array(repeating: nil, count: blockCount)
        tokens = Array(repeating: 0, count: blockCount * blockSize)
        // Growing a full table by rehashing would stall a step for milliseconds.
        blocks.reserveCapacity(min(blockCount, 1 << 20))
    }

    var count: Int { blocks.count }

    /// Whether the block can be found.
    func holds(_ block: BlockID) -> Bool { hashes[Int(block)] != nil }

    /// Whether some block is known by this hash.
    func contains(_ hash: BlockHash) -> Bool { blocks[hash] != nil }

    /// The block of a prefix, if its last tokens are the same too.
    func block(for hash: BlockHash, tokens wanted: TokenSpan) -> BlockID? {
        guard let block = blocks[hash] else { return nil }
        let base: Int = Int(block) * blockSize
        for offset in 0..<blockSize where tokens[base + offset] != wanted[offset] { return nil }
        return block
    }

    /// Remembers a full block. Of two blocks with the same contents, the first stays known.
    mutating func insert(_ block: BlockID, hash: BlockHash, tokens filled: TokenSpan) {
        guard blocks[hash] == nil else { return }
        evict(block)
        blocks[hash] = block
        hashes[Int(block)] = hash
        let base: Int = Int(block) * blockSize
        for offset in 0..<blockSize { tokens[base + offset] = filled[offset] }
    }

    /// Forgets a block, because it is about to be written.
    mutating func evict(_ block: BlockID) {
        guard let hash = hashes[Int(block)] else { return }
        hashes[Int(block)] = nil
        blocks[hash] = nil
    }

    /// Whether both directions agree.
    var isConsistent: Bool {
        let known: Int = hashes.count(where: { $0 != nil })
        return known == blocks.count && blocks.allSatisfy { hashes[Int($0.value)] == $0.key }
    }
}

/// A view of one block's worth of tokens that run from a prompt into an answer.
struct TokenSpan {
    let prompt: [TokenID]
    let answer: [TokenID]
    let start: Int

    /// Tokens from the start on.
    var count: Int { prompt.count + answer.count - start }

    subscript(offset: Int) -> TokenID {
        let position: Int = start + offset
        return position < prompt.count ? prompt[position] : answer[position - prompt.count]
    }
}
