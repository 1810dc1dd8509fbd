// What a user demands of latencies, as written on the command line: `ttft:p99<1s,tpot:p95<50ms`.

/// A latency of one request.
public enum LatencyMetric: String, Hashable, Codable, Sendable, CaseIterable {
    /// Time to first token: from sending the request to the first streamed token.
    case ttft
    /// Time per output token: `(e2e - ttft) / (tokens - 1)`; undefined for answers of one token.
    case tpot
    /// Inter-token latency: each gap between streamed tokens, pooled over requests.
    case itl
    /// End-to-end latency: from sending the request to the last token.
    case e2e
}

/// Which figure of a distribution is meant.
public enum LatencyStatistic: Hashable, Sendable, CustomStringConvertible {
    /// Arithmetic mean.
    case mean
    /// A percentile: 50, 90, 95 or 99.
    case percentile(Int)
    /// The worst case.
    case max

    /// The percentiles that summaries keep.
    public static let percentiles: [Int] = [50, 90, 95, 99]

    /// Reads `mean`, `p50` (or `median`), `p90`, `p95`, `p99`, `max`.
    public init?(name: String) {
        switch name {
        case "mean", "avg": self = .mean
        case "median": self = .percentile(50)
        case "max", "p100": self = .max
        default:
            guard name.hasPrefix("p"), let percent = Int(name.dropFirst()), Self.percentiles.contains(percent) else {
                return nil
            }
            self = .percentile(percent)
        }
    }

    /// As it is written: `p99`.
    public var description: String {
        switch self {
        case .mean: "mean"
        case .max: "max"
        case .percentile(let percent): "p\(percent)"
        }
    }
}

extension LatencyStatistic: Codable {
    /// Decodes the name.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let name: String = try container.decode(String.self)
        guard let value = LatencyStatistic(name: name) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\"\(name)\" is no statistic; mean, p50, p90, p95, p99 and max are.")
        }
        self = value
    }

    /// Encodes the name.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// One demand: a figure of a latency stays below a limit.
public struct LatencyTarget: Hashable, Codable, Sendable, CustomStringConvertible {
    /// Which latency.
    public var metric: LatencyMetric
    /// Which figure of it.
    public var statistic: LatencyStatistic
    /// What it must not exceed.
    public var limit: Nanoseconds

    /// Creates a demand.
    public init(_ metric: LatencyMetric, _ statistic: LatencyStatistic, atMost limit: Nanoseconds) {
        self.metric = metric
        self.statistic = statistic
        self.limit = limit
    }

    /// As it is written: `ttft:p99<1s`.
    public var description: String { "\(metric.rawValue):\(statistic)<\(SpanText.text(limit))" }

    /// JSON names carry the unit.
    public enum CodingKeys: String, CodingKey {
        case metric
        case statistic
        case limit = "limit_ns"
    }
}

/// All demands on latencies; they must hold together. Without targets every latency will do.
public struct ServiceLevelObjective: Hashable, Codable, Sendable, CustomStringConvertible {
    /// The demands.
    public var targets: [LatencyTarget]

    /// Creates an objective.
    public init(_ targets: [LatencyTarget] = []) {
        self.targets = targets
    }

    /// Reads `ttft:p99<1s,tpot:p95<50ms`; `tpot<50ms` means the 99th percentile, `:` may be `-`, `<` may be `=` or `<=`.
    /// - Throws: ``ServiceLevelError``.
    public init(parsing text: String) throws(ServiceLevelError) {
        targets = []
        for part in text.split(separator: ",") {
            targets.append(try Self.target(String(part.filter { $0 != " " })))
        }
        guard !targets.isEmpty else { throw .empty }
    }

    /// As it is written.
    public var description: String { targets.map(\.description).joined(separator: ",") }

    /// Whether one request kept every limit, whatever the statistic (goodput's rule, as `vllm bench serve --goodput`).
    ///
    /// - Parameter tpot: nil, with one token, passes; so do targets on gaps between tokens, which are no request's own.
    public func isMet(ttft: Nanoseconds, tpot: Nanoseconds?, e2e: Nanoseconds) -> Bool {
        targets.allSatisfy { (target: LatencyTarget) -> Bool in
            switch target.metric {
            case .ttft: ttft <= target.limit
            case .tpot: (tpot ?? 0) <= target.limit
            case .e2e: e2e <= target.limit
            case .itl: true
            }
        }
    }

    private static func target(_ text: String) throws(ServiceLevelError) -> LatencyTarget {
        guard let sign = text.firstIndex(where: { "<=".contains($0) }) else { throw .malformed(text) }
        let name: Substring = text[..<sign]
        let value: Substring = text[sign...].drop { "<=".contains($0) }
        let words: [Substring] = name.split(whereSeparator: { ":-".contains($0) })
        guard let first = words.first, words.count <= 2 else { throw .malformed(text) }
        guard let metric = LatencyMetric(rawValue: first.lowercased()) else { throw .unknownMetric(String(first)) }
        let figure: String = words.count == 2 ? words[1].lowercased() : "p99"
        guard let statistic = LatencyStatistic(name: figure) else { throw .unknownStatistic(figure) }
        guard let limit = SpanText.nanoseconds(String(value)), limit > 0 else { throw .badLimit(text) }
        return LatencyTarget(metric, statistic, atMost: limit)
    }
}

/// Why a demand on latencies cannot be read.
public enum ServiceLevelError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Nothing is demanded.
    case empty
    /// A part is no demand.
    case malformed(String)
    /// A latency that is not measured.
    case unknownMetric(String)
    /// A figure that is not kept.
    case unknownStatistic(String)
    /// A limit that is no span above zero.
    case badLimit(String)

    /// What happened, and what to write instead.
    public var description: String {
        switch self {
        case .empty: "No latency target was given. Write for example ttft:p99<1s,tpot:p95<50ms."
        case .malformed(let text):
            "\"\(text)\" is no latency target. Write METRIC:STATISTIC<LIMIT, for example ttft:p99<1s."
        case .unknownMetric(let name):
            "\"\(name)\" is no latency. Choose one of "
                + LatencyMetric.allCases.map(\.rawValue).joined(separator: ", ") + "."
        case .unknownStatistic(let name):
            "\"\(name)\" is no statistic. Choose one of mean, p50, p90, p95, p99, max."
        case .badLimit(let text):
            "\"\(text)\" has no limit above zero. Write a span with its unit: 50ms, 1s, 1.5s."
        }
    }
}
