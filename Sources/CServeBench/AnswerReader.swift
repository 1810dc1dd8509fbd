// One streamed answer as it comes in: a state machine without sockets, so that every misbehaviour can be tested.
import CServeCore

/// The text of an answer, for requests that continue it.
public struct ReceivedAnswer: Hashable, Sendable {
    /// All text.
    public var text: String = ""
    /// Token ids, where the server sends them.
    public var tokens: [TokenID] = []
}

/// Reads a response, and measures it.
struct AnswerReader {
    /// What is known of the request so far.
    private(set) var measurement: RequestMeasurement
    /// The answer, if it is kept.
    private(set) var answer = ReceivedAnswer()
    /// Whether nothing more is expected.
    private(set) var isDone: Bool = false
    /// Whether any byte of a response came.
    private(set) var hasBegun: Bool = false

    private enum Body {
        case unclear
        case events
        case refusal(Int, retryAfter: String?)
    }

    private let keepsAnswer: Bool
    private var body: Body = .unclear
    private var beginning: [UInt8] = []
    private var splitter = EventSplitter()
    private var isCounted: Bool = false

    init(_ measurement: RequestMeasurement, keepsAnswer: Bool = false) {
        self.measurement = measurement
        self.keepsAnswer = keepsAnswer
    }

    mutating func sent(at time: Nanoseconds) { measurement.sent = time }
    mutating func connected(after time: Nanoseconds) { measurement.connect = time }

    /// Takes the response's head.
    mutating func takeHead(status: Int, contentType: String?, retryAfter: String?, at time: Nanoseconds) {
        hasBegun = true
        measurement.head = time
        if !(200..<300).contains(status) {
            body = .refusal(status, retryAfter: retryAfter)
        } else if contentType?.lowercased().contains("text/event-stream") == true {
            body = .events
        }
    }

    /// Takes bytes of the body, which arrived at that time.
    mutating func take(_ bytes: [UInt8], at time: Nanoseconds) {
        guard !isDone else { return }
        if case .events = body { return takeEvents(bytes, at: time) }
        beginning.append(contentsOf: bytes.prefix(BeginningText.kept - min(BeginningText.kept, beginning.count)))
        // Some servers send events under another type.
        if case .unclear = body, beginning.starts(with: Array("data:".utf8)) {
            body = .events
            takeEvents(bytes, at: time)
        }
    }

    /// The response ended as HTTP says.
    mutating func takeEnd(at time: Nanoseconds) {
        guard !isDone else { return }
        switch body {
        case .refusal(let status, let retryAfter):
            let wait: String = retryAfter.map { " (Retry-After: \($0))" } ?? ""
            fail(.status(status, BeginningText.message(beginning) + wait), at: time)
        case .unclear: fail(.malformed("no event stream: " + BeginningText.text(beginning)), at: time)
        case .events:
            endEvents(at: time)
            guard !isDone else { return }
            if measurement.finishReason == nil { fail(.closedEarly, at: time) } else { finish(at: time) }
        }
    }

    /// There is no more to come because of this.
    mutating func fail(_ failure: BenchFailure, at time: Nanoseconds) {
        guard !isDone else { return }
        measurement.failure = failure
        finish(at: time)
    }

    private mutating func finish(at time: Nanoseconds) {
        isDone = true
        measurement.end = time
        if !isCounted { measurement.outputTokens = measurement.chunks.count }
    }

    private mutating func takeEvents(_ bytes: [UInt8], at time: Nanoseconds) {
        var events: [EventSplitter.Event] = []
        do { try splitter.take(bytes) { events.append($0) } } catch {
            take(events, at: time)
            return fail(.malformed(BeginningText.text(error.line)), at: time)
        }
        take(events, at: time)
    }

    private mutating func endEvents(at time: Nanoseconds) {
        var events: [EventSplitter.Event] = []
        do { try splitter.end { events.append($0) } } catch {
            return fail(.malformed(BeginningText.text(error.line)), at: time)
        }
        take(events, at: time)
    }

    private mutating func take(_ events: [EventSplitter.Event], at time: Nanoseconds) {
        for event in events where !isDone { take(event, at: time) }
    }

    private static let done: [UInt8] = Array("[DONE]".utf8)

    private mutating func take(_ event: EventSplitter.Event, at time: Nanoseconds) {
        if event.data == Self.done {
            if measurement.chunks.isEmpty, measurement.finishReason == nil {
                return fail(.malformed("an answer without any text"), at: time)
            }
            return finish(at: time)
        }
        guard let json = try? JSONValue(parsing: event.data) else {
            return fail(.malformed(BeginningText.text(event.data)), at: time)
        }
        let chunk = AnswerChunk(json)
        if chunk.isError || event.name == "error" {
            return fail(.errorEvent(BeginningText.message(event.data)), at: time)
        }
        take(chunk, at: time)
    }

    private mutating func take(_ chunk: AnswerChunk, at time: Nanoseconds) {
        if let usage = chunk.usage {
            measurement.promptTokens = usage["prompt_tokens"]?.intValue ?? measurement.promptTokens
            measurement.cachedTokens =
                usage["prompt_tokens_details"]?["cached_tokens"]?.intValue ?? measurement.cachedTokens
            if let count = usage["completion_tokens"]?.intValue {
                measurement.outputTokens = count
                isCounted = true
            }
        }
        if chunk.carriesToken(isFirst: measurement.chunks.isEmpty) { measurement.chunks.append(time) }
        measurement.finishReason = chunk.finishReason ?? measurement.finishReason
        guard keepsAnswer else { return }
        answer.text += chunk.text
        answer.tokens += chunk.tokens
    }
}

/// The beginnings of bodies, for messages.
enum BeginningText {
    /// Bytes of a refusal that are kept.
    static let kept: Int = 4096
    private static let shown: Int = 200

    /// The first characters, on one line.
    static func text(_ bytes: [UInt8]) -> String {
        let text: String = String(decoding: bytes.prefix(shown), as: UTF8.self)
        let line: String = String(text.map { $0.isNewline || $0.unicodeScalars.first?.value ?? 32 < 32 ? " " : $0 })
        return bytes.count > shown ? line + "..." : line
    }

    /// The message of an error in one of the forms that servers use, else the beginning.
    static func message(_ bytes: [UInt8]) -> String {
        guard let json = try? JSONValue(parsing: bytes) else { return text(bytes) }
        let found: String? =
            json["error"]?["message"]?.stringValue ?? json["error"]?.stringValue ?? json["message"]?.stringValue
            ?? json["detail"]?.stringValue
        return found.map { text(Array($0.utf8)) } ?? text(bytes)
    }
}
