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
    private let region: MappedRegion?
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
        region = mapping.map { MappedRegion(file: $0, bytes: bytes) }
        self.unpack = unpack
        rows = bytes.count / (columns / type.blockElements * type.blockBytes)
    }

    func releasePages() { region?.drop() }

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
