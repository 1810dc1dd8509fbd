// Mooncake's traces: lengths and the hashes of the prompt's blocks, so that shared beginnings are known without the text.
import CServeCore

/// Reads `{"timestamp": 0, "input_length": 6758, "output_length": 500, "hash_ids": [0, 1, ...]}`.
struct MooncakeReader: TraceReader {
    /// Tokens of a hashed block. Source: kvcache-ai/Mooncake, FAST25-release/README: block size 512.
    private static let blockTokens: Int = 512

    mutating func read(_ bytes: [UInt8], _ range: Range<Int>, into builder: inout TraceBuilder) throws {
        var cursor = JSONCursor(bytes, range)
        var milliseconds: Double?
        var prompt: Int?
        var output: Int?
        let first: Int = builder.segments.count
        try cursor.enter("{", "an object with timestamp, input_length and output_length")
        while let key = try cursor.nextKey() {
            if cursor.matches(key, "timestamp") {
                milliseconds = try cursor.number()
            } else if cursor.matches(key, "input_length") {
                prompt = try cursor.whole()
            } else if cursor.matches(key, "output_length") {
                output = try cursor.whole()
            } else if cursor.matches(key, "hash_ids"), cursor.peek() == UInt8(ascii: "[") {
                try cursor.enter("[", "a list")
                while try cursor.nextElement() {
                    let id: UInt64 = try cursor.unsigned()
                    builder.segments.append(PromptSegment(.text(id), tokens: Self.blockTokens))
                }
            } else {
                try cursor.skipValue()
            }
        }
        try cursor.finish()
        guard let prompt else { throw missing("input_length", builder) }
        guard let output else { throw missing("output_length", builder) }
        try Self.fit(&builder, from: first, to: prompt)
        try builder.add(
            arrival: try Self.arrival(milliseconds, builder), prompt: prompt, output: output, firstSegment: first)
    }

    private func missing(_ field: String, _ builder: TraceBuilder) -> TraceError {
        .missingField(file: builder.file, line: builder.line, field: field, format: .mooncake)
    }

    private static func arrival(_ milliseconds: Double?, _ builder: TraceBuilder) throws(TraceError) -> Nanoseconds? {
        guard let milliseconds else { return nil }
        guard milliseconds >= 0, let span = Nanoseconds(exactly: (milliseconds * 1e6).rounded()) else {
            throw builder.bad("timestamp", "\(milliseconds)", "a number of milliseconds from 0 on")
        }
        return span
    }

    /// Shortens the last block to the prompt's end.
    private static func fit(_ builder: inout TraceBuilder, from first: Int, to prompt: Int) throws(TraceError) {
        var left: Int = prompt
        for place in first..<builder.segments.count {
            guard left > 0 else {
                let blocks: Int = builder.segments.count - first
                throw builder.bad(
                    "hash_ids", "\(blocks) blocks",
                    "at most \((prompt + blockTokens - 1) / blockTokens) of \(blockTokens) tokens for input_length \(prompt)"
                )
            }
            builder.segments[place].tokens = min(blockTokens, left)
            left -= blockTokens
        }
    }
}
