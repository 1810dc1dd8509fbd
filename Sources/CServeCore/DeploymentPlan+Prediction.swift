// What an option is foreseen to do: figures with intervals, cost, and where a step's time goes.

/// A figure and the interval that holds it.
public struct PlanEstimate: Hashable, Codable, Sendable {
    /// The figure: the mean over seeds.
    public var value: Double
    /// The interval's lower end.
    public var low: Double
    /// The interval's upper end.
    public var high: Double

    /// States a figure.
    public init(_ value: Double, low: Double, high: Double) {
        self.value = value
        self.low = low
        self.high = high
    }

    /// A figure of one run, whose interval is unknown.
    public init(_ value: Double) { self.init(value, low: value, high: value) }
}

/// Figures of one latency in milliseconds.
public struct PlanLatency: Hashable, Codable, Sendable {
    /// Arithmetic mean.
    public var mean: PlanEstimate
    /// Median.
    public var p50: PlanEstimate
    /// 90th percentile.
    public var p90: PlanEstimate
    /// 95th percentile.
    public var p95: PlanEstimate
    /// 99th percentile.
    public var p99: PlanEstimate
    /// The worst case.
    public var max: PlanEstimate

    /// Sums up figure by figure.
    public init(_ estimate: (LatencyStatistic) -> PlanEstimate) {
        mean = estimate(.mean)
        p50 = estimate(.percentile(50))
        p90 = estimate(.percentile(90))
        p95 = estimate(.percentile(95))
        p99 = estimate(.percentile(99))
        max = estimate(.max)
    }

    /// The figure that a target speaks of.
    public func value(_ statistic: LatencyStatistic) -> PlanEstimate? {
        switch statistic {
        case .mean: mean
        case .max: max
        case .percentile(50): p50
        case .percentile(90): p90
        case .percentile(95): p95
        case .percentile(99): p99
        case .percentile: nil
        }
    }

    /// JSON names carry the unit.
    public enum CodingKeys: String, CodingKey {
        case mean = "mean_ms"
        case p50 = "p50_ms"
        case p90 = "p90_ms"
        case p95 = "p95_ms"
        case p99 = "p99_ms"
        case max = "max_ms"
    }
}

/// What an option is foreseen to do at a load.
public struct PlanPrediction: Hashable, Codable, Sendable {
    /// Requests offered per second.
    public var requestRate: Double
    /// Time to first token.
    public var ttft: PlanLatency
    /// Time per output token.
    public var tpot: PlanLatency
    /// Gaps between tokens.
    public var itl: PlanLatency
    /// End-to-end latency.
    public var e2e: PlanLatency
    /// Requests answered per second.
    public var requestThroughput: PlanEstimate
    /// Prompt tokens per second.
    public var inputThroughput: PlanEstimate
    /// Generated tokens per second.
    public var outputThroughput: PlanEstimate
    /// The share of offered requests that keep every limit.
    public var goodput: PlanEstimate
    /// The highest request rate found that keeps the targets; nil: not sought, or none does.
    public var capacity: Double?
    /// Money.
    public var cost: PlanCost
    /// How busy it is.
    public var load: PlanLoad
    /// How it was found out.
    public var method: PlanMethod

    /// States a prediction.
    public init(
        requestRate: Double, ttft: PlanLatency, tpot: PlanLatency, itl: PlanLatency, e2e: PlanLatency,
        requestThroughput: PlanEstimate, inputThroughput: PlanEstimate, outputThroughput: PlanEstimate,
        goodput: PlanEstimate, capacity: Double?, cost: PlanCost, load: PlanLoad, method: PlanMethod
    ) {
        self.requestRate = requestRate
        self.ttft = ttft
        self.tpot = tpot
        self.itl = itl
        self.e2e = e2e
        self.requestThroughput = requestThroughput
        self.inputThroughput = inputThroughput
        self.outputThroughput = outputThroughput
        self.goodput = goodput
        self.capacity = capacity
        self.cost = cost
        self.load = load
        self.method = method
    }

    /// One of the latencies.
    public func latency(_ metric: LatencyMetric) -> PlanLatency {
        switch metric {
        case .ttft: ttft
        case .tpot: tpot
        case .itl: itl
        case .e2e: e2e
        }
    }

    /// JSON names carry the units.
    public enum CodingKeys: String, CodingKey {
        case requestRate = "request_rate_per_s"
        case ttft
        case tpot
        case itl
        case e2e
        case requestThroughput = "request_throughput_per_s"
        case inputThroughput = "input_tokens_per_s"
        case outputThroughput = "output_tokens_per_s"
        case goodput = "goodput_share"
        case capacity = "capacity_requests_per_s"
        case cost
        case load
        case method
    }
}

