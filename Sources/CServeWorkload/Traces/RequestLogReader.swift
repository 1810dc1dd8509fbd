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

/// What one line of a log says.
private struct LogEntry {
    var time: Nanoseconds?
    var promptTokens: Int?
    var outputTokens: Int?
    var maxTokens: Int?
    var promptBytes: Int = 0
    var promptIDs: Int = 0
    var outputBytes: Int = 0
    var session: String?
    var hasFailed: Bool = false
    var pieces: [(number: UInt64, bytes: Int)] = []

    private static let pieceBytes: Int = 1024

    /// Reads an object and the objects in it.
    mutating func object(_ cursor: inout JSONCursor) throws {
        try cursor.enter("{", "an object with a request")
        while let key = try cursor.nextKey() { try member(cursor.text(key), &cursor) }
    }

    private mutating func member(_ key: String, _ cursor: inout JSONCursor) throws {
        switch key {
        case "timestamp", "time", "ts", "@timestamp", "created_at", "start_time", "arrival_time":
            try time(&cursor, true)
        case "created": try time(&cursor, false)
        case "body", "request", "request_body", "response", "response_body", "usage": try nested(&cursor)
        case "messages": try texts(&cursor)
        case "prompt", "input": try texts(&cursor)
        case "choices": try choices(&cursor)
        case "prompt_tokens", "input_tokens": promptTokens = try number(&cursor) ?? promptTokens
        case "completion_tokens", "output_tokens": outputTokens = try number(&cursor) ?? outputTokens
        case "max_tokens", "max_completion_tokens", "max_output_tokens": maxTokens = try number(&cursor) ?? maxTokens
        case "status", "status_code":
            let status: Int? = try number(&cursor)
            if let status, status >= 400 { hasFailed = true }
        case "error":
            if cursor.peek() != UInt8(ascii: "n") { hasFailed = true }
            try cursor.skipValue()
        case "session_id", "conversation_id":
            if cursor.peek() == 0x22 { session = cursor.text(try cursor.string()) } else { try cursor.skipValue() }
        default: try cursor.skipValue()
        }
    }

    /// A whole number; nil for anything else.
    private func number(_ cursor: inout JSONCursor) throws -> Int? {
        let byte: UInt8 = cursor.peek()
        guard byte == UInt8(ascii: "-") || byte &- UInt8(ascii: "0") < 10 else {
            try cursor.skipValue()
            return nil
        }
        return try cursor.whole()
    }

    /// A time; one that was found stays unless the new one is better.
    private mutating func time(_ cursor: inout JSONCursor, _ isBetter: Bool) throws {
        let start: Int = cursor.index
        var found: Nanoseconds?
        if cursor.peek() == 0x22 {
            let range: Range<Int> = try cursor.string()
            found = TraceText.date(cursor.bytes, range) ?? Double(cursor.text(range)).flatMap { TraceText.epoch($0) }
        } else if cursor.peek() == UInt8(ascii: "n") {
            return try cursor.skipValue()
        } else {
            found = TraceText.epoch(try cursor.number())
        }
        guard let found else { throw JSONCursor.Failure(index: start, expected: "a date or a number of seconds") }
        if time == nil || isBetter { time = found }
    }

    /// An object, or a string that holds one.
    private mutating func nested(_ cursor: inout JSONCursor) throws {
        switch cursor.peek() {
        case UInt8(ascii: "{"): try object(&cursor)
        case 0x22:
            let start: Int = cursor.index
            let range: Range<Int> = try cursor.string()
            let quoted: [UInt8] = [0x22] + cursor.bytes[range] + [0x22]
            guard let text = (try? JSONValue(parsing: quoted))?.stringValue else {
                throw JSONCursor.Failure(index: start, expected: "a string with valid escapes")
            }
            let inner: [UInt8] = Array(text.utf8)
            guard inner.first(where: { $0 > 0x20 }) == UInt8(ascii: "{") else { return }
            var walk = JSONCursor(inner, 0..<inner.count)
            do { try object(&walk) } catch is JSONCursor.Failure {
                throw JSONCursor.Failure(index: start, expected: "a string that holds a JSON object")
            }
        default: try cursor.skipValue()
        }
    }

    /// Takes every text of messages, parts or prompts, in order; token ids are counted.
    private mutating func texts(_ cursor: inout JSONCursor) throws {
        switch cursor.peek() {
        case 0x22: take(cursor.bytes, try cursor.string())
        case UInt8(ascii: "["):
            try cursor.enter("[", "a list")
            while try cursor.nextElement() { try texts(&cursor) }
        case UInt8(ascii: "{"):
            try cursor.enter("{", "a message")
            while let key = try cursor.nextKey() {
                if cursor.matches(key, "content") || cursor.matches(key, "text") {
                    try texts(&cursor)
                } else {
                    try cursor.skipValue()
                }
            }
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            try cursor.skipValue()
            promptIDs += 1
        default: try cursor.skipValue()
        }
    }

    /// Cuts a text into pieces whose numbers tell whether another prompt has the same.
    private mutating func take(_ bytes: [UInt8], _ range: Range<Int>) {
        promptBytes += range.count
        var start: Int = range.lowerBound
        while start < range.upperBound {
            let end: Int = min(start + Self.pieceBytes, range.upperBound)
            pieces.append((TraceText.number(bytes, start..<end, kind: 0), end - start))
            start = end
        }
    }

    /// The answers' texts, for logs without `usage`.
    private mutating func choices(_ cursor: inout JSONCursor) throws {
        guard cursor.peek() == UInt8(ascii: "[") else { return try cursor.skipValue() }
        try cursor.enter("[", "a list")
        while try cursor.nextElement() { try answer(&cursor) }
    }

    private mutating func answer(_ cursor: inout JSONCursor) throws {
        guard cursor.peek() == UInt8(ascii: "{") else { return try cursor.skipValue() }
        try cursor.enter("{", "an answer")
        while let key = try cursor.nextKey() {
            if cursor.matches(key, "message") {
                try answer(&cursor)
            } else if cursor.matches(key, "content") || cursor.matches(key, "text"), cursor.peek() == 0x22 {
                outputBytes += TraceText.decodedLength(cursor.bytes, try cursor.string())
            } else {
                try cursor.skipValue()
            }
        }
    }
}
