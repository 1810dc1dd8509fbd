// Reads a table of data sheets (hardware/gpus.csv of a data folder): what leaving an accelerator out still knows of it.
import CServeCore

/// The data sheets of a data folder.
public struct DataSheets: Sendable {
    /// The accelerators, named as in the table.
    public private(set) var accelerators: [AcceleratorSpec] = []
    /// How accelerators of a name reach each other in one machine: through NVLink switches, or PCIe and the host.
    public private(set) var links: [String: Interconnect] = [:]

    /// No sheets.
    public init() {}

    /// Reads the table.
    /// - Throws: ``CalibrationError`` with the line.
    public init(parsing bytes: some Sequence<UInt8>, file: String) throws(CalibrationError) {
        do {
            let table: CSVTable = try CSVTable(parsing: bytes)
            for row in table.rows {
                let spec: AcceleratorSpec = try DataSheets.accelerator(row, table)
                accelerators.append(spec)
                links[spec.name] = DataSheets.interconnect(row, table)
            }
        } catch {
            throw .table(file: file, error)
        }
    }

    private static func accelerator(_ row: CSVTable.Row, _ table: CSVTable) throws(CSVError) -> AcceleratorSpec {
        var peaks: [ArithmeticType: Double] = [:]
        let columns: [(String, ArithmeticType)] = [
            ("fp16_dense_tflops_fp32acc", .float16), ("bf16_dense_tflops", .bfloat16), ("fp8_dense_tflops", .fp8),
            ("int8_dense_tops", .int8), ("fp32_tflops", .float32),
        ]
        // A cell like "none (no bf16 tensor cores)" says that there is no peak.
        for (column, type) in columns { peaks[type] = Double(table.text(row, column)).map { $0 * 1e12 } }
        let name: String = table.text(row, "gpu")
        return AcceleratorSpec(
            name: name, title: name, architecture: table.text(row, "arch").lowercased(),
            computeCapability: table.text(row, "compute_capability"),
            memoryBytes: Int(try table.number(row, "mem_gb") * 1e9),
            memoryBandwidth: try table.number(row, "mem_bw_gbs") * 1e9, peaks: peaks,
            l2Bytes: Double(table.text(row, "l2_mb")).map { Int($0 * 1e6) },
            processors: Double(table.text(row, "sm_count")).map { Int($0) })
    }

    private static func interconnect(_ row: CSVTable.Row, _ table: CSVTable) -> Interconnect {
        let switched: Double = Double(table.text(row, "nvlink_total_bidir_gbs")) ?? 0
        if switched > 0 {
            return Interconnect(kind: .nvswitch, link: Link(latency: 5e-6, bandwidth: 0.8 * switched / 2 * 1e9))
        }
        let peer: Double = Double(table.text(row, "p2p_effective_gbs_plan")) ?? 10
        return Interconnect(kind: .pcieHost, link: Link(latency: 10e-6, bandwidth: peer * 1e9))
    }

    /// The accelerator that a file's prefix means: `a100_sxm` is the A100 SXM with the most memory.
    public func accelerator(prefix: String) -> AcceleratorSpec? {
        let wanted: Set<String> = Set(DataSheets.words(prefix))
        let fitting: [AcceleratorSpec] = accelerators.filter { spec in
            wanted.isSubset(of: Set(DataSheets.words(spec.name)))
        }
        return fitting.max { left, right in
            let words: (Int, Int) = (DataSheets.words(left.name).count, DataSheets.words(right.name).count)
            return left.memoryBytes == right.memoryBytes ? words.0 > words.1 : left.memoryBytes < right.memoryBytes
        }
    }

    /// The accelerator whose name begins with the same letters and digits: `RTXPRO6000` is `RTX-PRO-6000-Blackwell-Server`.
    public func accelerator(alike name: String) -> AcceleratorSpec? {
        func letters(_ text: String) -> String { text.lowercased().filter { $0.isLetter || $0.isNumber } }
        return accelerators.first { letters($0.name).hasPrefix(letters(name)) }
    }

    /// `RTX-PRO-6000` and `rtx_pro_6000` are the same words; `RTX4090` and `RTX-4090` too.
    private static func words(_ name: String) -> [String] {
        var words: [String] = []
        var word = ""
        var wasDigit = false
        for character in name.lowercased() {
            let isDigit: Bool = character.isNumber
            guard character.isLetter || isDigit else {
                if !word.isEmpty { words.append(word) }
                word = ""
                continue
            }
            // A word of several letters ends where a number begins (rtx4090), a single letter does not (a100).
            if isDigit, !wasDigit, word.count >= 3 {
                words.append(word)
                word = ""
            }
            word.append(character)
            wasDigit = isDigit
        }
        if !word.isEmpty { words.append(word) }
        return words
    }
}
