import CServeCore
import CServeScheduling
import Testing

@testable import CServeEngine

@Suite("Recipes")
struct RecipeTests {
    /// One wrong recipe per case, with words that its message must hold: the public name, the number, what to do.
    static let refused: [(change: @Sendable (inout Recipe) -> Void, words: [String])] = [
        ({ $0.tensorParallelSize = 2 }, ["tensor_parallel_size", "2", "leave it at 1"]),
        ({ $0.pipelineParallelSize = 4 }, ["pipeline_parallel_size", "4", "leave it at 1"]),
        ({ $0.dataParallelSize = 2 }, ["data_parallel_size", "2", "load balancer"]),
        ({ $0.tensorParallelSize = 0 }, ["tensor_parallel_size", "0", "at least 1"]),
        ({ $0.offloadingNum = 2 }, ["offloading_num", "2", "leave it at 0"]),
        ({ $0.offloadingNum = -1 }, ["offloading_num", "-1", "at least 0"]),
        ({ $0.quantization = "int3" }, ["quantization", "int3", "int8, int4, fp8", "gptq"]),
        ({ $0.cacheDtype = "int7" }, ["cache_dtype", "int7", "Choose one of", "int8", "fp8_e4m3"]),
        ({ $0.dtype = "half" }, ["dtype", "half", "float16"]),
        ({ $0.device = "cuda" }, ["device", "cuda", "cpu"]),
        ({ $0.device = "tpu" }, ["device", "tpu", "reference"]),
        ({ $0.schedulingPolicy = "fair" }, ["scheduling_policy", "fair", "throughput"]),
        ({ $0.blockSize = 0 }, ["block_size", "0", "from 1"]),
        ({ $0.maxNumSeqs = 0 }, ["max_num_seqs", "0", "from 1"]),
        ({ $0.maxNumBatchedTokens = 64 }, ["max_num_batched_tokens", "64", "128", "Raise"]),
        ({ $0.chunkedPrefillSize = 4096 }, ["chunked_prefill_size", "4096", "2048", "Lower"]),
        ({ $0.chunkedPrefillSize = 0 }, ["chunked_prefill_size", "0", "at least 1"]),
        (
            {
                $0.useChunkedPrefill = false; $0.chunkedPrefillSize = 8
            }, ["chunked_prefill_size", "use_chunked_prefill"]
        ),
        ({ $0.gpuMemUtil = 1.5 }, ["gpu_mem_util", "1.5", "at most 1"]),
        ({ $0.gpuMemUtil = .nan }, ["gpu_mem_util", "nan"]),
        ({ $0.kvCacheMemoryBytes = 0 }, ["kv_cache_memory_bytes", "0", "at least 1"]),
        ({ $0.maxModelLen = 0 }, ["max_model_len", "0", "at least 1"]),
        ({ $0.maxNumQueuedReqs = 0 }, ["max_num_queued_reqs", "0"]),
        ({ $0.maxNumQueuedTokens = 0 }, ["max_num_queued_tokens", "0"]),
        ({ $0.specTokens = 3 }, ["spec_tokens", "3", "spec_proposer: ngram"]),
        ({ $0.specPromptLookupMax = 3 }, ["spec_prompt_lookup_max", "3", "--spec-proposer ngram"]),
        ({ $0.specProposer = "eagle" }, ["spec_proposer", "eagle", "ngram"]),
        ({ $0.specProposer = "magic" }, ["spec_proposer", "magic", "Choose one of: ngram"]),
        (
            {
                $0.specProposer = "ngram"; $0.specTokens = 0
            }, ["spec_tokens", "0", "from 1 to 32"]
        ),
        (
            {
                $0.specProposer = "ngram"; $0.specPromptLookupMin = 0
            }, ["spec_prompt_lookup_min", "0", "from 1 to 16"]
        ),
        (
            {
                $0.specProposer = "ngram"; $0.specPromptLookupMax = 17
            }, ["spec_prompt_lookup_max", "17", "from 1 to 16"]
        ),
        (
            {
                $0.specProposer = "ngram"; $0.specPromptLookupMin = 3; $0.specPromptLookupMax = 2
            }, ["spec_prompt_lookup_min", "3", "2", "Lower"]
        ),
        ({ $0.threads = 0 }, ["threads", "0", "from 1"]),
        ({ $0.maxModelLen = 5000 }, ["max_model_len", "5000", "4096", "leave it out"]),
        ({ $0.blockSize = 8 }, ["KV cache", "800", "4096", "kv_cache_memory_bytes"]),
    ]

