// The GGUF container: a header of metadata and tensor descriptions, then the data; every claim is checked before use.

import CServeCore

/// A tensor as the file describes it.
struct GGUFTensor {
    /// llama.cpp's name.
    var name: String
    /// How its numbers are stored.
    var type: GGUFType
    /// Its sizes, the outermost first (the file has them the other way round).
    var shape: [Int]
    /// Its bytes.
    var bytes: UnsafeRawBufferPointer
}

/// One file of the format, versions 2 and 3, little endian (ggml-org/ggml, docs/gguf.md).
struct GGUFFile {
    /// What the file says of the model.
    var metadata: GGUFMetadata
    /// Its tensors in the file's order.
    var tensors: [GGUFTensor]

    /// The key of the alignment of tensors, and what holds without it.
    private static let alignmentKey = "general.alignment"
    private static let standardAlignment = 32
    /// No header is longer (vocabulary and merges of 256k tokens take 20 MB): a file must not fill memory with its
    /// values.
    private static let longestHeader = 1 << 27

    /// Reads a file's header; the tensors' bytes stay where they are.
    /// - Throws: ``CheckpointError``, naming file and key or tensor.
    init(_ bytes: UnsafeRawBufferPointer, file: String) throws(CheckpointError) {
        let head = UnsafeRawBufferPointer(rebasing: bytes.prefix(Self.longestHeader))
        var cursor = GGUFCursor(head, file: file)
        try Self.checkMagic(&cursor)
        // A description takes 24 bytes without its name, a value 13 without its key.
        let tensorCount = try cursor.number(UInt64.self, "the number of tensors")
        let valueCount = try cursor.count("metadata values", size: 13)
        metadata = GGUFMetadata(file: file, values: try Self.values(&cursor, count: valueCount))
        let left = head.count - cursor.position
        guard tensorCount <= UInt64(left / 24) else {
            throw cursor.broken("it claims \(tensorCount) tensors, and \(left) bytes are left")
        }
        let alignment = try Self.alignment(metadata)
        var found: [(tensor: GGUFTensor, offset: UInt64)] = []
        for _ in 0..<tensorCount { found.append(try Self.description(&cursor)) }
        let start = min(cursor.position.rounded(upTo: alignment), bytes.count)
        let data = UnsafeRawBufferPointer(rebasing: bytes[start...])
        tensors = try Self.located(found, in: data, alignment: alignment, file: file)
    }

    private static func checkMagic(_ cursor: inout GGUFCursor) throws(CheckpointError) {
        // "GGUF" as a little-endian number.
        guard try cursor.number(UInt32.self, "its first four bytes") == 0x4655_4747 else {
            throw cursor.broken("it does not begin with GGUF")
        }
        let version = try cursor.number(UInt32.self, "the version")
        guard version == 2 || version == 3 else {
            let isSwapped = version.byteSwapped == 2 || version.byteSwapped == 3
            throw cursor.broken(
                isSwapped
                    ? "it is a big-endian GGUF, and only little-endian ones are read"
                    : "it is GGUF of version \(version), and versions 2 and 3 are read")
        }
    }

    private static func values(_ cursor: inout GGUFCursor, count: Int) throws(CheckpointError) -> [String: GGUFValue] {
        var values: [String: GGUFValue] = [:]
        for _ in 0..<count {
            let key = try cursor.string("a key")
            let type = try cursor.number(UInt32.self, key)
            guard values.updateValue(try cursor.value(type, key), forKey: key) == nil else {
                throw cursor.broken("\(key) is given a second time")
            }
        }
        return values
    }

    private static func alignment(_ metadata: GGUFMetadata) throws(CheckpointError) -> Int {
        guard let value = metadata[alignmentKey] else { return standardAlignment }
        guard case .integer(let alignment) = value, alignment >= 8, alignment <= 1 << 20, alignment.nonzeroBitCount == 1
        else {
            throw .header(
                file: metadata.file, reason: "\(alignmentKey) is not a power of two from 8 to \(1 << 20)")
        }
        return alignment
    }

    private static func description(
        _ cursor: inout GGUFCursor
    ) throws(CheckpointError) -> (tensor: GGUFTensor, offset: UInt64) {
        let name = try cursor.string("a tensor's name")
        func broken(_ reason: String) -> CheckpointError { .entry(file: cursor.file, tensor: name, reason: reason) }
        let rank = try cursor.number(UInt32.self, "the sizes of tensor \"\(name)\"")
        guard (1...4).contains(rank) else { throw broken("it has \(rank) sizes, and one to four are allowed") }
        var shape: [Int] = []
        for _ in 0..<rank {
            let size = try cursor.number(UInt64.self, "the sizes of tensor \"\(name)\"")
            guard size >= 1, size <= 1 << 40 else { throw broken("one of its sizes is \(size)") }
            shape.insert(Int(size), at: 0)
        }
        let number = try cursor.number(UInt32.self, "the type of tensor \"\(name)\"")
        guard let type = GGUFType(number) else { throw broken("its type \(number) is unknown") }
        let columns = shape.last ?? 1
        guard columns % type.blockElements == 0 else {
            throw broken("its rows of \(columns) are not whole blocks of \(type.blockElements) (\(type.name))")
        }
        let offset = try cursor.number(UInt64.self, "the offset of tensor \"\(name)\"")
        let empty = UnsafeRawBufferPointer(start: nil, count: 0)
        return (GGUFTensor(name: name, type: type, shape: shape, bytes: empty), offset)
    }

    /// Gives every tensor its bytes: aligned, inside the data, none in another's.
    private static func located(
        _ found: [(tensor: GGUFTensor, offset: UInt64)], in data: UnsafeRawBufferPointer, alignment: Int, file: String
    ) throws(CheckpointError) -> [GGUFTensor] {
        var tensors: [GGUFTensor] = []
        var ranges: [(range: Range<Int>, name: String)] = []
        for (described, offset) in found {
            var tensor = described
            func broken(_ reason: String) -> CheckpointError { .entry(file: file, tensor: tensor.name, reason: reason) }
            guard let length = tensor.type.bytes(tensor.shape) else {
                throw broken("its shape \(tensor.shape) overflows")
            }
            guard offset % UInt64(alignment) == 0 else {
                throw broken("its offset \(offset) is no multiple of \(alignment)")
            }
            guard offset <= UInt64(data.count), length <= data.count - Int(offset) else {
                throw broken("its \(length) bytes at \(offset) do not lie in the file's \(data.count) bytes of data")
            }
            let range = Int(offset)..<(Int(offset) + length)
            tensor.bytes = UnsafeRawBufferPointer(rebasing: data[range])
            tensors.append(tensor)
            ranges.append((range, tensor.name))
        }
        ranges.sort { $0.range.lowerBound < $1.range.lowerBound }
        for (before, after) in zip(ranges, ranges.dropFirst()) where after.range.lowerBound < before.range.upperBound {
            throw .layout(
                file: file, tensor: after.name, expected: before.range.upperBound, found: after.range.lowerBound)
        }
        return tensors
    }
}
