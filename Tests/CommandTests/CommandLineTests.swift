// What a stranger sees of the command line.

import Foundation
import Testing

@Suite(.serialized)
struct CommandLineTests {
    private static let fixtures: String = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fixtures").path

    @Test("Help tells what there is, with examples")
    func help() throws {
        let top: CommandResult = try Command.run(["--help"])
        #expect(top.status == 0)
        for word in ["serve", "chat", "models", "perplexity", "EXAMPLES", "--version"] {
            #expect(top.output.contains(word))
        }
        let serve: CommandResult = try Command.run(["serve", "--help"])
        for flag in [
            "--model", "--served-model-name", "--host", "--port", "--max-model-len", "--api-key", "--recipe",
            "--tensor-parallel-size", "--block-size", "--max-num-seqs", "--enable-prefix-caching", "--log-json",
            "--spec-proposer", "--spec-tokens", "--speculative-config",
        ] {
            #expect(serve.output.contains(flag), "\(flag)")
        }
    }

    @Test("The version is a number")
    func version() throws {
        let flag: CommandResult = try Command.run(["--version"])
        #expect(flag.status == 0)
        #expect(flag.output.split(separator: ".").count == 3)
        #expect(try Command.run(["version"]).output == flag.output)
    }

    @Test("Shell completion is written for bash")
    func completion() throws {
        let script: CommandResult = try Command.run(["--generate-completion-script", "bash"])
        #expect(script.status == 0)
        #expect(script.output.contains("--max-model-len"))
    }

