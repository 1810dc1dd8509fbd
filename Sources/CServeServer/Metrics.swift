// What /metrics tells: vLLM's names and edges, so that its dashboards work, and finer `cserve:` histograms.

import CServeCore
import Synchronization

/// Counts what the server itself sees; the engine's own counters are read when `/metrics` is asked for.
final class Metrics: Sendable {
    /// One finished request.
    struct Outcome: Sendable {
        var prompts: [AnswerCollector.PromptState]
        var usage: Usage
        var ends: [FinishReason]
        /// `n` of the request.
        var answersWanted: Int
        /// The allowed length of each prompt's answers.
        var maxTokens: [Int]
        var arrival: Nanoseconds
        var firstToken: Nanoseconds?
        var lastToken: Nanoseconds
        var longestAnswer: Int
    }

    private struct State: Sendable {
        var firstToken = Histogram(Edges.firstToken)
        var interToken = Histogram(Edges.perToken)
        var perOutputToken = Histogram(Edges.perToken)
        var endToEnd = Histogram(Edges.request)
        var queue = Histogram(Edges.request)
        var inference = Histogram(Edges.request)
        var prefill = Histogram(Edges.request)
        var decode = Histogram(Edges.request)
        var promptTokens: Histogram
        var generationTokens: Histogram
        var longestGeneration: Histogram
        var maxTokens: Histogram
        var computedTokens: Histogram
        var answers = Histogram(Edges.answers)
        var fineInterToken = Histogram(Edges.finePerToken)
        var fineFirstToken = Histogram(Edges.fineLatency)
        var fineEndToEnd = Histogram(Edges.fineLatency)
        var fineQueue = Histogram(Edges.fineLatency)
        var successes: [FinishReason: Int] = [:]
        var cachedTokens: Int = 0
        var http: [HTTPKey: Int] = [:]
        var httpSeconds: [HTTPKey: Histogram] = [:]
        var disconnects: Int = 0
        var refusals: [String: Int] = [:]

        init(maxModelLength: Int) {
            let lengths: Histogram = Histogram(Edges.oneTwoFive(upTo: maxModelLength))
            promptTokens = lengths
            generationTokens = lengths
            longestGeneration = lengths
            maxTokens = lengths
            computedTokens = lengths
        }
    }

    private struct HTTPKey: Hashable, Sendable {
        var handler: String
        var method: String
        var status: String
    }

    private let state: Mutex<State>

    init(maxModelLength: Int = 131_072) {
        state = Mutex(State(maxModelLength: maxModelLength))
    }

    /// Sizes the length histograms once the model is known.
    func fit(maxModelLength: Int) {
        state.withLock { state in
            let fresh: State = State(maxModelLength: maxModelLength)
            state.promptTokens = fresh.promptTokens
            state.generationTokens = fresh.generationTokens
            state.longestGeneration = fresh.longestGeneration
            state.maxTokens = fresh.maxTokens
            state.computedTokens = fresh.computedTokens
        }
    }

    /// The first tokens of a request came so many seconds after it arrived.
    func firstToken(after seconds: Double) {
        state.withLock { state in
            state.firstToken.observe(seconds)
            state.fineFirstToken.observe(seconds)
        }
    }

    /// So many tokens came together, each counted with its share of the time since the ones before.
    func nextTokens(_ count: Int, after seconds: Double) {
        guard count > 0 else { return }
        state.withLock { state in
            state.interToken.observe(seconds / Double(count), times: count)
            state.fineInterToken.observe(seconds / Double(count), times: count)
        }
    }

    /// A client went away before its answer was complete.
    func disconnected() {
        state.withLock { $0.disconnects += 1 }
    }

    /// A request was refused with an error code.
    func refused(_ code: String) {
        state.withLock { $0.refusals[code, default: 0] += 1 }
    }

    /// An exchange was answered.
    func answered(handler: String, method: String, status: Int, seconds: Double) {
        let key: HTTPKey = HTTPKey(handler: handler, method: method, status: "\(status / 100)xx")
        state.withLock { state in
            state.http[key, default: 0] += 1
            state.httpSeconds[HTTPKey(handler: handler, method: method, status: ""), default: Histogram(Edges.http)]
                .observe(seconds)
        }
    }

    /// A request ended.
    func finished(_ outcome: Outcome) {
        state.withLock { state in
            for end in outcome.ends { state.successes[end, default: 0] += 1 }
            state.cachedTokens += outcome.usage.cachedTokens
            state.answers.observe(Double(outcome.answersWanted))
            for length in outcome.maxTokens { state.maxTokens.observe(Double(length)) }
            for prompt in outcome.prompts { Metrics.observe(prompt, &state) }
            state.longestGeneration.observe(Double(outcome.longestAnswer))
            let total: Double = (outcome.lastToken - outcome.arrival).seconds
            state.endToEnd.observe(total)
            state.fineEndToEnd.observe(total)
            if let first = outcome.firstToken, outcome.longestAnswer > 1 {
                let decode: Double = (outcome.lastToken - first).seconds
                state.perOutputToken.observe(decode / Double(outcome.longestAnswer - 1))
            }
        }
    }

