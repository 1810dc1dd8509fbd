// A run as a file: what was asked, the figures, and every request if that is wanted.
import CServeCore

/// What `--json` writes and `cserve bench compare` reads.
public struct BenchResult: Hashable, Codable, Sendable {
    /// The form that this build writes and reads.
    public static let schema: String = "cserve-bench/1"

    /// The form.
    public var schema: String = BenchResult.schema
    /// What wrote it: `cserve 0.3.0`.
    public var generator: String
    /// Where the server answered; `simulated` for a simulation.
    public var target: String
    /// The model's name as the server knows it.
    public var model: String
    /// The workload, whole: what repeats the run.
    public var workload: JSONValue
    /// SHA-256 of the workload.
    public var workloadDigest: String
    /// When it began: seconds since 1970.
    public var began: Double
    /// What was demanded.
    public var objective: ServiceLevelObjective?
    /// What is left out.
    public var windows: BenchWindows
    /// The figures.
    public var report: BenchReport
    /// Every request, if that is wanted: what comparisons need for intervals.
    public var requests: [RequestMeasurement]?

    /// Sums a run up.
    /// - Parameters:
    ///   - keepsRequests: whether every request's measurement is kept.
    ///   - generator: program and version.
    /// - Throws: ``BenchReportError``.
    public init(
        _ run: BenchRun, slo: ServiceLevelObjective? = nil, windows: BenchWindows = BenchWindows(),
        keepsRequests: Bool, generator: String
    ) throws(BenchReportError) {
        self.generator = generator
        target = run.target
        model = run.model
        workload = (try? JSONValue(parsing: Array(run.workload.utf8))) ?? .string(run.workload)
        workloadDigest = run.workloadDigest
        began = run.began
        objective = slo
        self.windows = windows
        report = try BenchReport(run: run, slo: slo, window: windows)
        requests = keepsRequests ? run.requests : nil
    }

    /// The run as it was measured; nil without its requests.
    public var run: BenchRun? {
        requests.map {
            BenchRun(
                target: target, model: model, workload: workload.text(), workloadDigest: workloadDigest, began: began,
                duration: report.duration, requests: $0)
        }
    }

    /// Reads a file.
    /// - Throws: ``BenchResultError``.
    public static func read(_ bytes: [UInt8], file: String) throws(BenchResultError) -> BenchResult {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw .notJSON(file: file, reason: "\(error)")
        }
        guard let schema = value["schema"]?.stringValue, schema.hasPrefix("cserve-bench/") else {
            throw .notAResult(file: file)
        }
        guard schema == BenchResult.schema else { throw .unknownSchema(file: file, found: schema) }
        do {
            return try value.decoded(file: file)
        } catch {
            throw .field(error)
        }
    }

    /// Writes the file in pieces, a request to a line, so that memory does not grow with the requests.
    public func write(_ put: ([UInt8]) throws -> Void) throws {
        var head: BenchResult = self
        head.requests = nil
        guard let requests else { return try put(JSONValue(encoding: head).serialized(.pretty) + newline) }
        // The object's closing brace comes behind the requests.
        let text: [UInt8] = try JSONValue(encoding: head).serialized(.pretty).dropLast(2) + Array(",\n".utf8)
        try put(text + Array("  \"requests\": [".utf8))
        var piece: [UInt8] = []
        for (place, request) in requests.enumerated() {
            piece.append(contentsOf: Array((place == 0 ? "\n    " : ",\n    ").utf8))
            piece.append(contentsOf: try JSONValue(encoding: request).serialized())
            if piece.count > 1 << 20 {
                try put(piece)
                piece.removeAll(keepingCapacity: true)
            }
        }
        try put(piece + Array("\n  ]\n}\n".utf8))
    }

    /// The whole file.
    public func serialized() throws -> [UInt8] {
        var bytes: [UInt8] = []
        try write { bytes.append(contentsOf: $0) }
        return bytes
    }

    private var newline: [UInt8] { [UInt8(ascii: "\n")] }

    /// JSON names.
    public enum CodingKeys: String, CodingKey {
        case schema
        case generator
        case target
        case model
        case workload
        case workloadDigest = "workload_digest"
        case began
        case objective
        case windows
        case report
        case requests
    }
}

/// Why a file is no result of a benchmark.
public enum BenchResultError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No JSON at all.
    case notJSON(file: String, reason: String)
    /// JSON of something else.
    case notAResult(file: String)
    /// A form that this build does not know.
    case unknownSchema(file: String, found: String)
    /// A field is missing or wrong.
    case field(JSONFieldError)

    /// What happened, and what to do.
    public var description: String {
        switch self {
        case .notJSON(let file, let reason): "\(file) is no JSON: \(reason)."
        case .notAResult(let file):
            "\(file) is no result of cserve bench: it lacks \"schema\": \"\(BenchResult.schema)\". Write one with "
                + "cserve bench --json; the forms vllm and fib cannot be read back."
        case .unknownSchema(let file, let found):
            "\(file) is of the form \"\(found)\", and this cserve reads \"\(BenchResult.schema)\". Measure again, or use the "
                + "cserve that wrote it."
        case .field(let error): error.description
        }
    }
}
