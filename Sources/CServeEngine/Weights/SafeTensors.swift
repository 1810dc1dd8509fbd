// The safetensors format: a length, a JSON header, the data; everything that a file claims is checked before it is used.

import CServeCore

/// A tensor in a checkpoint's file.
public struct StoredTensor {
    /// The file, for messages.
    public var file: String
    /// Its name in the file.
    public var name: String
    /// The format's name of its type.
    public var type: String
    /// Its sizes.
    public var shape: [Int]
    /// Its bytes, little endian, at any alignment.
    public var bytes: UnsafeRawBufferPointer
    /// The file that keeps the bytes, or nil for memory that lasts.
    var mapping: MappedFile?
    /// The bytes' place in the file that keeps them.
    var region: MappedRegion? { mapping.map { MappedRegion(file: $0, bytes: bytes) } }
    /// How the numbers are read where they are codes with scales; `bytes` then say nothing.
    var coded: (any CodedMatrix)?
    /// What makes the numbers where no codes of ours hold them; `bytes` are empty then.
    var dequantized: DequantizedMatrix?

    /// The plain numbers: in the file, or made now.
    var numbers: UnsafeRawBufferPointer { dequantized?.bytes ?? bytes }
    /// How its rows lie.
    var order: RowOrder = .plain

    /// The type, where it can be read.
    public var element: ElementType? {
        switch type {
        case "F32": .float32
        case "F16": .float16
        case "BF16": .bfloat16
        default: nil
        }
    }
}

/// Reads one file of the format (huggingface/safetensors, README "Format").
public enum SafeTensors {
    /// The longest header that is read: the format's own limit.
    public static let maximumHeaderBytes = 100_000_000

    /// The sizes of the format's types in bytes.
    private static let sizes: [String: Int] = [
        "BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "F8_E8M0": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2,
        "I32": 4, "U32": 4, "F32": 4, "I64": 8, "U64": 8, "F64": 8, "C64": 8,
    ]

    /// Lists the tensors of a file.
    /// - Throws: ``CheckpointError``, naming file and tensor.
    public static func tensors(
        in bytes: UnsafeRawBufferPointer, file: String, mapping: MappedFile? = nil
    ) throws(CheckpointError) -> [StoredTensor] {
        let header = try header(bytes, file: file)
        let data = UnsafeRawBufferPointer(rebasing: bytes[(8 + header.length)...])
        var entries: [(tensor: StoredTensor, range: Range<Int>)] = []
        for (name, value) in zip(header.object.keys, header.object.values) where name != "__metadata__" {
            entries.append(try entry(name, value, data: data, file: file, mapping: mapping))
        }
        try checkLayout(entries.map { ($0.tensor.name, $0.range) }, dataBytes: data.count, file: file)
        return entries.map(\.tensor)
    }

    private static func header(
        _ bytes: UnsafeRawBufferPointer, file: String
    ) throws(CheckpointError) -> (object: JSONObject, length: Int) {
        guard bytes.count >= 8 else { throw .headerLength(file: file, length: 0, fileBytes: bytes.count) }
        let claimed = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard claimed >= 2, claimed <= UInt64(maximumHeaderBytes), claimed <= UInt64(bytes.count - 8) else {
            throw .headerLength(file: file, length: claimed, fileBytes: bytes.count)
        }
        let length = Int(claimed)
        guard bytes[8] == UInt8(ascii: "{") else { throw .header(file: file, reason: "it does not begin with {") }
        let value: JSONValue
        do {
            value = try JSONValue(parsing: [UInt8](bytes[8..<(8 + length)]), maximumDepth: 8, uniqueKeys: true)
        } catch {
            throw .header(file: file, reason: "\(error)")
        }
        guard let object = value.objectValue else { throw .header(file: file, reason: "it is not an object") }
        try checkMetadata(object["__metadata__"], file: file)
        return (object, length)
    }

    private static func checkMetadata(_ value: JSONValue?, file: String) throws(CheckpointError) {
        guard let value else { return }
        guard let members = value.objectValue, members.values.allSatisfy({ $0.stringValue != nil }) else {
            throw .header(file: file, reason: "__metadata__ is not an object of strings")
        }
    }

    private static func entry(
        _ name: String, _ value: JSONValue, data: UnsafeRawBufferPointer, file: String, mapping: MappedFile?
    ) throws(CheckpointError) -> (tensor: StoredTensor, range: Range<Int>) {
        func broken(_ reason: String) -> CheckpointError { .entry(file: file, tensor: name, reason: reason) }
        guard let object = value.objectValue else { throw broken("its entry is not an object") }
        guard let type = object["dtype"]?.stringValue else { throw broken("it has no dtype") }
        guard let size = sizes[type] else { throw broken("its dtype \"\(type)\" is unknown") }
        guard let dimensions = object["shape"]?.arrayValue else { throw broken("it has no shape") }
        let shape = dimensions.compactMap { if case .integer(let n) = $0, n >= 0 { n } else { nil } }
        guard shape.count == dimensions.count else { throw broken("its shape is not an array of sizes") }
        guard let offsets = object["data_offsets"]?.arrayValue, offsets.count == 2,
            case .integer(let start) = offsets[0], case .integer(let end) = offsets[1]
        else { throw broken("its data_offsets are not two whole numbers") }
        guard 0 <= start, start <= end, end <= data.count else {
            throw broken("its data_offsets [\(start), \(end)] do not lie in the file's \(data.count) bytes of data")
        }
        guard let needed = product(shape, times: size) else { throw broken("its shape \(shape) overflows") }
        guard needed == end - start else {
            throw broken("its shape \(shape) of \(type) needs \(needed) bytes, its data_offsets hold \(end - start)")
        }
        let bytes = UnsafeRawBufferPointer(rebasing: data[start..<end])
        let tensor = StoredTensor(file: file, name: name, type: type, shape: shape, bytes: bytes, mapping: mapping)
        return (tensor, start..<end)
    }

    private static func product(_ shape: [Int], times size: Int) -> Int? {
        var total = size
        for dimension in shape {
            let (next, overflow) = total.multipliedReportingOverflow(by: dimension)
            if overflow { return nil }
            total = next
        }
        return total
    }

    /// Tensors fill the data without overlap and without a hole.
    private static func checkLayout(
        _ entries: [(name: String, range: Range<Int>)], dataBytes: Int, file: String
    ) throws(CheckpointError) {
        var reached = 0
        let ordered = entries.sorted {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }
        for entry in ordered {
            guard entry.range.lowerBound == reached else {
                throw .layout(file: file, tensor: entry.name, expected: reached, found: entry.range.lowerBound)
            }
            reached = entry.range.upperBound
        }
        guard reached == dataBytes else { throw .dataLength(file: file, described: reached, present: dataBytes) }
    }
}
