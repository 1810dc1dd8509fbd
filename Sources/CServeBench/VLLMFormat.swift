// A run in the form of `vllm bench serve --save-result`, for whoever has tools for it.
import CServeCore

/// Writes vLLM's result file.
///
/// Fields and types as in vLLM 0.32's `vllm/benchmarks/serve.py`, with `--percentile-metrics ttft,tpot,itl,e2el
/// --metric-percentiles 90,95,99`. Of the whole run, since vLLM leaves nothing out. Texts are not kept, so
/// `generated_texts` holds empty ones.
public struct VLLMFormat: Sendable {
    private let run: BenchRun
    private let report: BenchReport
    private let objective: ServiceLevelObjective?
    private let setting: BenchSetting

    /// Prepares a run.
    public init(_ run: BenchRun, slo: ServiceLevelObjective? = nil, setting: BenchSetting = BenchSetting()) {
        self.run = run
        objective = slo
        self.setting = setting
        // Without windows a report cannot fail.
        report = (try? BenchReport(run: run, slo: slo)) ?? BenchReport()
    }

    /// The file.
    /// - Parameter detailed: `--save-detailed`: every request's lengths, times and errors.
    public func json(detailed: Bool) -> JSONValue {
        var members: [(String, JSONValue)] = setup + totals
        if detailed { members += details }
        // vLLM takes these two out of neither form.
        members += [
            ("latencies", seconds { $0.failure == nil ? $0.e2e : 0 }), ("queue_times", seconds { max(0, $0.lateness) }),
        ]
        members += peaks
        members += latency("ttft", report.ttft, report.deviations.ttft)
        members += latency("tpot", report.tpot, report.deviations.tpot)
        members += latency("itl", report.itl, report.deviations.itl)
        members += latency("e2el", report.e2e, report.deviations.e2e)
        return .object(JSONObject(members))
    }

    private var setup: [(String, JSONValue)] {
        [
            ("date", .string(CalendarText.compact(run.began))), ("endpoint_type", .string(setting.backend)),
            ("backend", .string(setting.backend)), ("label", .null), ("model_id", .string(run.model)),
            ("tokenizer_id", .string(setting.tokenizer ?? run.model)), ("num_prompts", .integer(run.requests.count)),
            ("request_rate", setting.rate.isFinite ? .double(setting.rate) : .string("inf")),
            ("burstiness", .double(setting.burstiness)),
            ("max_concurrency", setting.clients.map { .integer($0) } ?? .null),
        ]
    }

    private var totals: [(String, JSONValue)] {
        [
            ("duration", .double(run.duration.seconds)), ("completed", .integer(report.completed)),
            ("failed", .integer(report.failed)), ("total_input_tokens", .integer(report.promptTokens)),
            ("total_output_tokens", .integer(report.outputTokens)),
            ("request_throughput", .double(report.throughput.requestsPerSecond)),
            ("request_goodput", objective == nil ? .null : .double(report.goodput)),
            ("output_throughput", .double(report.throughput.outputTokensPerSecond)),
            ("total_token_throughput", .double(report.throughput.totalTokensPerSecond)),
        ]
    }

    private var details: [(String, JSONValue)] {
        func all(_ value: (RequestMeasurement) -> JSONValue) -> JSONValue { .array(run.requests.map(value)) }
        return [
            ("input_lens", all { .integer($0.promptTokens) }),
            ("output_lens", all { .integer($0.failure == nil ? $0.outputTokens : 0) }),
            ("ttfts", seconds { $0.ttft ?? 0 }), ("itls", all { .array($0.gaps.map { .double($0.seconds) }) }),
            ("start_times", seconds(\.sent)), ("generated_texts", all { _ in .string("") }),
            ("errors", all { .string($0.failure?.text ?? "") }),
        ]
    }

    private var peaks: [(String, JSONValue)] {
        let (tokens, requests) = SecondBuckets(run.requests).peaks
        return [
            ("max_output_tokens_per_s", .double(Double(tokens))), ("max_concurrent_requests", .integer(requests)),
            ("rtfx", .double(0)),
        ]
    }

    private func latency(_ name: String, _ summary: LatencySummary, _ deviation: Double) -> [(String, JSONValue)] {
        [
            ("mean_\(name)_ms", .double(summary.mean)), ("median_\(name)_ms", .double(summary.p50)),
            ("std_\(name)_ms", .double(deviation)), ("p90_\(name)_ms", .double(summary.p90)),
            ("p95_\(name)_ms", .double(summary.p95)), ("p99_\(name)_ms", .double(summary.p99)),
        ]
    }

    private func seconds(_ value: (RequestMeasurement) -> Nanoseconds) -> JSONValue {
        .array(run.requests.map { .double(value($0).seconds) })
    }
}

/// How a run was driven, as far as other tools' forms ask.
public struct BenchSetting: Hashable, Sendable {
    /// `openai` for text completions, `openai-chat` for chats.
    public var backend: String = "openai"
    /// The tokenizer's name or folder; nil: the model's name.
    public var tokenizer: String?
    /// Requests per second that were asked for; infinite: all at once, or a closed loop.
    public var rate: Double = .infinity
    /// The Gamma distribution's shape of gaps between arrivals; 1: Poisson.
    public var burstiness: Double = 1
    /// Clients of a closed loop.
    public var clients: Int?

    /// Text completions, sent all at once.
    public init() {}
}

extension RequestMeasurement {
    /// The spans between events with text.
    var gaps: [Nanoseconds] { zip(chunks.dropFirst(), chunks).map { $0 - $1 } }
}

/// Events and requests by whole seconds from the first sending, as vLLM finds its peaks.
private struct SecondBuckets {
    private var events: [Int] = []
    /// By how much the number of requests on their way changes.
    private var changes: [Int] = []

    init(_ requests: [RequestMeasurement]) {
        let answered = requests.filter { $0.failure == nil }
        guard let start = answered.map(\.sent).min(), let end = answered.map({ $0.sent + $0.e2e }).max() else { return }
        let seconds: Int = Int((end - start) / .second) + 2
        events = Array(repeating: 0, count: seconds)
        changes = Array(repeating: 0, count: seconds + 1)
        for one in answered {
            for time in one.chunks { events[min(max(0, Int((time - start) / .second)), seconds - 1)] += 1 }
            changes[Int((one.sent - start) / .second)] += 1
            changes[Int((one.sent + one.e2e - start) / .second) + 1] -= 1
        }
    }

    var peaks: (events: Int, requests: Int) {
        var running: Int = 0
        var most: Int = 0
        for change in changes {
            running += change
            most = max(most, running)
        }
        return (events.max() ?? 0, most)
    }
}
