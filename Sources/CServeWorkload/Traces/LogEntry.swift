// One line of a request log, whatever its fields are called.
import CServeCore

/// What one line of a log says.
struct LogEntry {
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
