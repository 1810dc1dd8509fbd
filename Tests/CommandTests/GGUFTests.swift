// A GGUF file's text side: the same ids as the tokenizer that its vocabulary came from, its template, and its name.

import CServeCore
import CServeText
import Foundation
import Testing

@testable import CServeEngine
@testable import cserve

@Suite struct GGUFTests {
    private struct Case: Decodable {
        var text: String
        var ids: [Int32]
    }

    private static let folder: String = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fixtures/gguf/mixed").path

    @Test("Weights are called by the standard type only where a matrix has it")
    func labels() {
        let codes: WeightLayout = WeightPacking.cpu.layout(
            .quantized(QuantizedFormat(.int8, group: 32, scale: .float16)))
        var layouts: WeightLayouts = WeightLayouts(WeightPacking.cpu.layout(.plain(.float32)))
        layouts.exceptions[WeightLayouts.Place(.embedding)] = codes
        for role in [WeightRole.qkv, .output, .gateUp] {
            layouts.exceptions[WeightLayouts.Place(role, layer: 0)] = codes
        }
        #expect(ModelReport.weights(layouts).hasPrefix("float32; int8 in groups of 32 with float16 scales ("))
        layouts.exceptions[WeightLayouts.Place(.down, layer: 0)] = codes
        #expect(ModelReport.weights(layouts).hasPrefix("int8 in groups of 32 with float16 scales (embedding, "))
    }

    @Test("ids are sentencepiece's, with control tokens found in the text")
    func sentencePiece() throws {
        let tokenizer: Tokenizer = try Tokenizer(gguf: GGUFShards(path: Self.folder + "/model.gguf").metadata)
        let data: Data = try Data(contentsOf: URL(filePath: Self.folder + "/tokens.json"))
        for one in try JSONDecoder().decode([Case].self, from: data) {
            #expect(tokenizer.encode(one.text) == one.ids, "\(one.text.debugDescription)")
            // A control token begins a stretch of text anew, with a space of its own.
            guard !one.text.contains("</s>") else { continue }
            #expect(tokenizer.decode(one.ids) == one.text, "\(one.text.debugDescription)")
        }
        #expect(tokenizer.bosToken?.id == Int32(1))
        #expect(tokenizer.eosToken?.id == Int32(2))
    }

    /// llama.cpp's own cases: `X.gguf`, texts in `X.gguf.inp`, transformers' ids in `X.gguf.out`.
    /// `CSERVE_GGUF_VOCABULARIES` names the folder (llama.cpp's models/).
    @Test("ids are transformers' on llama.cpp's vocabularies", .enabled(if: vocabularies != nil))
    func published() throws {
        let folder: String = Self.vocabularies ?? ""
        for file in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() where file.hasSuffix(".gguf") {
            let path: String = folder + "/" + file
            guard FileManager.default.fileExists(atPath: path + ".inp") else { continue }
            let tokenizer: Tokenizer
            do {
                tokenizer = try Tokenizer(gguf: GGUFShards(path: path).metadata)
            } catch {
                print("vocabulary \(file): \(error)")
                continue
            }
            let texts: [String] = try String(contentsOfFile: path + ".inp", encoding: .utf8)
                .components(separatedBy: "\n__ggml_vocab_test__\n")
            let lines: [String] = try String(contentsOfFile: path + ".out", encoding: .utf8)
                .components(separatedBy: "\n")
            var wrong: Int = 0
            for (text, line) in zip(texts, lines) {
                let ids: [Int32] = line.split(separator: " ").compactMap { Int32($0) }
                let found: [Int32] = tokenizer.encode(text, addSpecialTokens: false)
                if found != ids {
                    wrong += 1
                    print("vocabulary \(file): \(text.debugDescription): \(found), not \(ids)")
                }
            }
            print("vocabulary \(file): \(wrong) of \(texts.count) differ")
        }
    }

    private static let vocabularies: String? = ProcessInfo.processInfo.environment["CSERVE_GGUF_VOCABULARIES"]

    @Test("the template comes with the file")
    func template() throws {
        let metadata: GGUFMetadata = try GGUFShards(path: Self.folder + "/model.gguf").metadata
        let configuration: JSONValue = try JSONValue(parsing: [UInt8](Tokenizer.configuration(gguf: metadata)))
        let source: String = configuration["chat_template"]?.stringValue ?? ""
        #expect(source.contains("m['role']"))
        let template: ChatTemplate? = try ChatTemplate(ggufConfiguration: Tokenizer.configuration(gguf: metadata))
        #expect(template != nil)
    }

    @Test("an unknown tokenizer is refused with the known ones")
    func unknown() throws {
        let tokens: GGUFValue = .strings(["a"])
        let key: String = "tokenizer.ggml."
        for (values, words) in [
            ([key + "model": GGUFValue.string("t5"), key + "tokens": tokens], "supported: llama, gpt2"),
            ([key + "model": .string("gpt2"), key + "tokens": tokens, key + "pre": .string("new")], "qwen2"),
            ([key + "model": .string("gpt2")], "no list of tokens"),
            (
                [key + "model": .string("gpt2"), key + "tokens": tokens, key + "pre": .string("qwen2")],
                "no list of merges"
            ),
        ] {
            let error: TokenizerError? = #expect(throws: TokenizerError.self) {
                try Tokenizer(gguf: GGUFMetadata(file: "x.gguf", values: values))
            }
            #expect("\(error!)".contains(words), "\(error!)")
        }
    }

    @Test("a file serves under its name without folder, part and ending")
    func names() {
        #expect(ModelLoader.plainName("/models/Llama-Q4_K_M.gguf") == "Llama-Q4_K_M")
        #expect(ModelLoader.plainName("a/big-00001-of-00003.gguf") == "big")
        #expect(ModelLoader.plainName("/models/Llama") == "/models/Llama")
    }
}
