// Logs of an OpenAI-style API, as gateways and servers write them: every team's are a little different.
import CServeCore

/// Reads one request a line. What is understood, at the top level or below `body`, `request` or `response`:
///
/// - the time: `timestamp`, `time`, `ts`, `@timestamp`, `created_at`, `start_time`, `created`: a date, or a number of seconds,
///   milliseconds, microseconds or nanoseconds told apart by its size;
/// - the prompt: `messages` (texts, or lists of parts with `text`), `prompt` or `input` (a text, texts, or token ids);
/// - the lengths: `usage` with `prompt_tokens` and `completion_tokens` (or `input_tokens`, `output_tokens`), or these
///   fields themselves; where they lack, texts are estimated, an answer's also from `max_tokens`;
/// - `session_id`, `conversation_id`; `status`, `status_code`, `error`: failed requests are left out and counted.
///
/// A body may be an object or a string that holds one. Texts that two prompts begin with are found in pieces of 1,024 bytes,
/// so that a replay hits a prefix cache as the original would; a piece has as many tokens as the log's mean.
struct RequestLogReader: TraceReader {
    private let options: TraceOptions
    private var measuredBytes: Double = 0
    private var measuredTokens: Double = 0
    /// Records whose prompt length has to be estimated.
    private var unmeasured: [Int] = []
    private var sessions: [String: Int] = [:]

    init(_ options: TraceOptions) {
        self.options = options
    }

    mutating func read(_ bytes: [UInt8], _ range: Range<Int>, into builder: inout TraceBuilder) throws {
        var entry = LogEntry()
        var cursor = JSONCursor(bytes, range)
        try entry.object(&cursor)
        try cursor.finish()
        if entry.hasFailed {
            builder.notes.failed += 1
            return
        }
        let first: Int = builder.segments.count
        builder.segments.append(contentsOf: entry.pieces.map { PromptSegment(.text($0.number), tokens: $0.bytes) })
        let output: Int = try outputLength(entry, &builder)
        if let prompt = entry.promptTokens {
            measuredBytes += Double(entry.promptBytes)
            measuredTokens += entry.promptBytes > 0 ? Double(prompt) : 0
        } else {
            guard entry.promptBytes > 0 || entry.promptIDs > 0 else {
                throw TraceError.missingField(
                    file: builder.file, line: builder.line, field: "usage.prompt_tokens, messages or prompt",
                    format: .requestLog)
            }
            if entry.promptIDs == 0 {
                unmeasured.append(builder.records.count)
                builder.notes.estimated += 1
            }
        }
        let session: Int? = entry.session.map { name in
            let number: Int = sessions[name] ?? sessions.count
            sessions[name] = number
            return number
        }
        try builder.add(
            arrival: entry.time, prompt: entry.promptTokens ?? max(1, entry.promptIDs), output: output,
            firstSegment: first, session: session)
    }

    /// Pieces get their tokens once the log's mean is known.
    mutating func finish(_ builder: inout TraceBuilder) throws(TraceError) {
        let ratio: Double =
            measuredBytes > 0 && measuredTokens > 0
            ? measuredTokens / measuredBytes : 1 / Double(TokenCount.bytesPerToken)
        for place in builder.segments.indices {
            let bytes: Double = Double(builder.segments[place].tokens)
            builder.segments[place].tokens = max(1, Int((bytes * ratio).rounded()))
        }
        for place in unmeasured {
            let record: TraceRecord = builder.records[place]
            let pieces = builder.segments[record.firstSegment..<record.firstSegment + Int(record.segmentCount)]
            let tokens: Int = pieces.reduce(0) { $0 + $1.tokens }
            builder.records[place].promptLength = Int32(clamping: max(1, tokens))
        }
    }

    private func outputLength(_ entry: LogEntry, _ builder: inout TraceBuilder) throws(TraceError) -> Int {
        if let tokens = entry.outputTokens { return tokens }
        builder.notes.estimated += 1
        if entry.outputBytes > 0 {
            return (entry.outputBytes + TokenCount.bytesPerToken - 1) / TokenCount.bytesPerToken
        }
        guard let limit = entry.maxTokens else {
            throw .missingField(
                file: builder.file, line: builder.line, field: "usage.completion_tokens, answer or max_tokens",
                format: .requestLog)
        }
        return limit
    }
}
