// A quantised GGUF tensor as a matrix of codes: blocks are unpacked row by row, and no number changes.

import CServeCore

/// Rows of a GGUF tensor's blocks.
struct GGUFMatrix: CodedMatrix, @unchecked Sendable {
    let format: QuantizedFormat
    let rows: Int
    let columns: Int
    /// How rows are stored.
    private let type: GGUFType
    private let base: UnsafeRawPointer
    /// The stored row of a row.
    private let order: RowOrder
    /// Keeps the bytes.
    private let mapping: MappedFile?
    private let unpack: GGUFBlocks.Unpack

    /// A matrix `[rows, columns]`; nil for plain numbers and for types that are not read.
    init?(_ type: GGUFType, bytes: UnsafeRawBufferPointer, columns: Int, order: RowOrder, mapping: MappedFile?) {
        guard let format = type.format, let unpack = GGUFBlocks.table[type.name], let base = bytes.baseAddress else {
            return nil
        }
        self.type = type
        self.format = format
        self.columns = columns
        self.base = base
        self.order = order
        self.mapping = mapping
        self.unpack = unpack
        rows = bytes.count / (columns / type.blockElements * type.blockBytes)
    }

    func read(
        rows: Range<Int>, codes: UnsafeMutablePointer<UInt8>, scales: UnsafeMutablePointer<Float>,
        minimums: UnsafeMutablePointer<Float>?
    ) {
        let blocks = columns / type.blockElements
        let groups = format.groups(columns: columns)
        let groupsPerBlock = groups / blocks
        for (index, row) in rows.enumerated() {
            let stored = base + order.stored(row) * blocks * type.blockBytes
            for block in 0..<blocks {
                let firstGroup = index * groups + block * groupsPerBlock
                unpack(
                    stored + block * type.blockBytes,
                    GGUFBlocks.Output(
                        codes: codes + index * columns + block * type.blockElements, scales: scales + firstGroup,
                        minimums: minimums.map { $0 + firstGroup }))
            }
        }
    }
}

/// Where a tensor's rows lie: as they come, or the two halves of every head interleaved.
///
/// llama.cpp rotates neighbouring rows of Llama's queries and keys where transformers rotates a head's halves, so its
/// converter stores row `2 * i + half` of a head where transformers has row `half * size / 2 + i`
/// (llama.cpp, conversion/llama.py, `permute`).
enum RowOrder: Hashable, Sendable {
    /// As they come.
    case plain
    /// The halves of heads of this many rows are interleaved.
    case interleaved(head: Int)

    /// The place in the file of a row in transformers' order.
    @inline(__always)
    func stored(_ row: Int) -> Int {
        switch self {
        case .plain: return row
        case .interleaved(let head):
            let inside = row % head
            let half = head / 2
            return row - inside + (inside < half ? 2 * inside : 2 * (inside - half) + 1)
        }
    }
}
