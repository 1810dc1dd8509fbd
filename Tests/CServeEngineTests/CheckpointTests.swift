// A checkpoint's directory: what is read, what is refused, and that names, shapes and types are compared with the model.

import CServeCore
import Foundation
import Testing

@testable import CServeEngine

@Suite struct CheckpointTests {
    /// A directory that is removed afterwards, with files of given contents.
    private func directory<R>(_ files: [String: [UInt8]], _ body: (String) throws -> R) throws -> R {
        let url = FileManager.default.temporaryDirectory.appending(path: "cserve-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: url) }
        for (name, bytes) in files { try Data(bytes).write(to: url.appending(path: name)) }
        return try body(url.path)
    }

    private func tensors(_ names: [String]) -> [UInt8] {
        SafeTensorsFile.bytes(names.map { ($0, [2, 2]) }, seed: 1)
    }

    private let config = Array("{}".utf8)

    @Test("a single file and shards hold the same tensors; copies for other programs are not read")
    func layouts() throws {
        let single = [
            "config.json": config, "model.safetensors": tensors(["a", "b"]), "consolidated.safetensors": [1],
        ]
        #expect(try directory(single) { try Checkpoint(directory: $0).tensors.keys.sorted() } == ["a", "b"])
        let sharded = [
            "config.json": config, "1.safetensors": tensors(["a"]), "2.safetensors": tensors(["b"]),
            "model.safetensors.index.json": Array(
                #"{"metadata":{},"weight_map":{"a":"1.safetensors","b":"2.safetensors"}}"#.utf8),
        ]
        #expect(try directory(sharded) { try Checkpoint(directory: $0).tensors.keys.sorted() } == ["a", "b"])
    }

    @Test("a directory that cannot be served is refused with advice")
    func refusals() throws {
        func index(_ map: String) -> [UInt8] { Array(#"{"weight_map":\#(map)}"#.utf8) }
        let one = tensors(["a"])
        let cases: [([String: [UInt8]], String)] = [
            ([:], "config.json is missing"),
            (["config.json": config], "holds neither"),
            (["config.json": config, "pytorch_model.bin": [1]], "PyTorch pickles"),
            (["config.json": config, "model.safetensors": []], "the header claims"),
            (["config.json": config, "model.safetensors.index.json": index(#"{"a":"../x.safetensors"}"#)], "outside"),
            (["config.json": config, "model.safetensors.index.json": index(#"{"a":"/etc/passwd"}"#)], "outside"),
            (["config.json": config, "model.safetensors.index.json": index(#"{"a":"1.safetensors"}"#)], "is missing"),
            (["config.json": config, "model.safetensors.index.json": index("{}")], "no weight_map"),
            (["config.json": config, "model.safetensors.index.json": index(#"{"a":3}"#)], "not a string"),
            (
                [
                    "config.json": config, "1.safetensors": one,
                    "model.safetensors.index.json": index(#"{"a":"1.safetensors","b":"1.safetensors"}"#),
                ], "does not hold it"
            ),
            (
                [
                    "config.json": config, "1.safetensors": tensors(["a", "b"]),
                    "model.safetensors.index.json": index(#"{"a":"1.safetensors"}"#),
                ], "tensor \"b\": the index does not name it"
            ),
            (
                [
                    "config.json": config, "1.safetensors": one,
                    "model.safetensors.index.json": index(#"{"a":"1.safetensors","a":"1.safetensors"}"#),
                ], "\"a\" is given a second time"
            ),
            (
                [
                    "config.json": config, "1.safetensors": one, "2.safetensors": one,
                    "model.safetensors.index.json": index(#"{"a":"1.safetensors","b":"2.safetensors"}"#),
                ], "is in"
            ),
        ]
        for (files, words) in cases {
            do {
                _ = try directory(files) { try Checkpoint(directory: $0) }
                Issue.record("accepted: \(words)")
            } catch {
                #expect("\(error)".contains(words), "\(error)")
            }
        }
    }

    @Test("a pipe in a file's place is refused, not waited for")
    func pipe() throws {
        try directory(["config.json": config]) { path in
            #expect(mkfifo(path + "/model.safetensors", 0o600) == 0)
            #expect(
                throws: CheckpointError.unreadable(
                    file: path + "/model.safetensors", reason: "it is not a regular file")
            ) { try Checkpoint(directory: path) }
        }
    }

    /// Llama's tensors with one of them changed.
    private func load(_ change: (inout [(name: String, shape: [Int])]) -> Void, type: String = "F32") throws {
        let configuration = Array(TinyCheckpoint.configurations["llama", default: ""].utf8)
        let shape = try ModelShape.parse(config: configuration)
        var needed = try TensorCheck(model: ModelTable.model(shape)).neededShapes([:]).sorted { $0.key < $1.key }
            .map { (name: $0.key, shape: $0.value) }
        change(&needed)
        var bytes = SafeTensorsFile.bytes(needed, seed: 1)
        if let at = bytes.firstRange(of: Array("F32".utf8)) { bytes.replaceSubrange(at, with: Array(type.utf8)) }
        try bytes.withUnsafeBytes { memory in
            let checkpoint = try Checkpoint(name: "memory", configuration: configuration, weights: memory)
            _ = try ModelRunner(checkpoint: checkpoint, recipe: TinyCheckpoint.recipe(), backend: Reference())
        }
    }

    @Test("missing, unexpected, misshapen and unreadable tensors are named")
    func names() throws {
        #expect(throws: CheckpointError.missingTensors(["lm_head.weight"], files: ["memory"])) {
            try self.load { $0.removeAll { $0.name == "lm_head.weight" } }
        }
        #expect(throws: CheckpointError.unexpectedTensors(["model.layers.4.mlp.up_proj.weight"], files: ["memory"])) {
            try self.load { $0.append(("model.layers.4.mlp.up_proj.weight", [1])) }
        }
        #expect(
            throws: CheckpointError.shape(
                file: "memory", tensor: "model.norm.weight", expected: [32], found: [31])
        ) {
            try self.load { tensors in
                for index in tensors.indices where tensors[index].name == "model.norm.weight" {
                    tensors[index].shape = [31]
                }
            }
        }
        #expect(throws: CheckpointError.elementType(file: "memory", tensor: "lm_head.weight", type: "I32")) {
            try self.load({ _ in }, type: "I32")
        }
        try load { $0.append(("model.layers.0.self_attn.rotary_emb.inv_freq", [4])) }
    }

    @Test("every error has a message that says what and what next")
    func messages() {
        let errors: [CheckpointError] = [
            .missingFile("f"), .unreadable(file: "f", reason: "r"), .pickledWeights(directory: "d", file: "f"),
            .noWeights(directory: "d"), .headerLength(file: "f", length: 9, fileBytes: 3),
            .header(file: "f", reason: "r"), .entry(file: "f", tensor: "t", reason: "r"),
            .layout(file: "f", tensor: "t", expected: 1, found: 2), .dataLength(file: "f", described: 1, present: 2),
            .duplicate(tensor: "t", files: ["a", "b"]), .index(file: "f", reason: "r"),
            .indexPath(file: "f", path: "../x"), .notInShard(tensor: "t", file: "f"),
            .missingTensors(["t"], files: ["f"]),
            .unexpectedTensors(["a", "b", "c", "d", "e", "f"], files: ["f"]),
            .shape(file: "f", tensor: "t", expected: [1], found: [2]),
            .elementType(file: "f", tensor: "t", type: "I8"),
        ]
        for error in errors { #expect(error.description.count > 20, "\(error)") }
        let engine: [EngineError] = [
            .outOfMemory(what: "The weights", bytes: 1), .tokenOutOfRange(token: 9, vocabularySize: 8),
            .batchTooLarge(tokens: 2, limit: 1), .positionOutOfRange(position: 2, maxModelLength: 1),
            .blockOutOfRange(block: 3, totalBlocks: 1), .unknownBackend(name: "x", supported: ["y"]),
            .unsupportedType(field: "dtype", value: "x", supported: ["y"]),
            .quantizationMismatch(asked: "int8", stored: "gptq"), .quantizationMismatch(asked: "awq", stored: nil),
        ]
        for error in engine { #expect(error.description.count > 40) }
    }
}
