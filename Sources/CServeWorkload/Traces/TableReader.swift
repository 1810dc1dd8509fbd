// Traces as comma-separated tables: a column of times, one of prompt lengths, one of answer lengths.
import CServeCore

/// Reads a table whose first line names the columns.
struct TableReader: TraceReader {
    /// Which columns hold what.
    struct Layout {
        var time: String
        var isTimeRequired: Bool
        var prompt: String
        var output: String
        var session: String?

        /// The columns without which the format is another.
        var required: [String] { (isTimeRequired ? [time] : []) + [prompt, output] }

        static func of(_ format: TraceFormat) -> Layout {
            switch format {
            case .azure:
                Layout(time: "TIMESTAMP", isTimeRequired: true, prompt: "ContextTokens", output: "GeneratedTokens")
            case .vidur:
                Layout(
                    time: "arrived_at", isTimeRequired: false, prompt: "num_prefill_tokens", output: "num_decode_tokens"
                )
            case .burstGPT:
                Layout(time: "Timestamp", isTimeRequired: true, prompt: "Request tokens", output: "Response tokens")
            default:
                Layout(
                    time: "arrival_s", isTimeRequired: false, prompt: "prompt_tokens", output: "output_tokens",
                    session: "session")
            }
        }
    }

    private let format: TraceFormat
    private let layout: Layout
    private var columnCount: Int = 0
    private var places: (time: Int?, prompt: Int, output: Int, session: Int?)?
    private var cells: [Range<Int>] = []

    init(_ format: TraceFormat) {
        self.format = format
        layout = Layout.of(format)
    }

    mutating func read(_ bytes: [UInt8], _ range: Range<Int>, into builder: inout TraceBuilder) throws {
        guard let places else { return try readHeader(bytes, range, &builder) }
        split(bytes, range)
        guard cells.count == columnCount else {
            throw TraceError.cellCount(file: builder.file, line: builder.line, cells: cells.count, columns: columnCount)
        }
        let prompt: Int = try whole(bytes, places.prompt, layout.prompt, builder)
        let output: Int = try whole(bytes, places.output, layout.output, builder)
        let time: Nanoseconds? = try places.time.flatMap {
            cells[$0].isEmpty ? nil : try self.time(bytes, $0, builder)
        }
        let session: Int? = try places.session.flatMap {
            cells[$0].isEmpty ? nil : try whole(bytes, $0, "session", builder)
        }
        try builder.add(arrival: time, prompt: prompt, output: output, session: session)
    }

    /// The names of the columns, in lower case.
    static func columns(_ bytes: [UInt8], _ range: Range<Int>) -> [String] {
        bytes[range].split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { cell in
            let inner: Range<Int> = TraceText.trimmed(bytes, cell.startIndex..<cell.endIndex)
            return String(decoding: bytes[inner], as: UTF8.self).lowercased()
        }
    }

    private mutating func readHeader(
        _ bytes: [UInt8], _ range: Range<Int>, _ builder: inout TraceBuilder
    ) throws(TraceError) {
        let columns: [String] = TableReader.columns(bytes, range)
        let place: (String) -> Int? = { columns.firstIndex(of: $0.lowercased()) }
        guard let prompt = place(layout.prompt), let output = place(layout.output),
            !layout.isTimeRequired || place(layout.time) != nil
        else {
            throw .missingColumns(
                file: builder.file, format: format, missing: layout.required.filter { place($0) == nil }, found: columns
            )
        }
        columnCount = columns.count
        places = (place(layout.time), prompt, output, layout.session.flatMap { place($0) })
        builder.entries -= 1
    }

    private mutating func split(_ bytes: [UInt8], _ range: Range<Int>) {
        cells.removeAll(keepingCapacity: true)
        var start: Int = range.lowerBound
        for place in range where bytes[place] == UInt8(ascii: ",") {
            cells.append(TraceText.trimmed(bytes, start..<place))
            start = place + 1
        }
        cells.append(TraceText.trimmed(bytes, start..<range.upperBound))
    }

    private func whole(
        _ bytes: [UInt8], _ cell: Int, _ column: String, _ builder: TraceBuilder
    ) throws(TraceError) -> Int {
        if let value = TraceText.whole(bytes, cells[cell]) { return value }
        let text = String(decoding: bytes[cells[cell]], as: UTF8.self)
        guard let value = Double(text), let whole = Int(exactly: value) else {
            throw builder.bad(column, "\"\(text)\"", "a whole number of tokens")
        }
        return whole
    }

    private func time(_ bytes: [UInt8], _ cell: Int, _ builder: TraceBuilder) throws(TraceError) -> Nanoseconds {
        if let date = TraceText.date(bytes, cells[cell]) { return date }
        let text = String(decoding: bytes[cells[cell]], as: UTF8.self)
        guard format != .azure, let seconds = Double(text),
            let span = Nanoseconds(exactly: (seconds * 1e9).rounded()), span >= 0
        else {
            let expected: String =
                format == .azure ? "a time like 2023-11-16 18:17:03.979" : "a number of seconds from 0 on, or a date"
            throw builder.bad(layout.time, "\"\(text)\"", expected)
        }
        return span
    }
}