    @Test("every setting that cannot be obeyed is refused with its name, its value and what to do")
    func refusals() {
        for (change, words) in Self.refused {
            var recipe = Recipe()
            change(&recipe)
            do throws(RecipeError) {
                try recipe.checkRunnable()
                _ = try recipe.schedulerConfiguration(blockCount: 100, modelLength: 4096, endTokens: [])
                Issue.record("\(words) was not refused")
            } catch {
                for word in words { #expect(error.description.contains(word), "\(error.description)") }
                #expect(error.description.hasSuffix("."))
            }
        }
    }

    @Test("a recipe reaches the scheduler whole")
    func settingsArrive() throws {
        var recipe = Recipe()
        recipe.maxModelLen = 512
        recipe.chunkedPrefillSize = 100
        recipe.usePrefixCaching = false
        recipe.schedulingPolicy = "latency"
        recipe.maxNumQueuedReqs = 3
        recipe.maxNumQueuedTokens = 33
        recipe.specProposer = "ngram"
        recipe.specTokens = 6
        recipe.specPromptLookupMax = 7
        try recipe.checkRunnable()
        let scheduler = try recipe.schedulerConfiguration(blockCount: 100, modelLength: 4096, endTokens: [2, 1])
        #expect(scheduler.maxModelLength == 512)
        #expect(scheduler.chunkedPrefillSize == 100)
        #expect(!scheduler.usePrefixCaching)
        #expect(scheduler.policy == .latency)
        #expect(scheduler.maxQueuedRequests == 3)
        #expect(scheduler.maxQueuedTokens == 33)
        #expect(scheduler.draftTokens == 6 && scheduler.draftLookup == 2...7)
        #expect(scheduler.eosTokenIDs == [1, 2])
        #expect(scheduler.blockSize == 16 && scheduler.blockCount == 100)
        #expect(scheduler.maxNumSeqs == 128 && scheduler.maxNumBatchedTokens == 2048)
    }

    @Test("drafts are off without a proposer, and a length that is not named follows the one that is")
    func speculation() throws {
        var recipe = Recipe()
        recipe.specTokens = 0
        try recipe.checkRunnable()
        #expect(recipe.draftTokens == 0)
        recipe.specProposer = "ngram"
        recipe.specTokens = nil
        try recipe.checkRunnable()
        #expect(recipe.draftTokens == 4 && recipe.shortestLookup == 2 && recipe.longestLookup == 4)
        recipe.specPromptLookupMax = 1
        #expect(recipe.shortestLookup == 1)
        recipe.specPromptLookupMax = nil
        recipe.specPromptLookupMin = 6
        #expect(recipe.longestLookup == 6)
    }

    @Test("every case of RecipeError says what, which numbers and what next")
    func messages() {
        let cases: [(RecipeError, [String])] = [
            (.notBuilt(field: "device", value: "cuda", instead: "Use cpu."), ["device", "cuda", "Use cpu."]),
            (.outOfRange(field: "threads", value: "0", range: "from 1 to 8"), ["threads", "0", "from 1 to 8"]),
            (.unknownChoice(field: "dtype", value: "half", choices: ["auto", "float16"]), ["half", "auto, float16"]),
            (.batchBelowSeqs(batchedTokens: 64, seqs: 128), ["64", "128", "max_num_batched_tokens"]),
            (.chunkAboveBatch(chunk: 99, batchedTokens: 64), ["99", "64", "chunked_prefill_size"]),
            (.chunkWithoutChunking(chunk: 99), ["99", "use_chunked_prefill"]),
            (.lengthAboveModel(asked: 9, model: 8), ["9", "8", "max_model_len"]),
            (
                .speculationWithoutProposer(field: "spec_tokens", value: 3),
                ["spec_tokens", "3", "--spec-proposer ngram"]
            ),
            (.lookupReversed(shortest: 5, longest: 2), ["5", "2", "spec_prompt_lookup_min"]),
            (.cacheBelowLength(cacheTokens: 5, length: 6), ["5", "6", "kv_cache_memory_bytes"]),
        ]
        for (error, words) in cases {
            for word in words { #expect(error.description.contains(word), "\(error.description)") }
        }
    }

    @Test("a cache type is known by its name, and auto follows the weights")
    func cacheTypes() throws {
        let shape = try TinyCheckpoint.make("llama").shape()
        let known: [(String, CacheFormat)] = [
            ("float32", .float32), ("float16", .float16), ("bfloat16", .bfloat16), ("int8", .int8), ("fp8", .fp8),
            ("fp8_e4m3", .fp8),
        ]
        for (name, format) in known {
            var recipe = Recipe()
            recipe.cacheDtype = name
            try recipe.checkRunnable()
            let formats = try Reference().formats(
                stored: StoredFormats(element: .bfloat16), shape: shape, recipe: recipe)
            #expect(formats.cache == format)
        }
        for element in ElementType.allCases {
            var recipe = Recipe()
            let asStored = try Reference().formats(
                stored: StoredFormats(element: element), shape: shape, recipe: recipe)
            #expect(asStored.cache == CacheFormat(element))
            recipe.dtype = "float16"
            let asAsked = try Reference().formats(stored: StoredFormats(element: element), shape: shape, recipe: recipe)
            #expect(asAsked.cache == .float16)
        }
        #expect(throws: EngineError.self) { try Reference().cacheFormat("fp9", automatic: .float32) }
    }

    @Test("a refused thread is told with its number")
    func startErrors() {
        #expect(EngineStartError.noThread(code: 11).description.contains("11"))
    }
}
