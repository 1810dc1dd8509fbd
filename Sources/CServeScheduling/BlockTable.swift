// Where a branch's keys and values lie: the blocks that hold its positions, in order.
import CServeCore

/// The number of a KV block within its pool.
public typealias BlockID = Int32

/// The blocks of one branch; position `p` lies in block `p / blockSize` of the table, at offset `p % blockSize`.
///
/// A micro-batch holds the table as it was; appending to a table that is still held copies it. That happens once per
/// block, not per token: with blocks of 16, a context of 131,072 tokens costs 32 kB every 16 steps.
public struct BlockTable: RandomAccessCollection, Hashable, Sendable, ExpressibleByArrayLiteral {
    /// The block ids, in order of position.
    public var ids: [BlockID]

    /// An empty table.
    @inlinable
    public init() { ids = [] }

    /// A table of given blocks.
    public init(_ ids: [BlockID]) { self.ids = ids }

    /// A table of given blocks.
    public init(arrayLiteral elements: BlockID...) { ids = elements }

    /// 0.
    @inlinable
    public var startIndex: Int { 0 }

    /// The number of blocks.
    @inlinable
    public var endIndex: Int { ids.count }

    /// The block at an index.
    @inlinable
    public subscript(index: Int) -> BlockID { ids[index] }
}

extension BlockTable: Codable {
    /// Decodes a plain list.
    public init(from decoder: any Decoder) throws {
        ids = try decoder.singleValueContainer().decode([BlockID].self)
    }

    /// Encodes a plain list.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(ids)
    }
}
