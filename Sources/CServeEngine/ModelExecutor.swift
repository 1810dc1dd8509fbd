// The seam between the engine loop and whatever computes logits: a real model on a backend, or a fake in a test.

/// Computes the logits of a step. Owned by one thread at a time: the loop's.
public protocol ModelExecutor: AnyObject {
    /// Columns of the logits.
    var vocabularySize: Int { get }
    /// The largest prompt plus answer, in tokens.
    var maxModelLength: Int { get }
    /// Tokens per KV block.
    var blockSize: Int { get }
    /// KV blocks in the pool; ids are `0 ..< totalBlocks`.
    var totalBlocks: Int { get }
    /// Tokens that one step may hold.
    var maxBatchedTokens: Int { get }

    /// Runs one forward pass and hands the wanted rows' logits over, in order, in slices of bounded size.
    ///
    /// A slice's memory belongs to the executor and is overwritten after `body` returns; `body` may change it in place
    /// (penalties, masks).
    /// - Throws: ``EngineError``; the cache's blocks that this step was to write are then undefined, all others whole.
    func execute(_ inputs: BatchInputs, _ body: (LogitsSlice) throws -> Void) throws
}

/// Logits of consecutive wanted rows.
public struct LogitsSlice {
    /// Index of the first among ``BatchInputs/logitRows``.
    public var firstWanted: Int
    /// Rows in this slice.
    public var rows: Int
    /// Columns of a row.
    public var vocabularySize: Int
    /// `[rows, vocabularySize]`, row-major.
    public var values: UnsafeMutableBufferPointer<Float>

    /// Wraps logits.
    public init(firstWanted: Int, rows: Int, vocabularySize: Int, values: UnsafeMutableBufferPointer<Float>) {
        self.firstWanted = firstWanted
        self.rows = rows
        self.vocabularySize = vocabularySize
        self.values = values
    }

    /// One row's logits.
    public subscript(row: Int) -> UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(rebasing: values[(row * vocabularySize)..<((row + 1) * vocabularySize)])
    }
}
