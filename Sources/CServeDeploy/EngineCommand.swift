// The command line of an engine: cserve reads the plan's recipe, vLLM gets its flags from it.

import CServeCore

/// How one replica is started.
struct EngineCommand {
    let context: DeploymentContext

    /// Paths of the probes.
    struct Probes {
        var startup: String
        var ready: String
        var live: String
    }

    /// cserve: `/readyz` is false while draining, `/livez` follows the engine's step heartbeat. vLLM: `/health` fails when
    /// its engine is dead, and says nothing of a drain.
    var probes: Probes {
        switch context.options.engine {
        case .cserve: Probes(startup: "/startupz", ready: "/readyz", live: "/livez")
        case .vllm: Probes(startup: "/health", ready: "/health", live: "/health")
        }
    }

    /// The program and its arguments.
    /// - Parameters:
    ///   - host: the address to listen on.
    ///   - recipe: the recipe's path, for cserve.
    /// - Throws: ``DeployError/notInVLLM(field:value:advice:)``.
    func words(host: String, port: Int, recipe: String) throws(DeployError) -> [String] {
        switch context.options.engine {
        case .cserve: cserve(host: host, port: port, recipe: recipe)
        case .vllm: try vllm(host: host, port: port)
        }
    }

    private func cserve(host: String, port: Int, recipe: String) -> [String] {
        [
            "cserve", "serve", "--recipe", recipe, "--host", host, "--port", "\(port)", "--served-model-name",
            context.servedName, "--shutdown-timeout", "\(context.shape.times.drainSeconds)", "--log-json",
        ]
    }

    /// Flags of vLLM 0.32 (`vllm serve --help=all`).
    private func vllm(host: String, port: Int) throws(DeployError) -> [String] {
        let recipe: Recipe = context.recipe
        var words: [String] = [
            "vllm", "serve", recipe.model, "--host", host, "--port", "\(port)", "--served-model-name",
            context.servedName, "--shutdown-timeout", "\(context.shape.times.drainSeconds)",
            "--tensor-parallel-size", "\(recipe.tensorParallelSize)", "--pipeline-parallel-size",
            "\(recipe.pipelineParallelSize)", "--block-size", "\(recipe.blockSize)", "--gpu-memory-utilization",
            "\(recipe.gpuMemUtil)", "--max-num-seqs", "\(recipe.maxNumSeqs)", "--max-num-batched-tokens",
            "\(recipe.maxNumBatchedTokens)", "--max-num-queued-reqs", "\(recipe.maxNumQueuedReqs)",
            "--max-num-queued-tokens", "\(recipe.maxNumQueuedTokens)", "--seed", "\(recipe.seed)",
            recipe.usePrefixCaching ? "--enable-prefix-caching" : "--no-enable-prefix-caching",
            recipe.useChunkedPrefill ? "--enable-chunked-prefill" : "--no-enable-chunked-prefill",
            "--dtype", recipe.dtype,
        ]
        recipe.maxModelLen.map { words += ["--max-model-len", "\($0)"] }
        recipe.chunkedPrefillSize.map { words += ["--long-prefill-token-threshold", "\($0)"] }
        recipe.kvCacheMemoryBytes.map { words += ["--kv-cache-memory-bytes", "\($0)"] }
        words += try types(recipe)
        words += speculation(recipe)
        return words
    }

    private func types(_ recipe: Recipe) throws(DeployError) -> [String] {
        guard recipe.offloadingNum == 0 else {
            throw .notInVLLM(
                field: "offloading_num", value: "\(recipe.offloadingNum)", advice: "Plan without --offload for vLLM.")
        }
        guard ["auto", "bfloat16", "float16", "fp8", "fp8_e4m3"].contains(recipe.cacheDtype) else {
            throw .notInVLLM(
                field: "cache_dtype", value: recipe.cacheDtype, advice: "Plan with --kv-cache-dtype auto or fp8.")
        }
        let words: [String] = ["--kv-cache-dtype", recipe.cacheDtype]
        guard let quantization = recipe.quantization else { return words }
        guard !["int8", "int4"].contains(quantization) else {
            throw .notInVLLM(
                field: "quantization", value: quantization,
                advice: "It quantises to fp8 on load: plan with --quantization fp8, or serve a quantised checkpoint.")
        }
        return words + ["--quantization", quantization]
    }

    private func speculation(_ recipe: Recipe) -> [String] {
        guard recipe.draftTokens > 0, let proposer = recipe.specProposer else { return [] }
        let config: JSONValue = [
            "method": .string(proposer), "num_speculative_tokens": .integer(recipe.draftTokens),
            "prompt_lookup_min": .integer(recipe.shortestLookup), "prompt_lookup_max": .integer(recipe.longestLookup),
        ]
        return ["--speculative-config", config.text()]
    }
}
