// Reads a GGUF file's header from front to back; whatever a length claims is compared with the bytes that are left.

import CServeCore

/// A place in a file's bytes that only moves forward and never beyond the end.
struct GGUFCursor {
    let bytes: UnsafeRawBufferPointer
    let file: String
    /// Where the next value begins.
    private(set) var position = 0
    /// Arrays of arrays deeper than this are refused.
    private static let deepest = 4

    init(_ bytes: UnsafeRawBufferPointer, file: String) {
        self.bytes = bytes
        self.file = file
    }

    /// The next little-endian number.
    mutating func number<Number: FixedWidthInteger>(
        _ type: Number.Type, _ what: String
    ) throws(CheckpointError) -> Number {
        let size = MemoryLayout<Number>.size
        guard bytes.count - position >= size else { throw broken("it ends within \(what)") }
        defer { position += size }
        return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Number.self))
    }

    /// The next number as a count of things that take at least `size` bytes each.
    mutating func count(_ what: String, size: Int) throws(CheckpointError) -> Int {
        let claimed = try number(UInt64.self, "the number of \(what)")
        let left = bytes.count - position
        guard claimed <= UInt64(left / size) else {
            throw broken("it claims \(claimed) \(what), and \(left) bytes are left")
        }
        return Int(claimed)
    }

    /// The next string; bytes that are not UTF-8 are replaced.
    mutating func string(_ what: String) throws(CheckpointError) -> String {
        let length = try count("bytes of \(what)", size: 1)
        defer { position += length }
        return String(decoding: bytes[position..<(position + length)], as: UTF8.self)
    }

    /// The next value of a type (`gguf_metadata_value_type`).
    mutating func value(_ type: UInt32, _ key: String, depth: Int = 0) throws(CheckpointError) -> GGUFValue {
        switch type {
        case 6: return .number(try float(key))
        case 7: return .bool(try bool(key))
        case 8: return .string(try string(key))
        case 9: return try array(key, depth: depth)
        case 12: return .number(Double(bitPattern: try number(UInt64.self, key)))
        default: return .integer(try integer(type, key))
        }
    }

    private mutating func float(_ key: String) throws(CheckpointError) -> Double {
        Double(Float(bitPattern: try number(UInt32.self, key)))
    }

    private mutating func bool(_ key: String) throws(CheckpointError) -> Bool {
        let byte = try number(UInt8.self, key)
        guard byte < 2 else { throw broken("\(key) is \(byte), neither false nor true") }
        return byte == 1
    }

    private mutating func integer(_ type: UInt32, _ key: String) throws(CheckpointError) -> Int {
        switch type {
        case 0: Int(try number(UInt8.self, key))
        case 1: Int(try number(Int8.self, key))
        case 2: Int(try number(UInt16.self, key))
        case 3: Int(try number(Int16.self, key))
        case 4: Int(try number(UInt32.self, key))
        case 5: Int(try number(Int32.self, key))
        case 10: Int(clamping: try number(UInt64.self, key))
        case 11: Int(clamping: try number(Int64.self, key))
        default: throw broken("\(key) is of the unknown type \(type)")
        }
    }

    private mutating func array(_ key: String, depth: Int) throws(CheckpointError) -> GGUFValue {
        guard depth < Self.deepest else { throw broken("\(key) nests arrays more than \(Self.deepest) deep") }
        let type = try number(UInt32.self, key)
        guard let size = Self.sizes[type] else { throw broken("\(key) holds the unknown type \(type)") }
        let count = try count("elements of \(key)", size: size)
        switch type {
        case 6, 12:
            return .numbers(
                try list(count) { (cursor) throws(CheckpointError) in
                    type == 6 ? try cursor.float(key) : Double(bitPattern: try cursor.number(UInt64.self, key))
                })
        case 7: return .bools(try list(count) { (cursor) throws(CheckpointError) in try cursor.bool(key) })
        case 8: return .strings(try list(count) { (cursor) throws(CheckpointError) in try cursor.string(key) })
        case 9:
            return .arrays(
                try list(count) { (cursor) throws(CheckpointError) in try cursor.array(key, depth: depth + 1) })
        default:
            return .integers(try list(count) { (cursor) throws(CheckpointError) in try cursor.integer(type, key) })
        }
    }

    private mutating func list<Element>(
        _ count: Int, _ read: (inout GGUFCursor) throws(CheckpointError) -> Element
    ) throws(CheckpointError) -> [Element] {
        var elements: [Element] = []
        elements.reserveCapacity(count)
        for _ in 0..<count { elements.append(try read(&self)) }
        return elements
    }

    /// The bytes that a value of each type takes at least.
    private static let sizes: [UInt32: Int] = [
        0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 8: 8, 9: 12, 10: 8, 11: 8, 12: 8,
    ]

    func broken(_ reason: String) -> CheckpointError { .header(file: file, reason: reason) }
}
