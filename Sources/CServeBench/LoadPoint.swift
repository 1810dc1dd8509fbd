// One load of a sweep: what was offered, what came out, and whether that will do.
import CServeCore

/// What is offered to a server in one run.
public enum OfferedProbe: Hashable, Codable, Sendable {
    /// Requests per second.
    case rate(Double)
    /// Clients that each wait for their answer.
    case clients(Int)

    /// JSON names carry the unit.
    public enum CodingKeys: String, CodingKey {
        case rate = "rate_per_s"
        case clients
    }

    /// Reads `{"rate_per_s": 4}` or `{"clients": 1}`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        if let clients = try container.decodeIfPresent(Int.self, forKey: .clients) {
            self = .clients(clients)
        } else {
            self = .rate(try container.decode(Double.self, forKey: .rate))
        }
    }

    /// Writes the same.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .rate(let rate): try container.encode(rate, forKey: .rate)
        case .clients(let clients): try container.encode(clients, forKey: .clients)
        }
    }
}

/// What one run at one load showed.
public struct LoadPoint: Hashable, Codable, Sendable {
    /// What was offered.
    public var probe: OfferedProbe
    /// Requests sent a second in the steady window, as they really were.
    public var offeredRate: Double
    /// Requests answered a second in the steady window.
    public var requestRate: Double
    /// Generated tokens a second in the steady window.
    public var tokenRate: Double
    /// Time to first token.
    public var ttft: LatencySummary
    /// Time per output token.
    public var tpot: LatencySummary
    /// End-to-end latency.
    public var e2e: LatencySummary
    /// The share of requests that kept every limit.
    public var goodShare: Double
    /// Requests that failed, as a share; those that the run's end cut off wait for too long, but have not failed.
    public var failedShare: Double
    /// Whether answers came as fast as requests did.
    public var follows: Bool
    /// Which target is missed, with its numbers; nil: all are kept.
    public var missed: String?

    /// Whether the server carries the load and keeps the targets.
    public var passes: Bool { follows && missed == nil }

    /// Failures above this share mean overload or a broken server; `vllm bench sweep` and others accept none or all.
    static let mostFailed: Double = 0.01

    /// Judges a run.
    ///
    /// A load is beyond the capacity if waiting for the first token grows, by more than what a random run of so many requests
    /// varies by, `1.5 / sqrt(n)`, and at least 5%. What is served in the run would not tell: long answers are still under way
    /// when it ends.
    public init(_ probe: OfferedProbe, _ report: BenchReport) {
        self.probe = probe
        offeredRate = report.offeredRate
        requestRate = report.steadyThroughput.requestsPerSecond
        tokenRate = report.steadyThroughput.outputTokensPerSecond
        ttft = report.ttft
        tpot = report.tpot
        e2e = report.e2e
        goodShare = report.goodShare
        let cut: Int = report.failures.first { $0.kind == BenchFailure.interrupted.kind }?.count ?? 0
        let offered: Double = Double(max(1, report.offered))
        failedShare = Double(report.failed - cut) / offered
        missed = report.attainment.first { !$0.isMet }.map { (one: TargetAttainment) -> String in
            "\(one.target.description) is \(one.value.map { FigureText.milliseconds($0) } ?? "not measured")"
        }
        let slack: Double = max(0.05, 1.5 / offered.squareRoot())
        if case .clients = probe { follows = true } else { follows = report.waitGrowth <= slack }
        follows = follows && Double(report.failed) / offered <= LoadPoint.mostFailed && report.completed > 0
    }

    /// JSON names carry the units.
    public enum CodingKeys: String, CodingKey {
        case probe
        case offeredRate = "offered_rate_per_s"
        case requestRate = "request_rate_per_s"
        case tokenRate = "output_tokens_per_s"
        case ttft
        case tpot
        case e2e
        case goodShare = "good_share"
        case failedShare = "failed_share"
        case follows
        case missed
    }
}
