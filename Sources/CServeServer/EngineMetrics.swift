// The engine's gauges and counters under vLLM's names.

import CServeCore

/// Writes an engine's snapshot.
enum EngineMetrics {
    static func write(_ model: ServedModel, _ text: inout PrometheusText) {
        let snapshot: EngineSnapshot = model.engine.snapshot()
        writeGauges(snapshot, &text)
        writeCounters(snapshot, &text)
        let edges: [Double] = EngineSnapshot.iterationTokenEdges.map { Double($0) }
        text.histogram(
            "vllm:iteration_tokens_total", "Histogram of number of tokens per engine step.",
            Histogram(edges: edges, counts: snapshot.iterationTokenCounts, sum: Double(snapshot.iterationTokenSum)))
        let labels: [PrometheusText.Label] =
            [("block_size", "\(snapshot.blockSize)"), ("num_gpu_blocks", "\(snapshot.totalBlocks)")] + model.cacheLabels
        text.gauge("vllm:cache_config_info", "Information of the LLMEngine CacheConfig.", 1, labels)
    }

    private static func writeGauges(_ snapshot: EngineSnapshot, _ text: inout PrometheusText) {
        text.gauge(
            "vllm:num_requests_running", "Number of requests in model execution batches.", Double(snapshot.running))
        text.gauge("vllm:num_requests_waiting", "Number of requests waiting to be processed.", Double(snapshot.waiting))
        text.gauges(
            "vllm:num_requests_waiting_by_reason", "Waiting requests by reason.",
            [([("reason", "capacity")], Double(snapshot.waiting)), ([("reason", "deferred")], 0)])
        let used: Int = snapshot.totalBlocks - snapshot.freeBlocks
        let usage: Double = snapshot.totalBlocks > 0 ? Double(used) / Double(snapshot.totalBlocks) : 0
        text.gauge("vllm:kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.", usage)
        text.gauges(
            "vllm:engine_sleep_state", "Engine sleep state; awake = 0 means engine is sleeping.",
            [
                ([("sleep_state", "awake")], 1), ([("sleep_state", "weights_offloaded")], 0),
                ([("sleep_state", "discard_all")], 0),
            ])
        text.gauge("cserve:kv_blocks_total", "KV blocks in all.", Double(snapshot.totalBlocks))
        text.gauge("cserve:kv_blocks_free", "KV blocks free or reusable.", Double(snapshot.freeBlocks))
        text.gauge("cserve:waiting_tokens", "Prompt tokens of waiting requests.", Double(snapshot.waitingTokens))
        text.gauge("cserve:draining", "1 while the engine takes no new requests.", snapshot.draining ? 1 : 0)
        text.gauge(
            "cserve:stalled_seconds", "Time since the last step, with work pending.", (snapshot.stalledFor ?? 0).seconds
        )
    }

    /// Counters of vLLM's for what this engine does not have; its dashboards ask for them.
    private static let absent: [(name: String, help: String)] = [
        ("vllm:prompt_tokens_recomputed", "Cached prompt tokens computed again; hits never include such tokens here."),
        ("vllm:external_prefix_cache_queries", "External prefix cache queries, in tokens."),
        ("vllm:external_prefix_cache_hits", "External prefix cache hits, in tokens."),
        ("vllm:mm_cache_queries", "Multi-modal cache queries, in items."),
        ("vllm:mm_cache_hits", "Multi-modal cache hits, in items."),
    ]

    private static func writeCounters(_ snapshot: EngineSnapshot, _ text: inout PrometheusText) {
        let counters: [(String, String, Int)] = [
            ("vllm:prefix_cache_queries", "Prefix cache queries, in tokens.", snapshot.prefixCacheQueries),
            ("vllm:prefix_cache_hits", "Prefix cache hits, in tokens.", snapshot.prefixCacheHits),
            ("vllm:num_preemptions", "Cumulative number of preemptions.", snapshot.preemptions),
            ("vllm:prompt_tokens", "Number of prefill tokens processed.", snapshot.promptTokens),
            ("vllm:generation_tokens", "Number of generation tokens processed.", snapshot.generationTokens),
            ("cserve:steps", "Engine steps run.", snapshot.steps),
            ("cserve:failed_steps", "Engine steps that failed.", snapshot.failedSteps),
            ("cserve:step_microseconds", "Time of all engine steps.", Int(snapshot.stepTime / 1000)),
            (
                "cserve:forward_microseconds", "Time of all forward passes, sampling left out.",
                Int(snapshot.forwardTime / 1000)
            ),
        ]
        for (name, help, value) in counters { text.counter(name, help, value) }
        for (name, help) in absent { text.counter(name, help, 0) }
        let computed: Int = max(0, snapshot.promptTokens - snapshot.prefixCacheHits)
        text.counter(
            "vllm:prompt_tokens_by_source", "Prompt tokens by source.",
            [
                ([("source", "local_compute")], computed), ([("source", "local_cache_hit")], snapshot.prefixCacheHits),
                ([("source", "external_kv_transfer")], 0),
            ])
    }
}