    @Test(
        "Mistakes end with code 64 (usage) or 1 (failure) and a sentence that helps",
        arguments: [
            (["serve", "--prot", "1"], 64, "port"),
            (["serve", "--port", "99999"], 64, "Choose 0 to 65535"),
            (["serve", "--root-path", "llm"], 64, "begins with a slash"),
            (["serve", "--log-level", "loud"], 64, "Choose one of"),
            (["serve", "--generation-config", "x"], 64, "Choose auto or vllm"),
            (["serve", "--model", "/nowhere/at/all"], 1, "no checkpoint folder"),
            (["serve", "--tensor-parallel-size", "2"], 1, "tensor_parallel_size"),
            (["serve", "--quantization", "int3"], 1, "int8, int4, fp8"),
            (["serve", "--quantization", "awq", "--port", "0"], 1, "weights are not quantised"),
            (["perplexity", "--file", "/nowhere.txt"], 1, "cannot be read"),
            (["serve", "--device", "tpu"], 1, "Choose one of"),
            (["serve", "--recipe", "/nowhere.yaml"], 1, "cannot be read as a recipe"),
            (["serve", "--api-key", ""], 64, "--api-key has an empty key"),
            (["serve", "--api-key", "good", "two words"], 64, "--api-key has an empty key"),
            (["serve", "--max-model-len", "100000", "--port", "0"], 1, "made for 2048 tokens"),
            (["models", "inspect", "/nowhere"], 1, "no checkpoint folder"),
            (["models", "--catalog", "llama-9"], 1, "There is no model"),
            (["models", "llama-3-8b"], 64, "cserve models --catalog llama-3-8b"),
            (["hardware", "5xl5"], 1, "Near: l4"),
            (["hardware", "--provider", "ibm"], 1, "Choose one of aws, azure, gcp"),
            (["hardware", "--price", "l4"], 1, "is not a price"),
            (["hardware", "--hardware", "/nowhere.json"], 1, "cannot be read"),
            (["serve", "--enable-lora"], 64, "Merge the adapter"),
            (["serve", "--speculative-config", "{"], 64, "not a JSON object"),
            (
                ["serve", "--speculative-config", #"{"method": "ngram", "draft_model": "x"}"#], 64,
                "draft_model cannot be"
            ),
            (["serve", "--speculative-config", #"{"num_speculative_tokens": 4}"#], 64, "names no method"),
            (["serve", "--speculative-config", #"{"method": "eagle"}"#], 1, "spec_proposer is eagle"),
            (["serve", "--spec-proposer", "ngram", "--spec-tokens", "99"], 1, "spec_tokens is 99"),
            (["serve", "--num-speculative-tokens=4"], 64, "--spec-tokens"),
            (["serve", "--swap-space=4"], 64, "recomputed"),
            (["chat", "--url", "https://example.org"], 1, "http://HOST:PORT"),
        ])
    func mistakes(arguments: [String], status: Int32, hint: String) throws {
        let result: CommandResult = try Command.run(arguments)
        #expect(result.status == status)
        #expect(result.errors.contains(hint), "\(result.errors)")
    }

    @Test(
        "Quantising the built-in model costs less than 0.5 percent of perplexity in int8, less than 4 in int4",
        arguments: [("int8", 0.5, 0.002), ("int4", 4.0, 0.03)])
    func perplexity(quantization: String, percent: Double, divergence: Double) throws {
        let result: CommandResult = try Command.run([
            "perplexity", "--file", Self.fixtures + "/demo-documents.txt", "--tokens", "2048", "--quantization",
            quantization, "--json",
        ])
        #expect(result.status == 0, "\(result.errors)")
        let facts = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
        // docs/results/quantization.md: 0.13 and 0.76 percent, 0.0003 and 0.0121 nats.
        #expect(abs(try #require(facts?["increase_percent"] as? Double)) < percent)
        #expect(try #require(facts?["kl_mean_nats"] as? Double) < divergence)
        #expect(facts?["tokens"] as? Int == 2044)
    }

    @Test("TLS without the trait is refused with advice")
    func tls() throws {
        let result: CommandResult = try Command.run(
            ["serve", "--port", "0", "--device", "null", "--ssl-certfile", "/a.pem", "--ssl-keyfile", "/b.pem"])
        #expect(result.status == 1)
        #expect(result.errors.contains("--traits TLS") || result.errors.contains("/a.pem cannot be used"))
    }

    @Test("Models are listed, the built-in one is inspected, a broken folder is refused with its file")
    func models() throws {
        #expect(try Command.run(["models"]).output.contains("LlamaForCausalLM"))
        let inspected: CommandResult = try Command.run(["models", "inspect", "cserve-demo", "--json"])
        #expect(inspected.status == 0)
        #expect(inspected.output.contains("\"family\": \"llama\""))
        let folder: URL = FileManager.default.temporaryDirectory.appendingPathComponent("cserve-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data("{".utf8).write(to: folder.appendingPathComponent("config.json"))
        let refused: CommandResult = try Command.run(["models", "inspect", folder.path])
        #expect(refused.status == 1)
        #expect(refused.errors.contains(folder.path) || refused.errors.contains("config.json"))
        let asJSON: CommandResult = try Command.run(["models", "inspect", folder.path, "--json"])
        #expect(asJSON.status == 1)
        #expect(asJSON.output.contains("\"error\": "))
    }

    @Test("Recipes in YAML and JSON are obeyed; flags override them; other names are refused")
    func recipes() throws {
        let folder: URL = FileManager.default.temporaryDirectory.appendingPathComponent("cserve-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text, hint) in [
            ("a.yaml", "max_num_seqs: 0\n", "max_num_seqs is 0"),
            ("b.json", #"{"block_size": 0, "use_flashinfer": false}"#, "block_size is 0"),
            ("c.yaml", "spec_tokens: 4\n", "spec_tokens is 4, but no spec_proposer is named"),
            ("d.yaml", "max_num_seq: 4\n", "Did you mean max_num_seqs"),
            ("e.yaml", "max_num_seqs: many\n", "max_num_seqs cannot be"),
            ("f.yaml", "- 1\n", "names and values"),
            ("g.yaml", "model: /nowhere/x\ntokenizer: /nowhere/x\n", "no checkpoint folder"),
            ("h.yaml", "model: /nowhere/x\ntokenizer: /nowhere/y\n", "tokenizer is read from the model"),
        ] {
            let file: String = folder.appendingPathComponent(name).path
            try Data(text.utf8).write(to: URL(fileURLWithPath: file))
            let result: CommandResult = try Command.run(["serve", "--recipe", file])
            #expect(result.status == 1)
            #expect(result.errors.contains(hint), "\(result.errors)")
        }
        let overridden: CommandResult = try Command.run(
            ["serve", "--recipe", folder.appendingPathComponent("a.yaml").path, "--max-num-seqs", "70000"])
        #expect(overridden.errors.contains("max_num_seqs is 70000"))
    }
}
