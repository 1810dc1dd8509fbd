// `cserve models --catalog` and `cserve hardware` as a stranger sees them.

import Foundation
import Testing

@Suite struct CatalogCommandTests {
    private func object(_ arguments: [String]) throws -> [String: Any] {
        let result: CommandResult = try Command.run(arguments)
        #expect(result.status == 0, "\(result.errors)")
        let value: Any = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
        return try #require(value as? [String: Any])
    }

    @Test("The models of the catalogue are listed with weights and cache")
    func models() throws {
        let list: CommandResult = try Command.run(["models", "--catalog"])
        #expect(list.status == 0)
        let line = try #require(list.output.split(separator: "\n").first { $0.hasPrefix("llama-3-8b ") })
        for word in ["8.03B", "131 kB", "16.1 GB", "yes", "meta-llama/Meta-Llama-3-8B"] {
            #expect(line.contains(word), "\(line)")
        }
        #expect(list.output.contains("deepseek-v3") && list.output.contains("planned"))
        let all: [String: Any] = try object(["models", "--catalog", "--json"])
        #expect((all["models"] as? [Any])?.count ?? 0 >= 48)
    }

    @Test("One model is found as it is typed, and told in full")
    func model() throws {
        let facts: [String: Any] = try object(["models", "--catalog", "meta-llama/Meta-Llama-3-70B-Instruct", "--json"])
        #expect(facts["name"] as? String == "llama-3-70b")
        // Origin: the published total; 80 layers of 2 x 8 heads x 128 numbers in two bytes.
        #expect(facts["parameters"] as? Int == 70_553_706_496)
        #expect(facts["kv_bytes_per_token_bfloat16"] as? Int == 327_680)
        #expect((facts["source"] as? String)?.isEmpty == false)
        let text: CommandResult = try Command.run(["models", "--catalog", "deepseek-r1"])
        #expect(text.output.contains("latent numbers per token and layer: 576"))
        #expect(text.output.contains("served: false"))
    }

    @Test("Accelerators are listed with their cheapest price")
    func hardware() throws {
        let list: CommandResult = try Command.run(["hardware"])
        #expect(list.status == 0)
        let line = try #require(list.output.split(separator: "\n").first { $0.hasPrefix("l4 ") })
        #expect(line.contains("ada") && line.contains("300") && line.contains("0.7068"), "\(line)")
        let aws: CommandResult = try Command.run(["hardware", "--provider", "aws"])
        #expect(aws.output.contains("0.8048") && !aws.output.contains("rtx4090"))
    }

    @Test("One accelerator, one instance, one choice are explained with sources and prices")
    func details() throws {
        let one: CommandResult = try Command.run(["hardware", "A100-SXM4-80GB"])
        #expect(one.output.contains("nvswitch") && one.output.contains("2039 GB/s"))
        #expect(one.output.contains("p4de.24xlarge") && one.output.contains("2026-01-19"))
        let four: CommandResult = try Command.run(["hardware", "4xl4"])
        #expect(four.output.contains("pcie-host") && four.output.contains("g2-standard-48"), "\(four.output)")
        let two: [String: Any] = try object(["hardware", "2x(g6.12xlarge)", "--json"])
        #expect(two["node_count"] as? Int == 2 && two["usd_per_hour"] as? Double == 9.2032)
    }

    @Test("What is printed as JSON is read back as a user's file, and prices are laid over it")
    func ownFile() throws {
        let folder: URL = FileManager.default.temporaryDirectory.appendingPathComponent("cserve-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file: String = folder.appendingPathComponent("l4.json").path
        let printed: String = try Command.run(["hardware", "l4", "--json"]).output
        try Data(printed.utf8).write(to: URL(fileURLWithPath: file))
        let again: CommandResult = try Command.run(["hardware", "l4", "--json", "--hardware", file])
        #expect(again.output == printed, "\(again.errors)")
        let priced: CommandResult = try Command.run(["hardware", "4xl4", "--hardware", file, "--price", "l4=0.5"])
        #expect(priced.output.contains("2.00 USD/h"), "\(priced.output)")
    }

    @Test("A checkpoint of a family that is planned only is told, and refused by name where it would be served")
    func plannedOnly() throws {
        let folder: URL = FileManager.default.temporaryDirectory.appendingPathComponent("cserve-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let config: String = """
            {"architectures": ["DeepseekV2ForCausalLM"], "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2,
             "num_attention_heads": 4, "vocab_size": 64, "kv_lora_rank": 16, "qk_rope_head_dim": 8, "qk_nope_head_dim": 8,
             "v_head_dim": 8}
            """
        let file: URL = folder.appendingPathComponent("config.json")
        try Data(config.utf8).write(to: file)
        for path in [folder.path, file.path] {
            let facts: [String: Any] = try object(["models", "--catalog", path, "--json"])
            // Two layers of a latent of 16 + 8 numbers in two bytes.
            #expect(facts["kv_bytes_per_token_bfloat16"] as? Int == 96)
        }
        // An empty safetensors file: eight bytes of length, an empty object.
        try Data([2, 0, 0, 0, 0, 0, 0, 0] + Array("{}".utf8)).write(
            to: folder.appendingPathComponent("model.safetensors"))
        let result: CommandResult = try Command.run(["models", "inspect", folder.path])
        #expect(result.status == 1)
        #expect(result.errors.contains("deepseek_v2 can be planned"), "\(result.errors)")
    }
}
