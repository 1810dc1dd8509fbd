// Collects the requests of a trace while it is read, and puts them in order at the end.
import CServeCore

/// Requests as they come from the file.
struct TraceBuilder {
    let file: String
    var records: [TraceRecord] = []
    var segments: [PromptSegment] = []
    var notes: TraceNotes = TraceNotes()
    /// Lines or elements seen, requests or not.
    var entries: Int = 0
    /// The line that is being read.
    var line: Int = 1

    init(file: String) {
        self.file = file
    }

    /// Adds a request; segments appended since the last one are its own.
    mutating func add(
        arrival: Nanoseconds?, prompt: Int, output: Int, firstSegment: Int? = nil, session: Int? = nil,
        after: Int? = nil, thinkTime: Nanoseconds = 0
    ) throws(TraceError) {
        let first: Int = firstSegment ?? segments.count
        try check("the prompt's length", prompt)
        try check("the answer's length", output)
        if prompt == 0 { notes.emptyPrompts += 1 }
        if output == 0 { notes.emptyAnswers += 1 }
        records.append(
            TraceRecord(
                arrival: arrival, promptLength: Int32(max(1, prompt)), outputLength: Int32(max(1, output)),
                segmentCount: Int32(segments.count - first), session: session.flatMap { Int32(exactly: $0) },
                after: after.flatMap { Int32(exactly: $0) }, firstSegment: first, thinkTime: thinkTime))
    }

    private func check(_ field: String, _ length: Int) throws(TraceError) {
        guard (0...1_000_000_000).contains(length) else {
            throw bad(field, "\(length)", "a number of tokens from 0 to a billion")
        }
    }

    /// A value that cannot be used, on this line.
    func bad(_ field: String, _ found: String, _ expected: String) -> TraceError {
        .badValue(file: file, line: line, field: field, found: found, expected: expected)
    }

    /// The trace: arrivals in order, counted from the first unless the file's own origin is kept.
    mutating func finish(format: TraceFormat, digest: String) throws(TraceError) -> Trace {
        guard !records.isEmpty else {
            guard entries > 0 else { throw .empty(file: file) }
            throw .noRequests(file: file, format: format, entries: entries)
        }
        let order: [Int]? = try sorted()
        if format != .csv && format != .jsonl { rebase() }
        let trace = Trace(
            name: file, format: format, digest: digest, notes: notes, records: records, segments: segments)
        return order.map { trace.reordered($0) } ?? trace
    }

    /// The order of arrivals if it is not the file's; turns stay with the request that opened their conversation.
    private mutating func sorted() throws(TraceError) -> [Int]? {
        let timed: Int = records.count { $0.after == nil && $0.arrival != nil }
        let roots: Int = records.count { $0.after == nil }
        if timed > 0, timed < roots {
            for place in records.indices { records[place].arrival = nil }
        }
        guard timed == roots else { return nil }
        var keys: [Nanoseconds] = []
        keys.reserveCapacity(records.count)
        var latest: Nanoseconds = .min
        for record in records {
            keys.append(record.after.map { keys[Int($0)] } ?? record.arrival ?? 0)
            guard record.after == nil, let arrival = record.arrival else { continue }
            if arrival < latest { notes.unordered += 1 }
            latest = max(latest, arrival)
        }
        guard notes.unordered > 0 else { return nil }
        return records.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
    }

    private mutating func rebase() {
        guard let origin = records.lazy.compactMap(\.arrival).min(), origin != 0 else { return }
        for place in records.indices { records[place].arrival = records[place].arrival.map { $0 - origin } }
    }
}
