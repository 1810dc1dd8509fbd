// Reads traces as their bytes come in, so that a file of gigabytes needs no more memory than its requests.
import CServeCore

/// How texts are turned into lengths, and how much of a conversation is taken.
public struct TraceOptions: Sendable {
    /// Counts a text's tokens; nil: four bytes of UTF-8 are one token, rounded up (OpenAI's rule of thumb for English).
    public var countTokens: (@Sendable (String) -> Int)?
    /// Turns taken of each conversation at most; 1 is what `vllm bench serve` does with ShareGPT.
    public var maxTurns: Int = .max

    /// Four bytes a token, whole conversations.
    public init() {}
}

/// Reads a trace from bytes in pieces.
public struct TraceParser {
    private let forced: TraceFormat?
    private let options: TraceOptions
    private var digest: SHA256 = SHA256()
    private var splitter: RecordSplitter = RecordSplitter()
    private var reader: (any TraceReader)?
    private var format: TraceFormat?
    private var builder: TraceBuilder

    /// Begins a trace.
    ///
    /// - Parameters:
    ///   - name: The file's name, for messages.
    ///   - format: Its format; nil: found out from its first line.
    public init(name: String, format: TraceFormat? = nil, options: TraceOptions = TraceOptions()) {
        forced = format
        self.options = options
        builder = TraceBuilder(file: name)
    }

    /// Reads a whole trace.
    /// - Throws: ``TraceError`` with file and line.
    public static func parse(
        _ bytes: [UInt8], name: String, format: TraceFormat? = nil, options: TraceOptions = TraceOptions()
    ) throws(TraceError) -> Trace {
        var parser = TraceParser(name: name, format: format, options: options)
        try parser.take(bytes)
        return try parser.finish()
    }

    /// Takes the next bytes of the file.
    /// - Throws: ``TraceError`` with file and line.
    public mutating func take(_ bytes: [UInt8]) throws(TraceError) {
        digest.update(bytes[...])
        splitter.take(bytes)
        while let record = splitter.next() { try read(record) }
    }

    /// The trace, when all bytes have been taken.
    /// - Throws: ``TraceError`` with file and line.
    public mutating func finish() throws(TraceError) -> Trace {
        if let record = splitter.finish() { try read(record) }
        try reader?.finish(&builder)
        return try builder.finish(format: format ?? .csv, digest: digest.finish())
    }

    private mutating func read(_ record: RecordSplitter.Record) throws(TraceError) {
        builder.line = record.line
        if reader == nil {
            let found: TraceFormat
            if let forced { found = forced } else { found = try detected(record) }
            format = found
            reader = TraceParser.reader(found, options)
        }
        builder.entries += 1
        do {
            try reader?.read(record.bytes, record.range, into: &builder)
        } catch let error as JSONCursor.Failure {
            throw malformed(error, record)
        } catch let error as TraceError {
            throw error
        } catch {
            preconditionFailure("readers throw nothing else")
        }
    }

    private func malformed(_ error: JSONCursor.Failure, _ record: RecordSplitter.Record) -> TraceError {
        let before: ArraySlice<UInt8> = record.bytes[record.range.lowerBound..<error.index]
        let lines: Int = before.count { $0 == UInt8(ascii: "\n") }
        let lineStart: Int = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? record.range.lowerBound
        let found: ArraySlice<UInt8> = record.bytes[error.index..<min(error.index + 12, record.range.upperBound)]
        return .malformed(
            file: builder.file, line: record.line + lines, column: error.index - lineStart + 1,
            found: found.isEmpty ? "the end" : "\"\(String(decoding: found, as: UTF8.self))\"", expected: error.expected
        )
    }

    private func detected(_ record: RecordSplitter.Record) throws(TraceError) -> TraceFormat {
        let format: TraceFormat?
        if record.bytes[record.range].first == UInt8(ascii: "{") {
            do { format = try TraceFormat.ofObject(record.bytes, record.range) } catch {
                throw malformed(error, record)
            }
        } else {
            format = TraceFormat.ofHeader(record.bytes, record.range)
        }
        guard let format else {
            let start: ArraySlice<UInt8> = record.bytes[record.range].prefix(60)
            throw .unknownFormat(file: builder.file, start: String(decoding: start, as: UTF8.self))
        }
        return format
    }

    private static func reader(_ format: TraceFormat, _ options: TraceOptions) -> any TraceReader {
        switch format {
        case .azure, .vidur, .burstGPT, .csv: TableReader(format)
        case .mooncake: MooncakeReader()
        case .shareGPT: ConversationReader(options)
        case .jsonl: RequestReader()
        case .requestLog: RequestLogReader(options)
        }
    }
}

/// Reads the records of one format.
protocol TraceReader {
    /// Reads a line, or an element of an array.
    /// - Throws: ``TraceError``, ``JSONCursor/Failure``.
    mutating func read(_ bytes: [UInt8], _ range: Range<Int>, into builder: inout TraceBuilder) throws
    /// Does what can be done only when all is known.
    mutating func finish(_ builder: inout TraceBuilder) throws(TraceError)
}

extension TraceReader {
    mutating func finish(_ builder: inout TraceBuilder) throws(TraceError) {}
}

extension TraceFormat {
    /// The format of a table with this header.
    static func ofHeader(_ bytes: [UInt8], _ range: Range<Int>) -> TraceFormat? {
        let columns: [String] = TableReader.columns(bytes, range)
        return [TraceFormat.azure, .vidur, .burstGPT, .csv].first { format in
            TableReader.Layout.of(format).required.allSatisfy { columns.contains($0.lowercased()) }
        }
    }

    /// The format of JSON lines like this one.
    static func ofObject(_ bytes: [UInt8], _ range: Range<Int>) throws(JSONCursor.Failure) -> TraceFormat? {
        var cursor = JSONCursor(bytes, range)
        var keys: Set<String> = []
        try cursor.enter("{", "an object")
        while let key = try cursor.nextKey() {
            keys.insert(cursor.text(key))
            try cursor.skipValue()
        }
        if keys.contains("hash_ids") || keys.isSuperset(of: ["input_length", "output_length"]) { return .mooncake }
        if keys.contains("conversations") || keys.contains("conversation") { return .shareGPT }
        if keys.isSuperset(of: ["prompt_tokens", "output_tokens"]) { return .jsonl }
        let log: Set<String> = [
            "messages", "prompt", "body", "request", "request_body", "usage", "response", "prompt_tokens", "input",
        ]
        return keys.isDisjoint(with: log) ? nil : .requestLog
    }
}
