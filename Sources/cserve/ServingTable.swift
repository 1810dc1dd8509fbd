// Published serving measurements, one metric a row: which deployment and load a row is of, or why it cannot be predicted.

import CServeCore
import CServeCost

/// What a row measured, without the metric: rows of one case share one simulation.
struct ServingCase: Hashable {
    /// How requests came.
    enum Load: Hashable {
        /// So many at once, nothing else: a static batch.
        case batch(Int)
        /// So many clients, each asking again when it is answered.
        case clients(Int)
        /// A Poisson process of so many requests a second.
        case rate(Double)
        /// All at once, many times what runs together.
        case queue
    }

    /// The engine's profile.
    var engine: String
    /// The catalogue's accelerator.
    var accelerator: String
    /// The catalogue's model.
    var model: String
    /// Weights, arithmetic and cache, as the table names them.
    var precision: String
    var tensorParallel: Int
    var pipelineParallel: Int
    var promptTokens: Int
    var outputTokens: Int
    var load: Load
}

/// One measured figure.
struct ServingRow {
    var line: Int
    var serving: ServingCase
    var metric: String
    /// In seconds, or per second.
    var value: Double
    /// Accelerators of the row.
    var accelerators: Int
}

/// Why a row is passed over.
struct ServingSkip: Error, Hashable {
    var reason: String
}

/// One table.
struct ServingTable {
    let file: String
    private(set) var rows: [ServingRow] = []
    /// Rows passed over, by reason.
    private(set) var skipped: [String: Int] = [:]

    /// Reads a table of the columns hardware, count, model, precision, tp, pp, engine, engine_version, in_len, out_len,
    /// batch_or_concurrency, rate_rps, metric, value, unit, source, notes.
    init(_ file: String, in data: DataFolder) throws {
        self.file = file
        let table: CSVTable = try CSVTable(parsing: data.bytes(file))
        let reader: ServingRowReader = try ServingRowReader(table)
        for row in table.rows {
            do {
                rows.append(try reader.read(row))
            } catch let skip as ServingSkip {
                skipped[skip.reason, default: 0] += 1
            }
        }
    }

    mutating func skip(_ reason: String, rows: Int) { skipped[reason, default: 0] += rows }
}

/// Reads rows.
struct ServingRowReader {
    private let table: CSVTable
    private let hardware: HardwareCatalog
    private let models: ModelCatalog

    init(_ table: CSVTable) throws {
        self.table = table
        for column in ["hardware", "model", "tp", "engine", "in_len", "out_len", "metric", "value"] {
            _ = try table.place(of: column)
        }
        hardware = try Catalogs.hardware()
        models = try Catalogs.models()
    }

    func read(_ row: CSVTable.Row) throws -> ServingRow {
        let metric: String = table.text(row, "metric")
        guard let value = Double(table.text(row, "value")), value > 0, value.isFinite else {
            throw ServingSkip(reason: "no value above zero")
        }
        guard ServingMetric.names.contains(metric) else {
            throw ServingSkip(reason: "\(metric) has no counterpart in a simulation")
        }
        guard let ranks = number(row, "tp"), let input = number(row, "in_len"), let output = number(row, "out_len")
        else {
            throw ServingSkip(reason: "lengths or parallelism are not plain numbers")
        }
        guard !table.text(row, "notes").contains(/dp=(?:[2-9]|\d\d)/) else {
            throw ServingSkip(reason: "attention is data parallel within a replica")
        }
        let stages: Int = number(row, "pp") ?? 1
        let count: Int = number(row, "count") ?? ranks * stages
        guard count == ranks * stages else { throw ServingSkip(reason: "count differs from tp x pp") }
        let serving: ServingCase = ServingCase(
            engine: try engine(row), accelerator: try accelerator(row), model: try model(row),
            precision: try precision(row), tensorParallel: ranks, pipelineParallel: stages, promptTokens: input,
            outputTokens: output, load: try load(row, metric))
        let scale: Double = table.text(row, "unit") == "ms" ? 1e-3 : 1
        return ServingRow(
            line: row.line, serving: serving, metric: metric, value: value * scale, accelerators: count)
    }

