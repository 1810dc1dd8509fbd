// This program's own JSON lines: requests exactly as a workload gives them, so that a replay is the same to the token.
import CServeCore

/// Reads and writes one request a line; see ``WorkloadRequest/jsonLine``.
struct RequestReader: TraceReader {
    mutating func read(_ bytes: [UInt8], _ range: Range<Int>, into builder: inout TraceBuilder) throws {
        var cursor = JSONCursor(bytes, range)
        var numbers: [String: Int] = [:]
        let first: Int = builder.segments.count
        try cursor.enter("{", "an object with prompt_tokens and output_tokens")
        while let key = try cursor.nextKey() {
            let name: String = cursor.text(key)
            switch name {
            case "segments":
                try cursor.enter("[", "a list of segments")
                while try cursor.nextElement() { builder.segments.append(try segment(&cursor, builder)) }
            case "arrival_ns", "prompt_tokens", "output_tokens", "session", "after", "think_time_ns":
                if cursor.peek() == UInt8(ascii: "n") {
                    try cursor.skipValue()
                } else {
                    numbers[name] = try cursor.whole()
                }
            default: try cursor.skipValue()
            }
        }
        try cursor.finish()
        guard let prompt = numbers["prompt_tokens"] else { throw missing("prompt_tokens", builder) }
        guard let output = numbers["output_tokens"] else { throw missing("output_tokens", builder) }
        try check("after", numbers["after"], builder)
        for name in ["arrival_ns", "think_time_ns", "session"] where numbers[name] ?? 0 < 0 {
            throw builder.bad(name, "\(numbers[name] ?? 0)", "0 or more")
        }
        try builder.add(
            arrival: numbers["arrival_ns"].map { Nanoseconds($0) }, prompt: prompt, output: output, firstSegment: first,
            session: numbers["session"], after: numbers["after"],
            thinkTime: Nanoseconds(numbers["think_time_ns"] ?? 0))
    }

    private func missing(_ field: String, _ builder: TraceBuilder) -> TraceError {
        .missingField(file: builder.file, line: builder.line, field: field, format: .jsonl)
    }

    /// A request can only refer to one before it.
    private func check(_ field: String, _ index: Int?, _ builder: TraceBuilder) throws(TraceError) {
        guard let index, !builder.records.indices.contains(index) else { return }
        throw builder.bad(field, "\(index)", "the number of an earlier request, from 0 to \(builder.records.count - 1)")
    }

    private func segment(_ cursor: inout JSONCursor, _ builder: TraceBuilder) throws -> PromptSegment {
        var content: PromptSegment.Content?
        var tokens: Int = -1
        try cursor.enter("{", "a segment with text or answer, and tokens")
        while let key = try cursor.nextKey() {
            switch cursor.text(key) {
            case "text": content = .text(try cursor.unsigned())
            case "answer":
                let index: Int = try cursor.whole()
                try check("answer", index, builder)
                content = .answer(index)
            case "tokens": tokens = try cursor.whole()
            default: try cursor.skipValue()
            }
        }
        guard let content else { throw missing("text or answer in a segment", builder) }
        guard tokens >= 0 else { throw builder.bad("a segment's tokens", "\(tokens)", "0 or more") }
        return PromptSegment(content, tokens: tokens)
    }
}

extension WorkloadRequest {
    /// The request as a line of this program's own JSON lines, without the line's end.
    public var jsonLine: String {
        var line: String = "{\"index\":\(index)"
        if let arrival { line += ",\"arrival_ns\":\(arrival)" }
        line += ",\"prompt_tokens\":\(promptLength),\"output_tokens\":\(outputLength)"
        if !segments.isEmpty {
            let runs: [String] = segments.map { segment in
                switch segment.content {
                case .text(let number): "{\"text\":\(number),\"tokens\":\(segment.tokens)}"
                case .answer(let index): "{\"answer\":\(index),\"tokens\":\(segment.tokens)}"
                }
            }
            line += ",\"segments\":[\(runs.joined(separator: ","))]"
        }
        if let session { line += ",\"session\":\(session)" }
        if let after { line += ",\"after\":\(after)" }
        if thinkTime > 0 { line += ",\"think_time_ns\":\(thinkTime)" }
        return line + "}"
    }

    /// The head of this program's own table.
    public static let tableHead: String = "arrival_s,prompt_tokens,output_tokens,session"

    /// The request as a row of this program's own table: no shared texts, no turns.
    public var tableRow: String {
        let seconds: String = arrival.map { Self.decimal($0) } ?? ""
        return "\(seconds),\(promptLength),\(outputLength),\(session.map { "\($0)" } ?? "")"
    }

    /// Seconds with all nine digits, so that nothing is rounded.
    private static func decimal(_ span: Nanoseconds) -> String {
        let fraction: String = "\(span % .second)"
        return "\(span / .second)." + String(repeating: "0", count: 9 - fraction.count) + fraction
    }
}
