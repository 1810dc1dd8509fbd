// The shipped models: their weights are counted exactly, and their names are found as people type them.

import CServeCore
import CServeCost
import Testing

/// Numbers of weights as published.
///
/// Origin: a survey of published totals (the sums of the safetensors files' tensors as Hugging Face shows them), but for the
/// last block, whose totals are recalled from the models' pages; the model card of gpt-oss says 20.9 and 116.8 billion.
private let published: [(String, Int)] = [
    ("meta-llama/Llama-2-7b", 6_738_415_616), ("meta-llama/Llama-2-13b", 13_015_864_320),
    ("meta-llama/Llama-2-70b", 68_976_648_192), ("codellama/CodeLlama-7b", 6_738_546_688),
    ("codellama/CodeLlama-13b", 13_016_028_160), ("codellama/CodeLlama-34b", 33_743_970_304),
    ("codellama/CodeLlama-70b", 68_976_910_336), ("meta-llama/Meta-Llama-3-8B", 8_030_261_248),
    ("meta-llama/Meta-Llama-3-70B", 70_553_706_496), ("meta-llama/Llama-3.1-8B", 8_030_261_248),
    ("meta-llama/Llama-3.1-70B", 70_553_706_496), ("meta-llama/Llama-3.1-405B", 405_853_388_800),
    ("meta-llama/Llama-3.2-1B", 1_235_814_400), ("meta-llama/Llama-3.2-3B", 3_212_749_824),
    ("mistralai/Mistral-7B-v0.1", 7_241_732_096), ("mistralai/Mistral-7B-v0.3", 7_248_023_552),
    ("mistralai/Mixtral-8x7B-v0.1", 46_702_792_704), ("mistralai/Mixtral-8x22B-v0.1", 140_620_634_112),
    ("google/gemma-2b", 2_506_172_416), ("google/gemma-7b", 8_537_680_896), ("google/gemma-2-2b", 2_614_341_888),
    ("google/gemma-2-9b", 9_241_705_984), ("google/gemma-2-27b", 27_227_128_320),
    ("google/gemma-3-1b", 999_885_952), ("google/gemma-3-4b", 3_880_263_168), ("google/gemma-3-12b", 11_766_034_176),
    ("google/gemma-3-27b", 27_009_346_304), ("Qwen/Qwen2.5-0.5B", 494_032_768), ("Qwen/Qwen2.5-1.5B", 1_543_714_304),
    ("Qwen/Qwen2.5-3B", 3_085_938_688), ("Qwen/Qwen2.5-7B", 7_615_616_512), ("Qwen/Qwen2.5-14B", 14_770_033_664),
    ("Qwen/Qwen2.5-32B", 32_763_876_352), ("Qwen/Qwen2.5-72B", 72_706_203_648), ("Qwen/Qwen3-0.6B", 596_049_920),
    ("Qwen/Qwen3-1.7B", 1_720_574_976), ("Qwen/Qwen3-4B", 4_022_468_096), ("Qwen/Qwen3-8B", 8_190_735_360),
    ("Qwen/Qwen3-14B", 14_768_307_200), ("Qwen/Qwen3-32B", 32_762_123_264), ("Qwen/Qwen3-30B-A3B", 30_532_122_624),
    ("Qwen/Qwen3-235B-A22B", 235_093_634_560), ("microsoft/Phi-3-mini-4k", 3_821_079_552),
    ("microsoft/Phi-3-medium-4k", 13_960_238_080), ("deepseek-ai/DeepSeek-V2-Lite", 15_706_484_224),
    ("deepseek-ai/DeepSeek-V3", 671_026_419_200),
    ("openai/gpt-oss-20b", 20_914_757_184), ("openai/gpt-oss-120b", 116_829_156_672),
    ("EleutherAI/gpt-j-6b", 6_050_882_784), ("tiiuae/falcon-7b", 7_217_189_760),
    ("tiiuae/falcon-180B", 179_522_565_120),
    ("facebook/opt-6.7b", 6_658_473_984), ("microsoft/phi-2", 2_779_683_840),
]

@Suite struct ModelCatalogTests {
    @Test("every published number of weights is met exactly")
    func counts() throws {
        let catalog = try ShippedCatalogs.models()
        for (name, parameters) in published {
            let entry = try catalog.require(name)
            #expect(entry.shape.parameterCount == parameters, "\(name)")
            #expect(entry.publishedParameters == parameters, "\(name)")
        }
        for entry in catalog.entries {
            if let parameters = entry.publishedParameters {
                #expect(entry.shape.parameterCount == parameters, "\(entry.name)")
            }
        }
    }

