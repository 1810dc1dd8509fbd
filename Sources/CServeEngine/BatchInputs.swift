// One forward pass in plain arrays: what every backend reads, whatever the scheduler's types are.

/// The tokens of one step, request by request, with their places in the paged cache.
///
/// Reused from step to step: ``removeAll()`` keeps the storage.
public struct BatchInputs: Sendable {
    /// One request's run of rows.
    public struct Entry: Hashable, Sendable {
        /// Its first row.
        public var firstRow: Int
        /// Its rows; their positions follow each other.
        public var rows: Int
        /// The position of the first row: tokens before it are in the cache already.
        public var firstPosition: Int
        /// Its block table starts here in ``BatchInputs/blockTables``.
        public var firstBlock: Int
        /// Block ids in its table; position `p` lives in block `p / blockSize`, slot `p % blockSize`.
        public var blocks: Int
    }

    /// Positions per block.
    public let blockSize: Int
    /// Token ids `[T]`.
    public private(set) var tokens: [Int32] = []
    /// Positions `[T]`.
    public private(set) var positions: [Int32] = []
    /// Slots `[T]`: `block * blockSize + position % blockSize`.
    public private(set) var slots: [Int32] = []
    /// The requests, in order of rows.
    public private(set) var entries: [Entry] = []
    /// The block tables, one after the other.
    public private(set) var blockTables: [Int32] = []
    /// Rows whose logits are wanted, ascending.
    public private(set) var logitRows: [Int32] = []
    /// Blocks to copy before anything is computed.
    public var copies: [BlockCopy] = []

    /// No tokens yet.
    public init(blockSize: Int) {
        self.blockSize = blockSize
    }

    /// Which rows of a request have their logits computed.
    public enum Wanted: Hashable, Sendable {
        /// None: more of the prompt follows.
        case none
        /// So many last rows: tokens are sampled behind a run's end and behind its drafts.
        case tail(Int)
        /// Every row: log-probabilities of the prompt are wanted.
        case all

        /// The last row: the next token is sampled.
        public static let last = Wanted.tail(1)
    }

    /// Adds a request's run of tokens.
    /// - Parameters:
    ///   - tokens: The token ids to compute, never empty.
    ///   - start: The position of the first.
    ///   - blockTable: Block ids that cover positions `0 ..< start + tokens.count`.
    ///   - wanted: Rows whose logits are wanted; they come back in the order of all wanted rows.
    public mutating func append(
        tokens run: some Collection<Int32>, start: Int, blockTable: some Collection<Int32>, wanted: Wanted
    ) {
        let count = run.count
        precondition(count > 0 && blockTable.count * blockSize >= start + count, "the block table is too short")
        let entry = Entry(
            firstRow: tokens.count, rows: count, firstPosition: start, firstBlock: blockTables.count,
            blocks: blockTable.count)
        entries.append(entry)
        tokens.append(contentsOf: run)
        blockTables.append(contentsOf: blockTable)
        for position in start..<(start + count) {
            positions.append(Int32(position))
            let block = blockTables[entry.firstBlock + position / blockSize]
            slots.append(block * Int32(blockSize) + Int32(position % blockSize))
        }
        switch wanted {
        case .none: break
        case .tail(let rows): for row in (tokens.count - rows)..<tokens.count { logitRows.append(Int32(row)) }
        case .all: logitRows.append(contentsOf: (entry.firstRow..<tokens.count).map { Int32($0) })
        }
    }

    /// Forgets the step, keeping the storage.
    public mutating func removeAll() {
        tokens.removeAll(keepingCapacity: true)
        positions.removeAll(keepingCapacity: true)
        slots.removeAll(keepingCapacity: true)
        entries.removeAll(keepingCapacity: true)
        blockTables.removeAll(keepingCapacity: true)
        logitRows.removeAll(keepingCapacity: true)
        copies.removeAll(keepingCapacity: true)
    }
}
