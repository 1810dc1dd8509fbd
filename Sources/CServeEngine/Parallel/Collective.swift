// How the ranks of a stage add their parts up.

/// Adds the same rows of all ranks; every rank calls it with its own and leaves with the sum.
public protocol Collective: Sendable {
    /// Replaces `values` by the sum over the ranks, added in the order of the ranks.
    func sum(_ values: UnsafeMutableBufferPointer<Float>)
}

/// One rank alone: nothing to add.
public struct SingleRank: Collective {
    /// A lone rank.
    public init() {}
    /// Leaves the values.
    public func sum(_ values: UnsafeMutableBufferPointer<Float>) {}
}

extension Backend {
    /// Adds the first `rows` rows over the ranks.
    func reduce(_ buffer: Buffer, rows: Int, with collective: any Collective) {
        if collective is SingleRank { return }
        withHostRows(buffer, rows: rows) { collective.sum($0) }
    }
}
