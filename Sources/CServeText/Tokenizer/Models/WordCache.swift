// Words repeat: remembering their ids is most of a tokenizer's speed. One encode owns a cache at a time, so there is no
// lock per word.
import CServeCore
import Synchronization

/// The ids of recent words; direct-mapped, bounded, exact (the word's bytes are compared).
struct WordCache: Sendable {
    private struct Slot {
        var hash: UInt64 = 0
        var keyStart: UInt32 = 0
        var keyLength: UInt16 = 0
        var count: UInt16 = 0
        var idStart: UInt32 = 0
        var firstID: TokenID = 0
    }

    /// Longer words are not remembered.
    static let maximumWordLength = 128
    private static let slotCount = 1 << 15
    private static let maximumKeyBytes = 1 << 21
    private var slots: ContiguousArray<Slot> = []
    private var keys: ContiguousArray<UInt8> = []
    private var ids: ContiguousArray<TokenID> = []

    /// Appends the ids of a word and returns true, where they are known.
    @inline(__always)
    func append(_ bytes: Span<UInt8>, _ piece: Piece, hash: UInt64, to output: inout [TokenID]) -> Bool {
        if slots.isEmpty { return false }
        let slot = slots[Int(truncatingIfNeeded: hash & UInt64(WordCache.slotCount - 1))]
        let length = piece.end &- piece.start
        guard slot.hash == hash, Int(truncatingIfNeeded: slot.keyLength) == length else { return false }
        let keyStart = Int(truncatingIfNeeded: slot.keyStart)
        var offset = 0
        while offset < length {
            if keys[keyStart &+ offset] != bytes[piece.start &+ offset] { return false }
            offset &+= 1
        }
        if slot.count == 1 {
            output.append(slot.firstID)
        } else {
            let start = Int(truncatingIfNeeded: slot.idStart)
            output.append(contentsOf: ids[start..<(start &+ Int(truncatingIfNeeded: slot.count))])
        }
        return true
    }

    /// Remembers the ids of a word, in place of what had its slot.
    mutating func insert(_ bytes: Span<UInt8>, _ piece: Piece, hash: UInt64, ids newIDs: ArraySlice<TokenID>) {
        if slots.isEmpty || keys.count > WordCache.maximumKeyBytes || ids.count > WordCache.maximumKeyBytes {
            self = WordCache()
            slots = ContiguousArray(repeating: Slot(), count: WordCache.slotCount)
        }
        let slot = Slot(
            hash: hash, keyStart: UInt32(keys.count), keyLength: UInt16(piece.end - piece.start),
            count: UInt16(newIDs.count), idStart: UInt32(ids.count), firstID: newIDs.first ?? 0)
        for index in piece.start..<piece.end { keys.append(bytes[index]) }
        if newIDs.count != 1 { ids.append(contentsOf: newIDs) }
        slots[Int(truncatingIfNeeded: hash & UInt64(WordCache.slotCount - 1))] = slot
    }
}

/// Workspaces between calls; each call takes one and gives it back.
final class WorkspacePool: Sendable {
    private static let maximumCount = 8
    private let free = Mutex<[ModelWorkspace]>([])

    func take() -> ModelWorkspace {
        free.withLock { $0.popLast() } ?? ModelWorkspace()
    }

    func give(_ workspace: consuming ModelWorkspace) {
        let returned = workspace
        free.withLock { if $0.count < WorkspacePool.maximumCount { $0.append(returned) } }
    }
}
