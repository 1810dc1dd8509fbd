// Reads per-operator profiles of a model, one folder per number of ranks, in the form of LLMServingSim's profiler.
import CServeCore

/// The tables of one folder `tpN`, as bytes; what a model has no use for may be nil.
public struct ProfileTables: Sendable {
    /// The folder, for messages.
    public var folder: String
    /// Ranks that share a layer.
    public var ranks: Int
    /// `dense.csv`: layer, tokens, time_us.
    public var dense: [UInt8]
    /// `per_sequence.csv`: layer, sequences, time_us.
    public var perSequence: [UInt8]
    /// `attention.csv`: prefill_chunk, kv_prefill, n_decode, kv_decode, time_us.
    public var attention: [UInt8]
    /// `moe.csv`: tokens, activated_experts, time_us.
    public var experts: [UInt8]?
    /// `skew_fit.csv`: pc, n_label, skew_rate_label, kv_big_label, kp_label, alpha.
    public var skew: [UInt8]?

    /// Names a folder's tables.
    public init(
        folder: String, ranks: Int, dense: [UInt8], perSequence: [UInt8], attention: [UInt8], experts: [UInt8]? = nil,
        skew: [UInt8]? = nil
    ) {
        self.folder = folder
        self.ranks = ranks
        self.dense = dense
        self.perSequence = perSequence
        self.attention = attention
        self.experts = experts
        self.skew = skew
    }
}

extension OperatorProfile {
    /// Reads a folder's tables.
    /// - Throws: ``CalibrationError`` with file and line.
    public init(importing tables: ProfileTables) throws(CalibrationError) {
        let dense: [String: Series] = try Self.series(tables.dense, tables.folder + "/dense.csv", count: "tokens")
        for name in ["qkv_proj", "o_proj"] where dense[name] == nil {
            throw .field(file: tables.folder + "/dense.csv", field: name, expected: "among the layers that were timed")
        }
        self.init(
            ranks: tables.ranks, dense: dense,
            perRow: try Self.series(tables.perSequence, tables.folder + "/per_sequence.csv", count: "sequences"),
            attention: try Self.attention(tables.attention, tables.folder + "/attention.csv"),
            experts: try tables.experts.map { bytes throws(CalibrationError) in
                try Self.experts(bytes, tables.folder + "/moe.csv")
            },
            skew: try tables.skew.map { bytes throws(CalibrationError) in
                try Self.skew(bytes, tables.folder + "/skew_fit.csv")
            } ?? SkewTable())
    }

    private static func read<Result>(
        _ bytes: [UInt8], _ file: String, _ body: (CSVTable) throws(CSVError) -> Result
    ) throws(CalibrationError) -> Result {
        do {
            return try body(try CSVTable(parsing: bytes))
        } catch {
            throw .table(file: file, error)
        }
    }

    private static func series(
        _ bytes: [UInt8], _ file: String, count: String
    ) throws(CalibrationError) -> [String: Series] {
        try read(bytes, file) { table throws(CSVError) in
            var points: [String: [Double: Double]] = [:]
            for row in table.rows {
                points[table.text(row, "layer"), default: [:]][try table.number(row, count)] =
                    try table.number(row, "time_us")
            }
            return points.mapValues(series)
        }
    }

    private static func series(_ points: [Double: Double]) -> Series {
        let sorted = points.sorted { $0.key < $1.key }
        return Series(counts: sorted.map(\.key), microseconds: sorted.map(\.value))
    }

    private static func attention(_ bytes: [UInt8], _ file: String) throws(CalibrationError) -> AttentionGrid {
        let points: [AttentionGrid.Point] = try read(bytes, file) { table throws(CSVError) in
            var points: [AttentionGrid.Point] = []
            for row in table.rows {
                let place: [Double] = [
                    try table.number(row, "prefill_chunk"), try table.number(row, "kv_prefill"),
                    try table.number(row, "n_decode"), try table.number(row, "kv_decode"),
                ]
                points.append(AttentionGrid.Point(place: place, microseconds: try table.number(row, "time_us")))
            }
            return points
        }
        let prompts: Int = points.count { $0.place[0] > 0 && $0.place[2] == 0 }
        let decodes: Int = points.count { $0.place[0] == 0 && $0.place[2] > 0 }
        guard prompts >= 2, decodes >= 2 else {
            throw .tooFew(what: file + " (prompts alone and decodes alone)", found: min(prompts, decodes), needed: 2)
        }
        return AttentionGrid(points)
    }

    private static func experts(_ bytes: [UInt8], _ file: String) throws(CalibrationError) -> [ExpertSeries] {
        try read(bytes, file) { table throws(CSVError) in
            var points: [Double: [Double: Double]] = [:]
            for row in table.rows {
                let touched: Double = try table.number(row, "activated_experts")
                points[touched, default: [:]][try table.number(row, "tokens")] = try table.number(row, "time_us")
            }
            return points.sorted { $0.key < $1.key }.map { ExpertSeries(touched: $0.key, series: series($0.value)) }
        }
    }

    private static func skew(_ bytes: [UInt8], _ file: String) throws(CalibrationError) -> SkewTable {
        let table: CSVTable = try read(bytes, file) { table throws(CSVError) in table }
        var rows: [SkewTable.Row] = []
        for row in table.rows {
            var bounds: [Double] = []
            for column in ["n_label", "skew_rate_label", "kv_big_label", "kp_label"] {
                guard let bound = SkewTable.bound(table.text(row, column)) else {
                    throw .value(
                        file: file, line: row.line, column: column, text: table.text(row, column),
                        expected: "a bound like n<=128")
                }
                bounds.append(min(bound, 1e18))
            }
            rows.append(
                SkewTable.Row(
                    promptTokens: try number(table, row, "pc", file), bounds: bounds,
                    share: try number(table, row, "alpha", file)))
        }
        let shares: [Double] = rows.map(\.share).sorted()
        let standard: Double = shares.isEmpty ? Skew.share : shares[shares.count / 2]
        return SkewTable(standard: min(1, max(0, standard)), rows: rows)
    }

    private static func number(
        _ table: CSVTable, _ row: CSVTable.Row, _ column: String, _ file: String
    ) throws(CalibrationError) -> Double {
        do {
            return try table.number(row, column)
        } catch {
            throw .table(file: file, error)
        }
    }
}
