// Workloads with a name, each with the source of its figures and the latencies that its users expect.
import CServeCore

/// A named workload, read from a JSON file of its own.
public struct WorkloadPreset: Hashable, Sendable {
    /// Its name.
    public var name: String
    /// Other names that find it.
    public var aliases: [String]
    /// What it stands for, in one sentence.
    public var summary: String
    /// Where its figures come from, and which of them are assumptions.
    public var source: String
    /// Latencies that its users expect; nil: none (batch work).
    public var objective: ServiceLevelObjective?
    /// Where the objective comes from.
    public var objectiveSource: String?
    /// The workload.
    public var workload: Workload

    /// Reads a preset's file.
    /// - Throws: ``WorkloadError``.
    public init(parsing bytes: [UInt8]) throws(WorkloadError) {
        let value: JSONValue
        do { value = try JSONValue(parsing: bytes, uniqueKeys: true) } catch { throw .notJSON(error) }
        let fields = try JSONFields(value, at: "")
        try fields.allow(["name", "aliases", "summary", "source", "objective", "objective_source", "workload"])
        name = try fields.text("name")
        aliases = fields["aliases"]?.arrayValue?.compactMap(\.stringValue) ?? []
        summary = try fields.text("summary")
        source = try fields.text("source")
        objectiveSource = fields["objective_source"]?.stringValue
        if let text = fields["objective"]?.stringValue {
            do { objective = try ServiceLevelObjective(parsing: text) } catch {
                throw .badField(field: "objective", found: "\"\(text)\"", expected: "latency targets. \(error)")
            }
        }
        workload = try Workload(json: try fields.required("workload", "a workload"))
        workload.name = name
    }
}

/// The presets that a program brings, found by name.
public struct WorkloadCatalog: Hashable, Sendable {
    /// The presets in their files' order.
    public var presets: [WorkloadPreset]

    /// Collects presets.
    public init(_ presets: [WorkloadPreset]) {
        self.presets = presets
    }

    /// Prompt and answer lengths by which NVIDIA publishes TensorRT-LLM's throughput.
    ///
    /// Source: TensorRT-LLM, docs/source/performance/perf-overview.md, the throughput tables' "ISL, OSL".
    public static let publishedShapes: [LengthPair] = [
        LengthPair(prompt: 128, output: 128), LengthPair(prompt: 128, output: 2048),
        LengthPair(prompt: 128, output: 4096),
        LengthPair(prompt: 500, output: 2000), LengthPair(prompt: 1000, output: 1000),
        LengthPair(prompt: 1000, output: 2000), LengthPair(prompt: 2048, output: 128),
        LengthPair(prompt: 2048, output: 2048), LengthPair(prompt: 5000, output: 500),
        LengthPair(prompt: 20_000, output: 2000),
    ]

    /// The preset of a name or another name of it; nil: none.
    public func preset(named name: String) -> WorkloadPreset? {
        let wanted: String = name.lowercased()
        return presets.first { $0.name == wanted } ?? presets.first { $0.aliases.contains(wanted) }
    }

    /// The workload of a preset, or of fixed lengths written `1024/128`.
    /// - Throws: ``WorkloadError/unknownName(_:presets:)``.
    public func workload(named name: String) throws(WorkloadError) -> Workload {
        if let preset = preset(named: name) { return preset.workload }
        if let shape = WorkloadCatalog.shape(name) { return shape }
        throw .unknownName(name, presets: presets.map(\.name))
    }

    /// Fixed lengths written `1024/128` (or `1024x128`, `1024,128`), arriving by Poisson at one a second; nil: written
    /// otherwise.
    public static func shape(_ text: String) -> Workload? {
        let parts: [Int?] = text.split(omittingEmptySubsequences: false) { "/x,".contains($0) }.map { Int($0) }
        guard parts.count == 2, let prompt = parts[0], let output = parts[1], prompt > 0, output > 0 else { return nil }
        let drawn = SyntheticRequests(lengths: .fixed(prompt: prompt, output: output))
        let workload = Workload(
            name: "\(prompt)/\(output)", drawing: drawn, arrivals: .poisson(rate: 1), requests: 1000)
        guard (try? workload.validate()) != nil else { return nil }
        return workload
    }
}
