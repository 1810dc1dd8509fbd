// The GGUF container's faults, one by one, at every length and at random: each is refused, none crashes or fills
// memory.

import CServeCore
import Foundation
import Testing

@testable import CServeEngine

@Suite struct GGUFFileTests {
    private func read(_ bytes: [UInt8]) throws -> GGUFFile {
        try bytes.withUnsafeBytes { try GGUFFile($0, file: "x.gguf") }
    }

    private func file(_ build: (inout GGUFBytes) -> Void) -> [UInt8] {
        var file = GGUFBytes()
        build(&file)
        return file.bytes
    }

    /// A value of every type, and two tensors.
    private var whole: [UInt8] {
        file { file in
            file.head(tensors: 2, values: 9)
            file.add("a.u8")
            file.add(UInt32(0))
            file.add(UInt8(200))
            file.add("a.i16")
            file.add(UInt32(3))
            file.add(Int16(-3))
            file.add("a.f32")
            file.add(UInt32(6))
            file.add(Float(0.5).bitPattern)
            file.add("a.bool")
            file.add(UInt32(7))
            file.add(UInt8(1))
            file.add("a.text")
            file.add(UInt32(8))
            file.add("é")
            file.add("a.u64")
            file.add(UInt32(10))
            file.add(UInt64.max)
            file.add("a.f64")
            file.add(UInt32(12))
            file.add(Double(0.25).bitPattern)
            file.add("a.texts")
            file.add(UInt32(9))
            file.add(UInt32(8))
            file.add(UInt64(2))
            file.add("x")
            file.add("y")
            file.add("a.nested")
            file.add(UInt32(9))
            file.add(UInt32(9))
            file.add(UInt64(1))
            file.add(UInt32(5))
            file.add(UInt64(1))
            file.add(Int32(-7))
            file.tensor("t", [32, 2], type: 8, offset: 0)
            file.tensor("u", [3], type: 0, offset: 96)
            file.data(108)
        }
    }

