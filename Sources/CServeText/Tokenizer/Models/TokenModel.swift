// What every model does: pieces of text in, token ids out.
import CServeCore

/// A tokenization model (BPE, Unigram, WordPiece).
protocol TokenModel: Sendable {
    /// The tokens by id and the ids by token.
    var vocabulary: Vocabulary { get }
    /// Appends the ids of every piece.
    func tokenize(_ list: PieceList, workspace: inout ModelWorkspace, into ids: inout [TokenID])
    /// The model without pieces of these texts; nil if it never makes one of them.
    func withholding(_ special: Set<[UInt8]>) -> (any TokenModel)?
}

extension TokenModel {
    func withholding(_ special: Set<[UInt8]>) -> (any TokenModel)? { nil }
}

/// Memory that a call to encode borrows, so that no word allocates.
struct ModelWorkspace: Sendable {
    var cache = WordCache()
    var merge = MergeWorkspace()
    var lattice = LatticeWorkspace()
    var wordIDs: [TokenID] = []
}
