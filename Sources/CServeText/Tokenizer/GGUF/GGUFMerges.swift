// A SentencePiece vocabulary knows scores, not merges: every pair of pieces that make a piece is one, the best score
// first.

import CServeCore

/// The merges of a SentencePiece byte-pair model, as transformers derives them for tokenizer.json
/// (convert_slow_tokenizer.py, `generate_merges`).
struct GGUFMerges {
    /// The pairs in the order in which they apply.
    let pairs: [TokenizerJSON]

    private struct Merge {
        var left: Range<Int>
        var right: Range<Int>
        /// Greater goes first.
        var rank: Double
        var leftLength: Int
        var rightLength: Int
        var token: Int
    }

    /// - Parameters:
    ///   - tokens: The vocabulary by id.
    ///   - types: Their types: only text is made of text.
    ///   - scores: Their scores; without any, or where all are the same, ids tell the order, as they do in vocabularies
    ///     that were trained with merges.
    init(tokens: [String], types: [GGUFTokenType], scores: [Double]) {
        let bytes = tokens.map { Array($0.utf8) }
        var pieces = ByteTable(capacity: tokens.count)
        for (id, piece) in bytes.enumerated() where types[id] == .normal || types[id] == .userDefined {
            pieces.insert(piece, Int32(id))
        }
        let normal = tokens.indices.filter { types[$0] == .normal }
        let isRanked = Set(normal.lazy.map { $0 < scores.count ? scores[$0] : 0 }.prefix(4096)).count > 1
        var merges: [Merge] = []
        for id in normal {
            let rank = isRanked ? scores[id] : -Double(id)
            merges += Self.cuts(bytes[id], pieces).map { cut in
                Merge(
                    left: 0..<cut.place, right: cut.place..<bytes[id].count, rank: rank, leftLength: cut.leftLength,
                    rightLength: cut.rightLength, token: id)
            }
        }
        // Equal ranks keep their order, longer parts first (transformers sorts by all three, the other way round for
        // ids).
        let sign = isRanked ? 1 : -1
        let order = merges.indices.sorted { first, second in
            let (a, b) = (merges[first], merges[second])
            if a.rank != b.rank { return a.rank > b.rank }
            if a.leftLength != b.leftLength { return sign * a.leftLength > sign * b.leftLength }
            if a.rightLength != b.rightLength { return sign * a.rightLength > sign * b.rightLength }
            return first < second
        }
        pairs = order.map { index in
            let merge = merges[index]
            return .array(
                [merge.left, merge.right].map { part in
                    .string(String(decoding: bytes[merge.token][part], as: UTF8.self))
                })
        }
    }

    /// The places where a piece is two pieces, in the order of their ids.
    private static func cuts(
        _ piece: [UInt8], _ pieces: ByteTable
    ) -> [(place: Int, leftLength: Int, rightLength: Int)] {
        let span = piece.span
        var found: [(left: Int32, right: Int32, place: Int, leftLength: Int)] = []
        var characters = 0
        for place in 0..<piece.count {
            // Between characters only.
            if piece[place] & 0xC0 == 0x80 { continue }
            if place > 0, let left = pieces.find(span, 0, place), let right = pieces.find(span, place, piece.count) {
                found.append((left, right, place, characters))
            }
            characters += 1
        }
        found.sort { ($0.left, $0.right) < ($1.left, $1.right) }
        return found.map { ($0.place, $0.leftLength, characters - $0.leftLength) }
    }
}
