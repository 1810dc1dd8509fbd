// Reads tables of measured kernels: matrix products, attention, sums across ranks; every row is taken or has its reason.
import CServeCore

/// The rows of one measured table.
public struct KernelTable: Sendable {
    /// What a table holds.
    public enum Kind: Hashable, Sendable {
        /// Matrix products.
        case gemm
        /// Attention of prompts.
        case prefill
        /// Attention of decodes.
        case decode
        /// Sums across ranks.
        case collective
    }

    /// Where it was read.
    public let file: String
    /// What it holds.
    public let kind: Kind
    /// The versions of the software that its rows name.
    public private(set) var versions: [String] = []
    /// Kernels.
    public private(set) var samples: [KernelSample] = []
    /// Messages, by way and ranks.
    public private(set) var messages: [(way: String, ranks: Int, point: CollectiveCurve.Point)] = []
    /// Rows that are not taken: line and reason.
    public private(set) var skipped: [(line: Int, reason: String)] = []
    /// Whether its messages tell one machine's links: they name how many ranks share a machine.
    public let isTopology: Bool
    /// Rows in all.
    public private(set) var rows: Int = 0

    /// The kind of a table by its columns (and, for attention, its name); nil: none of these.
    public static func kind(columns: [String], file: String) -> Kind? {
        let names: Set<String> = Set(columns)
        if names.isSuperset(of: ["m", "n", "k", "latency"]) { return .gemm }
        if names.isSuperset(of: ["batch_size", "isl", "num_heads", "num_key_value_heads", "latency"]) {
            return file.contains("generation") ? .decode : .prefill
        }
        if names.isSuperset(of: ["num_gpus", "message_size", "latency"]) { return .collective }
        if names.isSuperset(of: ["num_workers", "size", "devices_per_node"]) { return .collective }
        return nil
    }

    /// Reads a table; nil if it is of no kind that is known here.
    /// - Throws: ``CalibrationError`` with the line.
    public init?(parsing bytes: some Sequence<UInt8>, file: String) throws(CalibrationError) {
        self.file = file
        do {
            let table: CSVTable = try CSVTable(parsing: bytes)
            guard let kind = KernelTable.kind(columns: table.columns, file: file) else { return nil }
            self.kind = kind
            isTopology = table.has("devices_per_node")
            rows = table.rows.count
            var versions: Set<String> = []
            for row in table.rows {
                versions.insert(table.text(row, "version"))
                try take(row, of: table)
            }
            self.versions = versions.sorted()
        } catch {
            throw .table(file: file, error)
        }
    }

    private mutating func take(_ row: CSVTable.Row, of table: CSVTable) throws(CSVError) {
        if isTopology { return try takeTopology(row, table) }
        let seconds: Double = try table.number(row, "latency") * 1e-3
        guard seconds > 0 else {
            skipped.append((row.line, "its time is not above 0"))
            return
        }
        switch kind {
        case .gemm: try takeGemm(row, table, seconds)
        case .prefill, .decode: try takeAttention(row, table, seconds)
        case .collective: try takeMessage(row, table, seconds)
        }
    }

    private mutating func takeGemm(_ row: CSVTable.Row, _ table: CSVTable, _ seconds: Double) throws(CSVError) {
        let sizes: [Double] = [
            try table.number(row, "m"), try table.number(row, "n"), try table.number(row, "k"),
        ]
        guard sizes.allSatisfy({ $0 >= 1 }) else {
            skipped.append((row.line, "a size is below 1"))
            return
        }
        var type: String = table.text(row, "gemm_dtype")
        if type.isEmpty || type == "float16" || type == "half" { type = "bfloat16" }
        if type == "fp8", table.text(row, "version").hasPrefix("0.14.") { type = "fp8_eager" }
        samples.append(
            KernelSample(.gemm(m: sizes[0], n: sizes[1], k: sizes[2], type: type), seconds: seconds, line: row.line))
    }

