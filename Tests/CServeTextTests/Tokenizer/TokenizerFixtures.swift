// Where the committed tokenizers and their expected ids are, and how tests read them.
import CServeCore
import Foundation
import Testing

@testable import CServeText

enum Fixtures {
    static let names = [
        "bert", "deepseek", "gemma", "gpt2", "gpt2-prefix", "gpt4-odd", "gpt4o", "kimi", "llama2", "llama3", "mistral",
        "phi3",
        "qwen2", "t5", "tekken", "unigram-nfkc",
    ]

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fixtures/tokenizers")

    /// What PyPI tokenizers made of the fixtures' texts (Tools/tokenizer/make_golden.py).
    struct Golden: Decodable {
        var ids: [[TokenID]]
        var plain: [[TokenID]]
        var decoded: [String]
        var hashes: String
    }

    static func tokenizer(_ name: String) throws -> Tokenizer {
        try Tokenizer(directory: folder.appendingPathComponent(name))
    }

    static func golden(_ name: String) throws -> Golden {
        let url = folder.appendingPathComponent(name).appendingPathComponent("golden.json")
        return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: url))
    }

    /// The texts of a file with one JSON string per line.
    static func texts(_ file: String) throws -> [String] {
        let data = try Data(contentsOf: folder.appendingPathComponent(file))
        return try data.split(separator: 0x0A).map { try JSONDecoder().decode(String.self, from: $0) }
    }

    /// FNV-1a (32 bits) over the ids' little-endian bytes, as the generator writes it.
    static func hash(_ ids: [TokenID]) -> String {
        var value: UInt32 = 0x811C_9DC5
        for id in ids {
            for shift in stride(from: UInt32(0), to: 32, by: 8) {
                value = (value ^ (UInt32(bitPattern: id) >> shift & 0xFF)) &* 0x0100_0193
            }
        }
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// A byte-level tokenizer of 256 tokens plus added tokens, for tests that need no trained vocabulary.
    static func byteLevelJSON(_ added: String = "", extra: String = "", normalizer: String = "null") -> String {
        let tokens = (0..<256).map { byte -> String in
            let text = String(decoding: ByteLevelAlphabet.character(of: UInt8(byte)), as: UTF8.self)
            let escaped = text == "\"" || text == "\\" ? "\\" + text : text
            return "\"\(escaped)\":\(byte)"
        }
        return """
            {"version":"1.0","added_tokens":[\(added)],"normalizer":\(normalizer),"pre_tokenizer":
            {"type":"ByteLevel","add_prefix_space":false,"use_regex":true},"post_processor":null,
            "decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{\(tokens.joined(separator: ","))\(extra)},
            "merges":[]}}
            """
    }
}
