// The safetensors format's faults, one by one and at random: each is refused with its file and tensor, none crashes.

import CServeCore
import Foundation
import Testing

@testable import CServeEngine

@Suite struct SafeTensorsTests {
    private func read(_ bytes: [UInt8]) throws -> [StoredTensor] {
        try bytes.withUnsafeBytes { try SafeTensors.tensors(in: $0, file: "x") }
    }

    private func read(_ header: String, data: Int = 8) throws -> [StoredTensor] {
        try read(SafeTensorsFile.file(header: header, data: Array(repeating: 0, count: data)))
    }

    @Test("a file's tensors come with name, type, shape and bytes")
    func reads() throws {
        let header =
            #"{"__metadata__":{"format":"pt"},"b":{"dtype":"BF16","shape":[2],"data_offsets":[4,8]},"a":{"dtype":"F16","shape":[1,2],"data_offsets":[0,4]},"e":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}} "#
        let found = try read(header)
        #expect(found.map(\.name) == ["b", "a", "e"])
        #expect(found.map(\.element) == [.bfloat16, .float16, .float32])
        #expect(found.map(\.shape) == [[2], [1, 2], [0]])
        #expect(found.map(\.bytes.count) == [4, 4, 0])
        #expect(try read("{}", data: 0).isEmpty)
    }

    static let faults: [(String, String)] = [
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, "needs 8 bytes"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, "describes 4 bytes"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, "leave a hole"),
        (
            #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
            "overlap"
        ),
        (#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}"#, "do not lie in"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, "do not lie in"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}"#, "do not lie in"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8.5]}}"#, "two whole numbers"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}"#, "two whole numbers"),
        (#"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#, "not an array of sizes"),
        (#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}"#, "overflows"),
        (#"{"a":{"dtype":"Q4","shape":[2],"data_offsets":[0,8]}}"#, "\"Q4\" is unknown"),
        (#"{"a":{"shape":[2],"data_offsets":[0,8]}}"#, "no dtype"),
        (#"{"a":{"dtype":"F32","data_offsets":[0,8]}}"#, "no shape"),
        (#"{"a":3}"#, "not an object"),
        (
            #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
            "\"a\" is given a second time"
        ),
        (#"{"__metadata__":{"x":1},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, "__metadata__"),
        (#"{"a":"#, "header is broken"),
        ("[1,2,3]", "does not begin with {"),
    ]

    @Test("a broken header is refused, and the message says where", arguments: faults.indices)
    func refused(_ index: Int) throws {
        let (header, words) = Self.faults[index]
        do {
            _ = try read(header)
            Issue.record("accepted: \(header)")
        } catch {
            #expect("\(error)".contains(words), "\(error)")
            #expect("\(error)".hasPrefix("x"))
        }
    }

    @Test("a header length that does not fit the file is refused")
    func lengths() throws {
        for length in [0, 1, 9, 100_000_001, UInt64.max] {
            let bytes = withUnsafeBytes(of: length.littleEndian) { Array($0) } + Array("{}".utf8)
            #expect(throws: CheckpointError.self, "\(length)") { try self.read(bytes) }
        }
        #expect(throws: CheckpointError.self) { try self.read([1, 2, 3]) }
        #expect(throws: CheckpointError.self) { try self.read([UInt8]()) }
    }

    @Test("no corruption of a checkpoint crashes the reader (5000 seeded mutations)")
    func fuzz() throws {
        var random = SplitMix(state: 3)
        let source = SafeTensorsFile.bytes([("a", [2, 3]), ("b", [4]), ("c", [1, 2])], seed: 1)
        var accepted = 0
        for _ in 0..<5000 {
            var bytes = source
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let at = Int.random(in: 0..<min(bytes.count, 200), using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: at)
                case 2: bytes.insert(UInt8.random(in: 48...57, using: &random), at: at)
                default: bytes.removeLast(Int.random(in: 0...(bytes.count / 4), using: &random))
                }
            }
            if let tensors = try? read(bytes) {
                accepted += 1
                for tensor in tensors { #expect(tensor.bytes.count <= bytes.count) }
            }
        }
        #expect(accepted < 5000)
    }
}