    private static func observe(_ prompt: AnswerCollector.PromptState, _ state: inout State) {
        state.promptTokens.observe(Double(prompt.tokens.count))
        state.computedTokens.observe(Double(prompt.tokens.count - prompt.cachedTokens))
        state.generationTokens.observe(Double(prompt.branches.reduce(0) { $0 + $1.tokenCount }))
        guard let timings = prompt.timings, let scheduled = timings.scheduled else { return }
        state.queue.observe((scheduled - timings.arrival).seconds)
        state.fineQueue.observe((scheduled - timings.arrival).seconds)
        guard let first = timings.firstToken, let last = timings.lastToken else { return }
        state.prefill.observe((first - scheduled).seconds)
        state.decode.observe((last - first).seconds)
        state.inference.observe((last - scheduled).seconds)
    }
}

extension Metrics {
    /// The whole exposition.
    func exposition(model: ServedModel?, connections: Int, process: ProcessFigures) -> String {
        let snapshot: State = state.withLock { $0 }
        var text: PrometheusText = PrometheusText(common: [("model_name", model?.name ?? ""), ("engine", "0")])
        if let model { EngineMetrics.write(model, &text) }
        Metrics.writeCounters(snapshot, &text)
        Metrics.writeLatencies(snapshot, &text)
        Metrics.writeLengths(snapshot, &text)
        var plain: PrometheusText = PrometheusText()
        Metrics.writeHTTP(snapshot, connections, &plain)
        process.write(&plain)
        return text.text + plain.text
    }

    private static func writeCounters(_ state: State, _ text: inout PrometheusText) {
        text.counter(
            "vllm:request_success", "Count of successfully processed requests.",
            ([.stop, .length, .abort, .error] as [FinishReason]).map {
                ([("finished_reason", $0.rawValue)], state.successes[$0] ?? 0)
            } + [([("finished_reason", "repetition")], 0)])
        text.counter("vllm:prompt_tokens_cached", "Prompt tokens taken from the prefix cache.", state.cachedTokens)
        text.counter("cserve:client_disconnects", "Requests whose client went away.", state.disconnects)
        text.counter(
            "cserve:request_refusals", "Requests refused, by error code.",
            state.refusals.sorted { $0.key < $1.key }.map { ([("code", $0.key)], $0.value) })
    }

    private static func writeLatencies(_ state: State, _ text: inout PrometheusText) {
        let vllm: [(String, String, Histogram)] = [
            ("time_to_first_token_seconds", "Time to first token in seconds.", state.firstToken),
            ("inter_token_latency_seconds", "Inter-token latency in seconds.", state.interToken),
            ("request_time_per_output_token_seconds", "Time per output token of a request.", state.perOutputToken),
            ("e2e_request_latency_seconds", "End-to-end request latency in seconds.", state.endToEnd),
            ("request_queue_time_seconds", "Time spent in the queue.", state.queue),
            ("request_inference_time_seconds", "Time spent running.", state.inference),
            ("request_prefill_time_seconds", "Time spent in prefill.", state.prefill),
            ("request_decode_time_seconds", "Time spent in decode.", state.decode),
        ]
        for (name, help, histogram) in vllm { text.histogram("vllm:" + name, help, histogram) }
        let fine: [(String, String, Histogram)] = [
            ("time_to_first_token_seconds", "Time to first token, finer edges.", state.fineFirstToken),
            ("inter_token_latency_seconds", "Inter-token latency, finer edges.", state.fineInterToken),
            ("e2e_request_latency_seconds", "End-to-end latency, finer edges.", state.fineEndToEnd),
            ("request_queue_time_seconds", "Time in the queue, finer edges.", state.fineQueue),
        ]
        for (name, help, histogram) in fine { text.histogram("cserve:" + name, help, histogram) }
    }

    private static func writeLengths(_ state: State, _ text: inout PrometheusText) {
        let lengths: [(String, String, Histogram)] = [
            ("request_prompt_tokens", "Prompt tokens per request.", state.promptTokens),
            ("request_generation_tokens", "Generated tokens per request.", state.generationTokens),
            ("request_max_num_generation_tokens", "Longest answer of a request.", state.longestGeneration),
            ("request_params_max_tokens", "The max_tokens request parameter.", state.maxTokens),
            ("request_prefill_kv_computed_tokens", "Prompt tokens computed, not cached.", state.computedTokens),
            ("request_params_n", "The n request parameter.", state.answers),
        ]
        for (name, help, histogram) in lengths { text.histogram("vllm:" + name, help, histogram) }
    }

    private static func writeHTTP(_ state: State, _ connections: Int, _ text: inout PrometheusText) {
        let keys: [HTTPKey] = state.http.keys.sorted {
            ($0.handler, $0.method, $0.status) < ($1.handler, $1.method, $1.status)
        }
        text.counter(
            "http_requests", "Total number of requests by method, status and handler.",
            keys.map { key in
                ([("handler", key.handler), ("method", key.method), ("status", key.status)], state.http[key] ?? 0)
            })
        let timed = state.httpSeconds.sorted { ($0.key.handler, $0.key.method) < ($1.key.handler, $1.key.method) }
        text.histograms(
            "http_request_duration_seconds", "Duration of HTTP requests in seconds.",
            timed.map { ([("handler", $0.key.handler), ("method", $0.key.method)], $0.value) })
        text.gauge("cserve:open_connections", "Open client connections.", Double(connections))
    }
}