    @Test("metadata of every type and tensors are read")
    func reads() throws {
        let found = try read(whole)
        #expect(
            found.metadata.values == [
                "a.u8": .integer(200), "a.i16": .integer(-3), "a.f32": .number(0.5), "a.bool": .bool(true),
                "a.text": .string("é"), "a.u64": .integer(.max), "a.f64": .number(0.25),
                "a.texts": .strings(["x", "y"]),
                "a.nested": .arrays([.integers([-7])]),
            ])
        #expect(found.tensors.map(\.name) == ["t", "u"])
        #expect(found.tensors.map(\.shape) == [[2, 32], [3]])
        #expect(found.tensors.map(\.bytes.count) == [68, 12])
    }

    @Test("a file cut anywhere is refused")
    func cuts() {
        let bytes = whole
        for length in bytes.indices { #expect(throws: CheckpointError.self) { try read(Array(bytes[..<length])) } }
    }

    @Test("a file with any byte changed is read or refused, and never crashes")
    func flips() {
        let bytes = whole
        var random = SplitMix(state: 11)
        for index in bytes.indices {
            for _ in 0..<4 {
                var changed = bytes
                changed[index] = UInt8.random(in: 0...255, using: &random)
                _ = try? read(changed)
            }
        }
    }

    private static let faults: [(words: String, build: @Sendable (inout GGUFBytes) -> Void)] = [
        ("does not begin with GGUF", { $0.head(magic: "GGML", tensors: 0, values: 0) }),
        ("version 1", { $0.head(version: 1, tensors: 0, values: 0) }),
        ("version 4", { $0.head(version: 4, tensors: 0, values: 0) }),
        ("big-endian", { $0.head(version: UInt32(3).byteSwapped, tensors: 0, values: 0) }),
        ("claims 18446744073709551615 metadata values", { $0.head(tensors: 0, values: .max) }),
        ("claims 18446744073709551615 tensors", { $0.head(tensors: .max, values: 0) }),
        (
            "elements of k",
            {
                $0.head(tensors: 0, values: 1)
                $0.add("k")
                $0.add(UInt32(9))
                $0.add(UInt32(0))
                $0.add(UInt64(1) << 62)
            }
        ),
        (
            "nests arrays",
            {
                $0.head(tensors: 0, values: 1)
                $0.add("k")
                $0.add(UInt32(9))
                for _ in 0..<6 {
                    $0.add(UInt32(9))
                    $0.add(UInt64(1))
                }
                $0.data(64)
            }
        ),
        (
            "unknown type 13",
            {
                $0.head(tensors: 0, values: 1)
                $0.add("k")
                $0.add(UInt32(13))
                $0.data(64)
            }
        ),
        (
            "second time",
            {
                $0.head(tensors: 0, values: 2)
                for _ in 0..<2 {
                    $0.add("k")
                    $0.add(UInt32(4))
                    $0.add(UInt32(1))
                }
            }
        ),
        (
            "general.alignment",
            {
                $0.head(tensors: 0, values: 1)
                $0.add("general.alignment")
                $0.add(UInt32(4))
                $0.add(UInt32(24))
            }
        ),
        ("5 sizes", { $0.one([1, 1, 1, 1, 1], type: 0, offset: 0) }),
        ("0 sizes", { $0.one([], type: 0, offset: 0) }),
        ("one of its sizes is 0", { $0.one([0], type: 0, offset: 0) }),
        ("one of its sizes is 18446744073709551615", { $0.one([.max], type: 0, offset: 0) }),
        ("overflows", { $0.one([1 << 40, 1 << 40], type: 0, offset: 0) }),
        ("type 200 is unknown", { $0.one([4], type: 200, offset: 0) }),
        ("not whole blocks of 32 (Q8_0)", { $0.one([33], type: 8, offset: 0) }),
        ("not whole blocks of 256 (Q4_K)", { $0.one([128], type: 12, offset: 0) }),
        ("no multiple of 32", { $0.one([4], type: 0, offset: 8) }),
        ("do not lie in", { $0.one([4], type: 0, offset: 128) }),
        ("do not lie in", { $0.one([4], type: 0, offset: 1 << 63) }),
        (
            "overlap",
            {
                $0.head(tensors: 2, values: 0)
                $0.tensor("a", [16], type: 0, offset: 0)
                $0.tensor("b", [16], type: 0, offset: 32)
                $0.data(128)
            }
        ),
    ]

    @Test("a broken file is refused, and the message says where", arguments: faults.indices)
    func refused(_ index: Int) throws {
        let (words, build) = Self.faults[index]
        let error = #expect(throws: CheckpointError.self) { try read(file(build)) }
        #expect("\(error!)".contains(words), "\(error!)")
        #expect("\(error!)".contains("x.gguf"))
    }

    @Test("blocks of every type hold what gguf's dequantisation gives, bit by bit")
    func blocks() throws {
        let mapping = try MappedFile(path: GGUFBytes.fixtures + "/blocks.gguf")
        let tensors = try GGUFFile(mapping.bytes, file: "blocks.gguf").tensors
        let values = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0) })
        var types: Set<String> = []
        for tensor in tensors where tensor.type.format != nil {
            let matrix = try #require(
                GGUFMatrix(tensor.type, bytes: tensor.bytes, columns: 512, order: .plain, mapping: mapping))
            #expect(matrix.rows == 2 && matrix.columns == 512)
            let expected = try #require(values[tensor.name + ".values"]).bytes
            let codes = CodeRows(matrix.format, rows: 2, columns: 512)
            matrix.read(rows: 0..<2, codes: codes.codes, scales: codes.scales, minimums: codes.minimums)
            let zero: Float = matrix.format.hasMinimums ? 0 : matrix.format.code == .int4 ? 8 : 128
            for index in 0..<1024 {
                let group = index / matrix.format.group!
                let value = codes.scales[group] * (Float(codes.codes[index]) - zero) - (codes.minimums?[group] ?? 0)
                let right = expected.loadUnaligned(fromByteOffset: index * 4, as: Float.self)
                guard value != right else { continue }
                Issue.record("\(tensor.name): number \(index) is \(value), not \(right)")
                break
            }
            types.insert(tensor.name)
        }
        #expect(types.count == 12)
    }

    @Test("a part of a split file stands for all of them")
    func split() {
        #expect(GGUFShards.paths("/a/m.gguf") == ["/a/m.gguf"])
        #expect(GGUFShards.paths("m-00002-of-00002.gguf") == ["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"])
        #expect(GGUFShards.paths("m-00003-of-00002.gguf") == ["m-00003-of-00002.gguf"])
        #expect(GGUFShards.paths("m-0000x-of-00002.gguf") == ["m-0000x-of-00002.gguf"])
    }

    @Test("interleaved rows and their runs agree")
    func rowOrder() {
        let order = RowOrder.interleaved(head: 6)
        #expect((0..<12).map { order.stored($0) } == [0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11])
        for first in 0..<12 {
            for last in first...12 {
                let runs = order.runs(first..<last).flatMap { run in (0..<run.count).map { run.first + $0 * run.step } }
                #expect(runs == (first..<last).map { order.stored($0) })
            }
        }
    }
}

extension GGUFBytes {
    /// A file of one tensor with 64 bytes of data.
    fileprivate mutating func one(_ sizes: [UInt64], type: UInt32, offset: UInt64) {
        head(tensors: 1, values: 0)
        tensor("t", sizes, type: type, offset: offset)
        data(64)
    }
}