/// What an option costs at a load; nil where no price is known.
public struct PlanCost: Hashable, Codable, Sendable {
    /// US dollars per hour.
    public var perHour: Double?
    /// US dollars per million tokens, prompts and answers together.
    public var perMillionTokens: Double?
    /// US dollars per million prompt tokens: the share of the cost that prompts' accelerator time takes.
    public var perMillionInputTokens: Double?
    /// US dollars per million generated tokens: the rest of the cost.
    public var perMillionOutputTokens: Double?
    /// US dollars per request.
    public var perRequest: Double?

    /// States costs.
    public init(
        perHour: Double? = nil, perMillionTokens: Double? = nil, perMillionInputTokens: Double? = nil,
        perMillionOutputTokens: Double? = nil, perRequest: Double? = nil
    ) {
        self.perHour = perHour
        self.perMillionTokens = perMillionTokens
        self.perMillionInputTokens = perMillionInputTokens
        self.perMillionOutputTokens = perMillionOutputTokens
        self.perRequest = perRequest
    }

    /// JSON names carry the units.
    public enum CodingKeys: String, CodingKey {
        case perHour = "usd_per_hour"
        case perMillionTokens = "usd_per_million_tokens"
        case perMillionInputTokens = "usd_per_million_input_tokens"
        case perMillionOutputTokens = "usd_per_million_output_tokens"
        case perRequest = "usd_per_request"
    }
}

/// How busy an option is.
public struct PlanLoad: Hashable, Codable, Sendable {
    /// Share of the time that stages compute.
    public var utilisation: Double
    /// Share of the KV blocks in use, mean over time.
    public var kvUse: Double
    /// Requests that run at once in one replica, mean over time.
    public var running: Double
    /// Preemptions per thousand requests.
    public var preemptions: Double
    /// Share of prompt tokens found in the prefix cache.
    public var prefixHits: Double
    /// Share of the stages' time lost to pipeline bubbles.
    public var bubbles: Double
    /// Requests refused because the queue was full, as a share of those offered.
    public var refused: Double
    /// Tokens that the KV cache of one replica holds.
    public var kvTokens: Int

    /// States figures.
    public init(
        utilisation: Double = 0, kvUse: Double = 0, running: Double = 0, preemptions: Double = 0,
        prefixHits: Double = 0, bubbles: Double = 0, refused: Double = 0, kvTokens: Int = 0
    ) {
        self.utilisation = utilisation
        self.kvUse = kvUse
        self.running = running
        self.preemptions = preemptions
        self.prefixHits = prefixHits
        self.bubbles = bubbles
        self.refused = refused
        self.kvTokens = kvTokens
    }

    /// JSON names.
    public enum CodingKeys: String, CodingKey {
        case utilisation = "utilisation_share"
        case kvUse = "kv_use_share"
        case running = "running_requests"
        case preemptions = "preemptions_per_thousand_requests"
        case prefixHits = "prefix_hit_share"
        case bubbles = "bubble_share"
        case refused = "refused_share"
        case kvTokens = "kv_cache_tokens"
    }
}

/// How a prediction was found out.
public struct PlanMethod: Hashable, Codable, Sendable {
    /// Requests simulated, all seeds together.
    public var requests: Int
    /// Seeds; the intervals are 95% confidence of the mean over them (Student's t).
    public var seeds: Int
    /// The relative error of the cost model by which the intervals of latencies were widened; nil: it is not known.
    public var modelError: Double?
    /// Share of a step's time by how it is known: measured, interpolated, extrapolated, borrowed, specification.
    public var evidence: [String: Double]

    /// Describes a method.
    public init(requests: Int, seeds: Int, modelError: Double? = nil, evidence: [String: Double] = [:]) {
        self.requests = requests
        self.seeds = seeds
        self.modelError = modelError
        self.evidence = evidence
    }

    /// JSON names.
    public enum CodingKeys: String, CodingKey {
        case requests
        case seeds
        case modelError = "model_error_share"
        case evidence = "evidence_share"
    }
}

/// A part of a step's time.
public struct PlanStepShare: Hashable, Codable, Sendable {
    /// Which part: `dense`, `decode attention`, `all-reduce`, ...
    public var part: String
    /// Milliseconds of a mean step.
    public var milliseconds: Double
    /// Its share.
    public var share: Double

    /// States a part.
    public init(part: String, milliseconds: Double, share: Double) {
        self.part = part
        self.milliseconds = milliseconds
        self.share = share
    }

    /// JSON names carry the unit.
    public enum CodingKeys: String, CodingKey {
        case part
        case milliseconds = "ms"
        case share
    }
}