    private func number(_ row: CSVTable.Row, _ column: String) -> Int? {
        guard let value = Double(table.text(row, column)), value >= 1 else { return nil }
        return Int(exactly: value)
    }

    private func engine(_ row: CSVTable.Row) throws -> String {
        let name: String = table.text(row, "engine")
        let version: String = table.text(row, "engine_version")
        if name.hasPrefix("TensorRT-LLM") || name == "trtllm" { return "trtllm" }
        guard name.lowercased().hasPrefix("vllm") else { throw ServingSkip(reason: "no engine profile of \(name)") }
        // V1 is the default from 0.8 on; "mid-2024" was 0.4 to 0.5.
        let isOld: Bool = version.contains(/^0\.[3-7](\.|$)/) || version.hasSuffix("2024") || version.hasPrefix("2023")
        return isOld ? "vllm-v0" : "vllm"
    }

    private func accelerator(_ row: CSVTable.Row) throws -> String {
        let text: String = table.text(row, "hardware")
        var words: [Substring] = text.lowercased().split { " -_".contains($0) }
        words.removeAll {
            ["nvidia", "gpu", "hbm3", "hbm3e", "sxm", "sxm4", "sxm5", "141gb", "24gb", "48gb"].contains($0)
        }
        var name: String = words.joined(separator: "-").replacing("rtx-", with: "rtx").replacing("gb", with: "")
        if name.hasPrefix("h100") { name = words.contains("pcie") ? "h100-pcie" : "h100" }
        // Argonne's A100 are Polaris' and ThetaGPU's 40 GB ones; other tables that say A100 alone mean 80 GB.
        if name == "a100" { name = text.hasPrefix("Nvidia A100") ? "a100-40" : "a100-80" }
        guard let known = hardware.accelerator(named: name) else {
            throw ServingSkip(reason: "\(text) is not in the hardware catalogue")
        }
        return known.name
    }

    private func model(_ row: CSVTable.Row) throws -> String {
        let text: String = table.text(row, "model")
        let plain: String = text.replacing(/[ -]*\(?FP8\)?$/, with: "").replacing("nvidia/", with: "")
        for name in [text, plain, plain.replacing(" ", with: "-"), String(plain.split(separator: "/").last ?? "")] {
            if let entry = models.entry(named: name) { return entry.name }
        }
        throw ServingSkip(reason: "\(text) is not in the model catalogue")
    }

    private func precision(_ row: CSVTable.Row) throws -> String {
        let text: String = table.text(row, "precision").lowercased()
        if text.contains("gptq-int4") || text == "int4" { return "int4" }
        if text.hasPrefix("int8") { return "int8" }
        if text == "fp8" { return "fp8" }
        if text.isEmpty { return table.text(row, "model").hasSuffix("FP8") ? "fp8" : "bf16" }
        if text.contains("16") { return "bf16" }
        throw ServingSkip(reason: "weights of \(text) are not modelled")
    }

    private func load(_ row: CSVTable.Row, _ metric: String) throws -> ServingCase.Load {
        let together: Int? = number(row, "batch_or_concurrency")
        let rate: String = table.text(row, "rate_rps")
        let notes: String = table.text(row, "notes")
        if let rate = Double(rate), rate.isFinite, rate > 0 { return .rate(rate) }
        if rate == "inf" { return together.map { .clients($0) } ?? .queue }
        guard let together else { throw ServingSkip(reason: "the load is not stated") }
        if notes.contains("static batch") || metric.contains("batch") || notes.contains("batch*") {
            return .batch(together)
        }
        if table.text(row, "engine").contains("benchmark_latency") { return .batch(together) }
        return .clients(together)
    }
}
