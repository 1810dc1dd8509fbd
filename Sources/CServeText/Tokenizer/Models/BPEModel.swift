// Byte-pair encoding, over bytes (GPT-2 and its heirs) or over characters with byte fallback (SentencePiece style).
import CServeCore

/// A BPE model.
struct BPEModel: TokenModel {
    let vocabulary: Vocabulary
    let merges: MergeTable
    let settings: BPESettings
    let unknownID: TokenID?
    /// `<0x00>` to `<0xFF>`; -1 where the vocabulary lacks one.
    let fallbackIDs: [TokenID]
    /// The symbol of each byte, where the text comes as bytes of byte-level characters.
    let byteSymbols: [TokenID]?
    /// The tokens in raw bytes, where `ignore_merges` looks words up in byte-level text.
    let byteLevelWords: ByteTable?
    /// Whether no merge crosses the border before a "▁" that follows another character.
    let mayCutBeforeMetaspace: Bool

    func tokenize(_ list: PieceList, workspace: inout ModelWorkspace, into ids: inout [TokenID]) {
        let bytes = list.bytes.span
        for piece in list.pieces {
            if mayCutBeforeMetaspace {
                tokenizeByMetaspace(bytes, piece, workspace: &workspace, into: &ids)
            } else {
                tokenize(bytes, piece, list.isByteLevel, workspace: &workspace, into: &ids)
            }
        }
    }

    @inline(__always)
    private func tokenize(
        _ bytes: Span<UInt8>, _ piece: Piece, _ isByteLevel: Bool, workspace: inout ModelWorkspace,
        into ids: inout [TokenID]
    ) {
        guard piece.end &- piece.start <= WordCache.maximumWordLength else {
            tokenizeWord(bytes, piece, isByteLevel, workspace: &workspace.merge, into: &ids)
            return
        }
        let hash = ByteTable.hash(bytes, piece.start, piece.end)
        if workspace.cache.append(bytes, piece, hash: hash, to: &ids) { return }
        let start = ids.count
        tokenizeWord(bytes, piece, isByteLevel, workspace: &workspace.merge, into: &ids)
        workspace.cache.insert(bytes, piece, hash: hash, ids: ids[start...])
    }

    private func tokenizeWord(
        _ bytes: Span<UInt8>, _ piece: Piece, _ isByteLevel: Bool, workspace: inout MergeWorkspace,
        into ids: inout [TokenID]
    ) {
        if settings.ignoreMerges {
            let words = isByteLevel ? byteLevelWords : vocabulary.table
            if let id = words?.find(bytes, piece.start, piece.end) {
                ids.append(id)
                return
            }
        }
        workspace.symbols.removeAll(keepingCapacity: true)
        if isByteLevel, let byteSymbols {
            for index in piece.start..<piece.end { workspace.symbols.append(byteSymbols[Int(bytes[index])]) }
        } else {
            appendCharacters(bytes, piece, to: &workspace.symbols)
        }
        workspace.mergeAll(merges)
        ids.append(contentsOf: workspace.symbols)
    }

    /// Cuts before every "▁" that follows another character: words can be remembered, and long texts need no long heap.
    private func tokenizeByMetaspace(
        _ bytes: Span<UInt8>, _ piece: Piece, workspace: inout ModelWorkspace, into ids: inout [TokenID]
    ) {
        var start = piece.start
        var index = piece.start
        var followsMetaspace = true
        while index < piece.end {
            let isMetaspace =
                bytes[index] == 0xE2 && index &+ 2 < piece.end && bytes[index &+ 1] == 0x96 && bytes[index &+ 2] == 0x81
            if isMetaspace, !followsMetaspace {
                tokenize(bytes, Piece(start: start, end: index), false, workspace: &workspace, into: &ids)
                start = index
            }
            followsMetaspace = isMetaspace
            index &+= UTF8Bytes.length(first: bytes[index])
        }
        if start < piece.end {
            tokenize(bytes, Piece(start: start, end: piece.end), false, workspace: &workspace, into: &ids)
        }
    }

    /// A word's characters as symbols; what the vocabulary lacks becomes bytes, the unknown token, or nothing.
    private func appendCharacters(_ bytes: Span<UInt8>, _ piece: Piece, to symbols: inout ContiguousArray<TokenID>) {
        var pendingUnknown = false
        var index = piece.start
        while index < piece.end {
            let end = index &+ UTF8Bytes.length(first: bytes[index])
            let id = symbol(bytes, index, end, isFirst: index == piece.start, isLast: end == piece.end)
            if let id {
                if pendingUnknown, let unknownID { symbols.append(unknownID) }
                pendingUnknown = false
                symbols.append(id)
            } else if !appendFallback(bytes, index, end, isLast: end == piece.end, piece, to: &symbols), let unknownID {
                if pendingUnknown, !settings.fusesUnknown { symbols.append(unknownID) }
                pendingUnknown = true
            }
            index = end
        }
        if pendingUnknown, let unknownID { symbols.append(unknownID) }
    }

    private func symbol(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, isFirst: Bool, isLast: Bool) -> TokenID? {
        if !settings.hasAffixes { return vocabulary.table.find(bytes, start, end) }
        return vocabulary.id(affixed(bytes, start, end, isFirst: isFirst, isLast: isLast))
    }

    private func affixed(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, isFirst: Bool, isLast: Bool) -> [UInt8] {
        var text = isFirst ? [] : settings.continuingSubwordPrefix
        for index in start..<end { text.append(bytes[index]) }
        return isLast ? text + settings.endOfWordSuffix : text
    }

    private func appendFallback(
        _ bytes: Span<UInt8>, _ start: Int, _ end: Int, isLast: Bool, _ piece: Piece,
        to symbols: inout ContiguousArray<TokenID>
    ) -> Bool {
        guard settings.fallsBackToBytes else { return false }
        let text = affixed(bytes, start, end, isFirst: start == piece.start, isLast: isLast)
        let fallback = text.map { fallbackIDs[Int($0)] }
        guard !fallback.contains(-1) else { return false }
        symbols.append(contentsOf: fallback)
        return true
    }
}