    @Test(
        "names are found as people type them",
        arguments: [
            ("llama-3-8b", "llama-3-8b"), ("meta-llama/Meta-Llama-3-8B-Instruct", "llama-3-8b"),
            ("LLAMA3-8B", "llama-3-8b"), ("Llama 3.1 70B", "llama-3.1-70b"),
            ("meta-llama/Llama-3.1-8B-Instruct", "llama-3.1-8b"), ("meta-llama/Llama-2-7b-hf", "llama-2-7b"),
            ("meta-llama/Llama-2-70b-chat-hf", "llama-2-70b"), ("LLaMA 70B", "llama-2-70b"),
            ("huggyllama/llama-7b", "llama-7b"), ("mixtral-8x7b", "mixtral-8x7b"),
            ("mistralai/Mixtral-8x7B-Instruct-v0.1", "mixtral-8x7b"), ("mistral-7b", "mistral-7b-v0.3"),
            ("mistralai/Mistral-7B-v0.1", "mistral-7b-v0.1"), ("google/gemma-2-9b-it", "gemma-2-9b"),
            ("google/gemma-3-27b-it", "gemma-3-27b"), ("Qwen/Qwen2-7B", "qwen2.5-7b"), ("qwen2.5-7b", "qwen2.5-7b"),
            ("Qwen/QwQ-32B", "qwen2.5-32b"), ("deepseek-ai/DeepSeek-R1", "deepseek-v3"),
            ("microsoft/Phi-3-mini-4k-instruct", "phi-3-mini-4k"),
            ("Qwen/Qwen3-30B-A3B-Instruct-2507", "qwen3-30b-a3b"), ("GPT-J 6B", "gpt-j-6b"),
            ("Falcon 180B", "falcon-180b"), ("MiniMaxAI/MiniMax-M2.5", "minimax-m2"),
        ])
    func names(typed: String, name: String) throws {
        #expect(try ShippedCatalogs.models().entry(named: typed)?.name == name)
    }

    @Test("names of different models are different, whatever their punctuation")
    func distinct() throws {
        let catalog = try ShippedCatalogs.models()
        for entry in catalog.entries {
            for name in [entry.name, entry.id] + entry.aliases {
                #expect(catalog.entry(named: name)?.name == entry.name, "\(name)")
            }
        }
    }

    @Test("a miss lists near names")
    func miss() throws {
        let catalog = try ShippedCatalogs.models()
        #expect(throws: CatalogError.self) { try catalog.require("llama-9-8b") }
        do {
            _ = try catalog.require("someone/llama-3.1-8x")
        } catch {
            #expect(error.description.contains("llama-3.1-8b"), "\(error)")
        }
    }

    @Test("a broken file names its model and field")
    func broken() throws {
        func refused(_ text: String) -> String {
            do {
                _ = try ModelCatalog(CatalogFile(name: "mine.json", bytes: Array(text.utf8)))
                return "accepted"
            } catch {
                return error.description
            }
        }
        #expect(refused("[]").contains("mine.json is not a JSON object"))
        #expect(refused(#"{"schema": "x"}"#).contains("cserve-models/1"))
        let head = #"{"schema": "cserve-models/1", "models": [{"name": "m", "id": "a/m", "#
        #expect(refused(head + #""config": {}}]}"#).contains(#"lacks "models[0].provenance""#))
        let source = #""provenance": {"source": "s", "date": "d"}"#
        #expect(refused(head + source + #", "config": {}}]}"#).contains("the model m cannot be read"))
        #expect(refused(head + source + #", "confg": {}}]}"#).contains("confg"))
    }

    @Test("MLA caches a latent for all heads, sliding layers a window, coded caches their scales")
    func cache() throws {
        let catalog = try ShippedCatalogs.models()
        func shape(_ name: String) throws -> ModelShape { try catalog.require(name).shape }
        // Origin: 2 x layers x kv heads x head width x 2 bytes, and layers x (512 + 64) x 2 bytes, of the survey.
        #expect(try shape("llama-3-8b").kvBytesPerToken(.bfloat16) == 131_072)
        #expect(try shape("deepseek-v3").kvBytesPerToken(.bfloat16) == 70_272)
        #expect(try shape("deepseek-v2-lite").kvBytesPerToken(.bfloat16) == 31_104)
        #expect(try shape("gpt-oss-20b").kvBytesPerToken(.bfloat16) == 49_152)
        // A byte a number, and two scales of four bytes per position and head: 32 layers, 8 heads of 128.
        #expect(try shape("llama-3-8b").kvBytesPerToken(.fp8) == 32 * 8 * (256 + 8))
        #expect(try shape("llama-3-8b").kvBytesPerToken(.fp8, scales: false) == 65_536)
        // gemma-2-9b: 42 layers, every second of a window of 4096; 8 heads of 256; 16 positions a block.
        let gemma = try shape("gemma-2-9b")
        let block = 16 * 2 * 8 * 256 * 2
        #expect(gemma.cacheBytes(tokens: 8192, blockSize: 16, format: .bfloat16, keepsAll: true) == 42 * 512 * block)
        #expect(
            gemma.cacheBytes(tokens: 8192, blockSize: 16, format: .bfloat16, keepsAll: false)
                == 21 * 512 * block + 21 * 257 * block)
        // Ranks of DeepSeek all hold the latent; eight ranks of Llama one head each.
        #expect(try shape("deepseek-v3").cacheBytes(positions: 1, ranks: 8, format: .bfloat16) == 1152)
        #expect(try shape("llama-3-8b").cacheBytes(positions: 1, ranks: 8, format: .bfloat16) == 512)
    }

    @Test("active weights of mixtures are counted without the experts that sleep")
    func active() throws {
        let catalog = try ShippedCatalogs.models()
        // Origin: the survey; the papers say 12.9, 2.4 (without embeddings) and 37 billion.
        for (name, count) in [
            ("mixtral-8x7b", 12_879_925_248), ("deepseek-v2-lite", 2_661_150_208), ("deepseek-v3", 37_552_297_472),
            ("qwen3-30b-a3b", 3_353_032_704),
        ] {
            #expect(try catalog.require(name).shape.activeParameterCount == count, "\(name)")
        }
    }
}
