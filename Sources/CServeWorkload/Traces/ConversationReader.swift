// ShareGPT's conversations: texts of which only the lengths are kept, and who said what after what.
import CServeCore

/// Reads `{"conversations": [{"from": "human", "value": "..."}, {"from": "gpt", "value": "..."}, ...]}`.
///
/// A turn is what stands between two answers, and the answer. Each turn's prompt is the whole conversation so far; it waits
/// for the answer before it. There are no times. Conversations without an answer are left out and counted.
struct ConversationReader: TraceReader {
    private let options: TraceOptions
    private var session: Int = 0

    init(_ options: TraceOptions) {
        self.options = options
    }

    /// A message: who, and how long.
    private struct Message {
        var isAnswer: Bool
        var tokens: Int
        var text: UInt64
    }

    mutating func read(_ bytes: [UInt8], _ range: Range<Int>, into builder: inout TraceBuilder) throws {
        var cursor = JSONCursor(bytes, range)
        var messages: [Message]?
        try cursor.enter("{", "an object with conversations")
        while let key = try cursor.nextKey() {
            if cursor.matches(key, "conversations") || cursor.matches(key, "conversation") {
                messages = try list(&cursor, &builder)
            } else {
                try cursor.skipValue()
            }
        }
        try cursor.finish()
        guard let messages else {
            throw TraceError.missingField(
                file: builder.file, line: builder.line, field: "conversations", format: .shareGPT)
        }
        try add(messages, &builder)
    }

    private func list(_ cursor: inout JSONCursor, _ builder: inout TraceBuilder) throws -> [Message] {
        var messages: [Message] = []
        try cursor.enter("[", "a list of messages")
        while try cursor.nextElement() {
            var speaker: String = ""
            var value: Range<Int> = 0..<0
            try cursor.enter("{", "a message with from and value")
            while let key = try cursor.nextKey() {
                if cursor.matches(key, "from") || cursor.matches(key, "role") {
                    speaker = cursor.text(try cursor.string())
                } else if cursor.matches(key, "value") || cursor.matches(key, "content"), cursor.peek() == 0x22 {
                    value = try cursor.string()
                } else {
                    try cursor.skipValue()
                }
            }
            let isAnswer: Bool = ["gpt", "assistant", "bing", "chatgpt", "bard", "model"].contains(speaker)
            let tokens: Int = TokenCount.tokens(of: cursor.bytes, value, options)
            let number: UInt64 = isAnswer ? 0 : TraceText.number(cursor.bytes, value, kind: 1)
            messages.append(Message(isAnswer: isAnswer, tokens: tokens, text: number))
        }
        return messages
    }

    private mutating func add(_ messages: [Message], _ builder: inout TraceBuilder) throws(TraceError) {
        var history: [PromptSegment] = []
        var length: Int = 0
        var last: Int?
        var turns: Int = 0
        var hasAsked: Bool = false
        for message in messages where turns < options.maxTurns {
            guard message.isAnswer else {
                hasAsked = hasAsked || message.tokens > 0
                if message.tokens > 0 { history.append(PromptSegment(.text(message.text), tokens: message.tokens)) }
                length += message.tokens
                continue
            }
            guard hasAsked, message.tokens > 0 else { continue }
            let first: Int = builder.segments.count
            builder.segments.append(contentsOf: history)
            try builder.add(
                arrival: nil, prompt: length, output: message.tokens, firstSegment: first, session: session, after: last
            )
            last = builder.records.count - 1
            history.append(PromptSegment(.answer(builder.records.count - 1), tokens: message.tokens))
            length += message.tokens
            turns += 1
            hasAsked = false
        }
        builder.notes.estimated += options.countTokens == nil ? turns : 0
        if turns == 0 { builder.notes.failed += 1 } else { session += 1 }
    }
}

/// Lengths of texts in tokens.
enum TokenCount {
    /// Bytes of UTF-8 that count as a token where no tokenizer is at hand. Source: OpenAI, "What are tokens and how to count
    /// them": one token is about four characters of English.
    static let bytesPerToken: Int = 4

    /// A JSON string's tokens: counted, or four bytes each, rounded up.
    static func tokens(of bytes: [UInt8], _ range: Range<Int>, _ options: TraceOptions) -> Int {
        guard let count = options.countTokens else {
            return (TraceText.decodedLength(bytes, range) + bytesPerToken - 1) / bytesPerToken
        }
        let quoted: [UInt8] = [0x22] + bytes[range] + [0x22]
        guard let text = (try? JSONValue(parsing: quoted))?.stringValue else { return 0 }
        return count(text)
    }
}
