// SentencePiece's unigram language model: the cut of a word with the best total score (Viterbi).
import CServeCore

/// A Unigram model.
struct UnigramModel: TokenModel {
    let vocabulary: Vocabulary
    private var trie: ByteTrie
    private var withheld: Set<[UInt8]> = []
    private let scores: ContiguousArray<Double>
    private let unknownID: TokenID
    private let unknownScore: Double
    private let fallbackIDs: [TokenID]?
    /// What an unknown character costs beyond the rarest token (SentencePiece's kUnkPenalty).
    private static let unknownPenalty = 10.0

    init(json: TokenizerJSON) throws(TokenizerError) {
        guard let rows = json["vocab"]?.elements else {
            throw .malformed(key: "model.vocab", expected: "a list of [token, score]")
        }
        var vocabulary = Vocabulary(capacity: rows.count)
        var trie = ByteTrie(capacity: rows.count * 2)
        var scores: ContiguousArray<Double> = []
        for (id, row) in rows.enumerated() {
            guard let pair = row.elements, pair.count == 2, let token = pair[0].text, let score = pair[1].double else {
                throw .malformed(key: "model.vocab[\(id)]", expected: "[token, score]")
            }
            vocabulary.insert(token, id: id)
            trie.insert(Array(token.utf8), Int32(id))
            scores.append(score)
        }
        guard let unknown = json["unk_id"]?.integer, unknown >= 0, unknown < rows.count else {
            throw .malformed(key: "model.unk_id", expected: "an index into the vocabulary of \(rows.count) tokens")
        }
        let fallback = (0..<256).map { vocabulary.id(ByteFallback.token(UInt8($0))) ?? -1 }
        fallbackIDs = json["byte_fallback"]?.boolean == true ? fallback : nil
        unknownID = TokenID(unknown)
        unknownScore = (scores.min() ?? 0) - UnigramModel.unknownPenalty
        self.vocabulary = vocabulary
        self.trie = trie
        self.scores = scores
    }

    func withholding(_ special: Set<[UInt8]>) -> (any TokenModel)? {
        guard special.contains(where: { vocabulary.id($0) != nil }) else { return nil }
        var copy = self
        copy.withheld = special
        copy.trie = ByteTrie(capacity: vocabulary.count * 2)
        for id in 0..<vocabulary.size {
            guard let token = vocabulary.token(TokenID(id)).map({ Array($0.utf8) }), !special.contains(token) else {
                continue
            }
            copy.trie.insert(token, Int32(id))
        }
        return copy
    }

    func tokenize(_ list: PieceList, workspace: inout ModelWorkspace, into ids: inout [TokenID]) {
        let bytes = list.bytes.span
        for piece in list.pieces {
            guard piece.end - piece.start <= WordCache.maximumWordLength else {
                tokenizeWord(bytes, piece, &workspace.lattice, into: &ids)
                continue
            }
            let hash = ByteTable.hash(bytes, piece.start, piece.end)
            if workspace.cache.append(bytes, piece, hash: hash, to: &ids) { continue }
            let start = ids.count
            tokenizeWord(bytes, piece, &workspace.lattice, into: &ids)
            workspace.cache.insert(bytes, piece, hash: hash, ids: ids[start...])
        }
    }

    private func tokenizeWord(
        _ bytes: Span<UInt8>, _ piece: Piece, _ lattice: inout LatticeWorkspace, into ids: inout [TokenID]
    ) {
        search(bytes, piece, &lattice)
        lattice.trace(length: piece.end - piece.start)
        var index = lattice.path.count - 1
        while index >= 0 {
            let (start, end, id) = lattice.path[index]
            index -= 1
            if id != unknownID {
                ids.append(id)
                continue
            }
            var last = end
            while index >= 0, lattice.path[index].id == unknownID {
                last = lattice.path[index].end
                index -= 1
            }
            appendUnknown(bytes, piece.start + start, piece.start + last, into: &ids)
        }
    }

    private func search(_ bytes: Span<UInt8>, _ piece: Piece, _ lattice: inout LatticeWorkspace) {
        let length = piece.end &- piece.start
        lattice.reset(length: length)
        var start = 0
        while start < length {
            let scoreHere = lattice.score(at: start)
            let width = UTF8Bytes.length(first: bytes[piece.start &+ start])
            var hasSingle = false
            var node = ByteTrie.root
            var end = start
            while end < length {
                node = trie.child(of: node, bytes[piece.start &+ end])
                if node == ByteTrie.none { break }
                end &+= 1
                let id = trie.value(at: node)
                if id < 0 { continue }
                lattice.offer(end, start, id, scoreHere + scores[Int(id)])
                if end &- start == width { hasSingle = true }
            }
            if !hasSingle { lattice.offer(start &+ width, start, unknownID, scoreHere + unknownScore) }
            start &+= width
        }
    }

    private func isWithheld(_ id: TokenID) -> Bool {
        !withheld.isEmpty && vocabulary.token(id).map { withheld.contains(Array($0.utf8)) } == true
    }

    /// Neighbouring unknown characters are one unknown token, or their bytes.
    private func appendUnknown(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, into ids: inout [TokenID]) {
        if let known = vocabulary.table.find(bytes, start, end), !isWithheld(known) {
            ids.append(known)
            return
        }
        if let fallbackIDs, (start..<end).allSatisfy({ fallbackIDs[Int(bytes[$0])] >= 0 }) {
            for index in start..<end { ids.append(fallbackIDs[Int(bytes[index])]) }
        } else {
            ids.append(unknownID)
        }
    }
}

/// Memory for the best cut of one word.
struct LatticeWorkspace: Sendable {
    private struct Node {
        var score = 0.0
        var start: Int32 = -1
        var id: TokenID = 0
    }

    private var nodes: ContiguousArray<Node> = []
    /// The best path, from the last token to the first.
    private(set) var path: ContiguousArray<(start: Int, end: Int, id: TokenID)> = []

    mutating func reset(length: Int) {
        nodes.removeAll(keepingCapacity: true)
        nodes.append(contentsOf: repeatElement(Node(), count: length + 1))
    }

    @inline(__always)
    func score(at position: Int) -> Double { nodes[position].score }

    /// Takes a path to `end` if it is better than the best so far; the first one wins a tie.
    @inline(__always)
    mutating func offer(_ end: Int, _ start: Int, _ id: TokenID, _ score: Double) {
        if nodes[end].start < 0 || score > nodes[end].score {
            nodes[end] = Node(score: score, start: Int32(truncatingIfNeeded: start), id: id)
        }
    }

    mutating func trace(length: Int) {
        path.removeAll(keepingCapacity: true)
        var end = length
        while end > 0 {
            let node = nodes[end]
            path.append((Int(node.start), end, node.id))
            end = Int(node.start)
        }
    }
}
