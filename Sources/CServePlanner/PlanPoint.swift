// What was simulated on the way: every probe, for charts and for whoever wants to check.
import CServeCore
import CServeSimulator

/// One simulated load of one deployment.
public struct PlanPoint: Hashable, Codable, Sendable {
    /// The deployment's name.
    public var option: String
    /// The accelerator.
    public var accelerator: String
    /// Accelerators used.
    public var accelerators: Int
    /// How far the search was: `search`, `refine`, `final`.
    public var phase: String
    /// Requests offered per second; nil: all at once.
    public var requestRate: Double?
    /// Requests simulated.
    public var requests: Int
    /// Requests answered per second.
    public var requestThroughput: Double
    /// Generated tokens per second.
    public var outputThroughput: Double
    /// Median time to first token in milliseconds.
    public var ttftMedian: Double
    /// 99th percentile of the time to first token in milliseconds.
    public var ttftP99: Double
    /// Median time per output token in milliseconds.
    public var tpotMedian: Double
    /// 99th percentile of the time per output token in milliseconds.
    public var tpotP99: Double
    /// Median end-to-end latency in milliseconds.
    public var e2eMedian: Double
    /// 99th percentile of the end-to-end latency in milliseconds.
    public var e2eP99: Double
    /// The share of requests that keep every limit.
    public var goodput: Double
    /// Whether the targets are kept.
    public var meetsTargets: Bool
    /// US dollars per hour; nil: unknown.
    public var usdPerHour: Double?

    init(_ deployment: Deployment, phase: String, _ load: Load, _ report: SimulationReport, passes: Bool) {
        option = deployment.name
        accelerator = deployment.replica.placement.accelerator.name
        accelerators = deployment.accelerators
        self.phase = phase
        requestRate = load.rate.isFinite ? load.rate : nil
        requests = report.offered
        requestThroughput = report.throughput.requestsPerSecond
        outputThroughput = report.throughput.outputTokensPerSecond
        ttftMedian = report.ttft.p50
        ttftP99 = report.ttft.p99
        tpotMedian = report.tpot.p50
        tpotP99 = report.tpot.p99
        e2eMedian = report.e2e.p50
        e2eP99 = report.e2e.p99
        goodput = report.goodShare
        meetsTargets = passes
        usdPerHour = deployment.usdPerHour.isFinite ? deployment.usdPerHour : nil
    }

    /// JSON names carry the units.
    public enum CodingKeys: String, CodingKey, CaseIterable {
        case option
        case accelerator
        case accelerators
        case phase
        case requestRate = "request_rate_per_s"
        case requests
        case requestThroughput = "request_throughput_per_s"
        case outputThroughput = "output_tokens_per_s"
        case ttftMedian = "ttft_p50_ms"
        case ttftP99 = "ttft_p99_ms"
        case tpotMedian = "tpot_p50_ms"
        case tpotP99 = "tpot_p99_ms"
        case e2eMedian = "e2e_p50_ms"
        case e2eP99 = "e2e_p99_ms"
        case goodput = "goodput_share"
        case meetsTargets = "meets_targets"
        case usdPerHour = "usd_per_hour"
    }

    /// The points as a table with a header, for spreadsheets.
    public static func csv(_ points: [PlanPoint]) -> String {
        let names: [String] = CodingKeys.allCases.map(\.rawValue)
        var lines: [String] = [names.joined(separator: ",")]
        for point in points {
            guard let object = try? JSONValue(encoding: point) else { continue }
            lines.append(names.map { (name: String) -> String in cell(object[name]) }.joined(separator: ","))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func cell(_ value: JSONValue?) -> String {
        guard let value else { return "" }
        return value.stringValue ?? value.text()
    }
}
