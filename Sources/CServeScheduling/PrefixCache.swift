// Finds blocks whose keys and values were computed for the same beginning, so that it is not computed again.
import CServeCore

/// A fingerprint of all tokens up to the end of a block, of the salt and of the adapter.
///
/// Two lanes of multiply-and-fold (as wyhash); not cryptographic, which is why a hit also compares the tokens.
struct BlockHash: Hashable, Sendable {
    var high: UInt64
    var low: UInt64

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

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
}

/// Which block holds which prefix. Knows nothing of who uses a block.
///
/// The hashes stand by block; a table of block numbers finds them: open addressing with linear probing, at most half
/// full, and no gaps (a block that goes pulls those behind it up).
struct PrefixCache: Equatable, Sendable {
    /// Block numbers by the low bits of their hashes; -1 is an empty place.
    private var table: [BlockID]
    private var hashes: [BlockHash]
    private var known: [Bool]
    private var tokens: [TokenID]
    private let blockSize: Int
    private(set) var count: Int = 0

    init(blockCount: Int, blockSize: Int) {
        self.blockSize = blockSize
        hashes = Array(repeating: BlockHash(high: 0, low: 0), count: blockCount)
        known = Array(repeating: false, count: blockCount)
        tokens = Array(repeating: 0, count: blockCount * blockSize)
        var places: Int = 2
        while places < 2 * blockCount { places *= 2 }
        table = Array(repeating: -1, count: blockCount == 0 ? 1 : places)
    }

    /// Tables are the same if they hold the same: where an entry lies depends on what lay before it.
    static func == (left: PrefixCache, right: PrefixCache) -> Bool {
        guard left.known == right.known, left.blockSize == right.blockSize else { return false }
        return left.known.indices.allSatisfy { (block: Int) -> Bool in
            !left.known[block]
                || left.hashes[block] == right.hashes[block] && left.contents(block) == right.contents(block)
        }
    }

    private func contents(_ block: Int) -> ArraySlice<TokenID> {
        tokens[(block * blockSize)..<((block + 1) * blockSize)]
    }

    /// Whether the block can be found.
    func holds(_ block: BlockID) -> Bool { known[Int(block)] }

    /// Whether some block is known by this hash.
    func contains(_ hash: BlockHash) -> Bool { table[place(of: hash)] >= 0 }

    /// The block of a prefix, if its last tokens are the same too.
    func block(for hash: BlockHash, tokens wanted: TokenSpan) -> BlockID? {
        let block: BlockID = table[place(of: hash)]
        guard block >= 0 else { return nil }
        let base: Int = Int(block) * blockSize
        for offset in 0..<blockSize where tokens[base + offset] != wanted[offset] { return nil }
        return block
    }

    /// Remembers a full block. Of two blocks with the same contents, the first stays known.
    mutating func insert(_ block: BlockID, hash: BlockHash, tokens filled: TokenSpan) {
        guard table[place(of: hash)] < 0 else { return }
        evict(block)
        // Evicting may have moved what lay around the place.
        table[place(of: hash)] = block
        hashes[Int(block)] = hash
        known[Int(block)] = true
        count += 1
        filled.copy(to: &tokens, at: Int(block) * blockSize, count: blockSize)
    }

    /// Forgets a block, because it is about to be written.
    mutating func evict(_ block: BlockID) {
        guard known[Int(block)] else { return }
        known[Int(block)] = false
        count -= 1
        let mask: Int = table.count - 1
        var gap: Int = place(of: hashes[Int(block)])
        var next: Int = gap
        while true {
            next = (next + 1) & mask
            let moved: BlockID = table[next]
            guard moved >= 0 else { break }
            // An entry may fill the gap if its home does not lie behind the gap.
            let home: Int = home(of: hashes[Int(moved)])
            guard (next - home) & mask >= (next - gap) & mask else { continue }
            table[gap] = moved
            gap = next
        }
        table[gap] = -1
    }

    @inline(__always)
    private func home(of hash: BlockHash) -> Int { Int(truncatingIfNeeded: hash.low) & (table.count - 1) }

    /// Where a hash's block stands, or would.
    @inline(__always)
    private func place(of hash: BlockHash) -> Int {
        var place: Int = home(of: hash)
        while table[place] >= 0, hashes[Int(table[place])] != hash { place = (place + 1) & (table.count - 1) }
        return place
    }

    /// Whether both directions agree.
    var isConsistent: Bool {
        guard count == known.count(where: { $0 }), count == table.count(where: { $0 >= 0 }) else { return false }
        return known.indices.allSatisfy { !known[$0] || table[place(of: hashes[$0])] == BlockID($0) }
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

    /// Copies the first tokens into an array.
    func copy(to target: inout [TokenID], at base: Int, count: Int) {
        for offset in 0..<count { target[base + offset] = self[offset] }
    }
}