    private mutating func takeAttention(_ row: CSVTable.Row, _ table: CSVTable, _ seconds: Double) throws(CSVError) {
        let requests: Double = try table.number(row, "batch_size")
        let tokens: Double = try table.number(row, "isl")
        let heads: Int = try table.integer(row, "num_heads")
        let kvHeads: Int = try table.integer(row, "num_key_value_heads")
        let cached: Double = table.has("step") ? try table.number(row, "step") : 0
        let window: Int = table.has("window_size") ? try table.integer(row, "window_size") : 0
        guard requests >= 1, tokens >= 1, heads >= 1, kvHeads >= 1, heads >= kvHeads, cached >= 0 else {
            skipped.append((row.line, "a count is below 1, or fewer query heads than key heads"))
            return
        }
        let type: String = table.text(row, "kv_cache_dtype")
        let shape = AttentionShape(
            heads: heads, kvHeads: kvHeads, headDim: table.has("head_dim") ? try table.integer(row, "head_dim") : 128,
            window: window > 0 ? window : nil, cacheBytes: type.hasPrefix("fp8") || type.hasPrefix("int8") ? 1 : 2)
        let work: KernelWork =
            kind == .decode
            ? .decode(requests: requests, context: cached + 1, shape: shape)
            : .prefill(requests: requests, tokens: tokens, context: cached, shape: shape)
        samples.append(KernelSample(work, seconds: seconds, line: row.line))
    }

    /// Messages in bytes, by NCCL, within one machine or across several.
    private mutating func takeTopology(_ row: CSVTable.Row, _ table: CSVTable) throws(CSVError) {
        let ranks: Int = try table.integer(row, "num_workers")
        let perNode: Int = try table.integer(row, "devices_per_node")
        let isSum: Bool = table.text(row, "collective") == "all_reduce"
        let seconds: Double = try table.number(row, isSum ? "all_reduce_ms" : "send_recv_ms") * 1e-3
        let bytes: Double = try table.number(row, "size")
        guard ranks >= 2, perNode >= 1, bytes > 0, seconds > 0 else {
            skipped.append((row.line, "fewer than 2 ranks, no bytes, or a time not above 0"))
            return
        }
        let way: String = (isSum ? "nccl" : "send") + (perNode < ranks ? " across \(perNode)" : "")
        messages.append((way, ranks, CollectiveCurve.Point(bytes: bytes, seconds: seconds)))
    }

    /// Message sizes count numbers; engines' own kernels name how they were started, NCCL's rows the operation.
    private mutating func takeMessage(_ row: CSVTable.Row, _ table: CSVTable, _ seconds: Double) throws(CSVError) {
        let ranks: Int = try table.integer(row, "num_gpus")
        let size: Double = try table.number(row, "message_size")
        let type: String = table.has("nccl_dtype") ? table.text(row, "nccl_dtype") : table.text(row, "allreduce_dtype")
        let bytes: Double =
            size * (type.hasPrefix("int8") || type.hasPrefix("fp8") ? 1 : type == "float" || type == "float32" ? 4 : 2)
        let operation: String = table.has("op_name") ? table.text(row, "op_name") : "all_reduce"
        guard ranks >= 2, size > 0 else {
            skipped.append((row.line, "fewer than 2 ranks, or no bytes"))
            return
        }
        let source: String = table.text(row, "kernel_source")
        let base: String = source.isEmpty ? "nccl" : source.contains("graph") ? "graph" : "eager"
        let way: String = operation == "all_reduce" ? base : "nccl " + operation
        // A sum of bytes and one of 16-bit numbers differ in their kernels: other types are curves of their own.
        let isHalf: Bool = type.isEmpty || type == "half" || type == "bfloat16" || type == "float16"
        messages.append((isHalf ? way : way + " " + type, ranks, CollectiveCurve.Point(bytes: bytes, seconds: seconds)))
    }
}
