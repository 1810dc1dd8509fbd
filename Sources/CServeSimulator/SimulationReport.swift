// What a simulation found: the figures of a benchmark run, and what only a simulator sees.
import CServeCore

/// Rates of a span of time.
public struct Throughput: Hashable, Codable, Sendable {
    /// Requests that ended well, a second.
    public var requestsPerSecond: Double = 0
    /// Generated tokens a second.
    public var outputTokensPerSecond: Double = 0
    /// Generated tokens and prompt tokens a second.
    public var totalTokensPerSecond: Double = 0

    init(requests: Int, outputTokens: Int, promptTokens: Int, during span: Nanoseconds) {
        guard span > 0 else { return }
        requestsPerSecond = Double(requests) / span.seconds
        outputTokensPerSecond = Double(outputTokens) / span.seconds
        totalTokensPerSecond = Double(outputTokens + promptTokens) / span.seconds
    }
}

/// What one replica did.
public struct ReplicaReport: Hashable, Codable, Sendable {
    /// The share of the simulated time in which each stage worked.
    public var stageUtilisation: [Double]
    /// The share of stage time that was idle while micro-batches were in the pipeline.
    public var bubbleShare: Double
    /// Mean share of the KV blocks in use.
    public var meanKVUse: Double
    /// The largest share of the KV blocks in use.
    public var peakKVUse: Double
    /// Micro-batches.
    public var steps: Int
    /// Tokens computed.
    public var computedTokens: Int
    /// How often a request lost its blocks.
    public var preemptions: Int
    /// Prompt tokens looked up in the prefix cache.
    public var prefixQueries: Int
    /// Those found there.
    public var prefixHits: Int
}

/// What a simulation found.
public struct SimulationReport: Hashable, Codable, Sendable {
    /// Requests of the workload.
    public var offered: Int
    /// Requests that were answered.
    public var completed: Int
    /// Requests that were not, by reason.
    public var failures: [RequestFailure: Int]
    /// From the first request sent to the last answer's end.
    public var duration: Nanoseconds
    /// Prompt tokens of answered requests.
    public var promptTokens: Int
    /// Generated tokens of answered requests.
    public var outputTokens: Int
    /// Time to first token.
    public var ttft: LatencySummary
    /// Time per output token, of answers of two and more.
    public var tpot: LatencySummary
    /// Gaps between tokens, pooled; percentiles are within 0.1%.
    public var itl: LatencySummary
    /// End-to-end latency.
    public var e2e: LatencySummary
    /// From the scheduler's having the request to its first step.
    public var queueTime: LatencySummary
    /// Rates over the whole duration.
    public var throughput: Throughput
    /// Rates in ``steadyWindow``: without filling up and emptying.
    public var steadyThroughput: Throughput
    /// The window's begin and end, from the workload's start.
    public var steadyWindow: [Nanoseconds]
    /// From the first request sent to the last one sent.
    public var sending: Nanoseconds
    /// Requests a second that met the objective.
    public var goodput: Double
    /// Those as a share of the offered ones.
    public var goodShare: Double
    /// By replica.
    public var replicas: [ReplicaReport]
    /// Energy of all replicas.
    public var joules: Double
    /// Price of all replicas for the duration.
    public var usd: Double
    /// Every request in the order of their ends, if that was asked for.
    public var records: [RequestRecord]
}

extension SimulationReport {
    /// Preemptions of all replicas.
    public var preemptions: Int { replicas.reduce(0) { $0 + $1.preemptions } }
    /// Micro-batches of all replicas.
    public var steps: Int { replicas.reduce(0) { $0 + $1.steps } }
    /// The share of looked up prompt tokens that prefix caches had; 0 if none was looked up.
    public var prefixHitShare: Double {
        let queries: Int = replicas.reduce(0) { $0 + $1.prefixQueries }
        return queries == 0 ? 0 : Double(replicas.reduce(0) { $0 + $1.prefixHits }) / Double(queries)
    }
    /// The mean of all stages' utilisation.
    public var utilisation: Double {
        let all: [Double] = replicas.flatMap(\.stageUtilisation)
        return all.reduce(0, +) / Double(max(1, all.count))
    }
    /// The mean of all replicas' use of KV blocks.
    public var meanKVUse: Double { replicas.reduce(0.0) { $0 + $1.meanKVUse } / Double(max(1, replicas.count)) }
    /// Energy per generated token; 0 if there were none.
    public var joulesPerOutputToken: Double { outputTokens > 0 ? joules / Double(outputTokens) : 0 }
    /// Price of a million generated tokens; nil if there were none.
    public var usdPerMillionOutputTokens: Double? {
        outputTokens > 0 ? usd / Double(outputTokens) * 1e6 : nil
    }
    /// Requests that got no answer.
    public var failed: Int { failures.values.reduce(0, +) }
}
