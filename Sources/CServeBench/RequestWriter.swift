// Writes the bodies of requests.
import CServeCore
import CServeWorkload

/// Which of the two APIs is measured.
public enum BenchEndpoint: String, Hashable, Sendable, CaseIterable {
    /// Continues a prompt of text or token ids.
    case completions = "/v1/completions"
    /// Answers messages.
    case chat = "/v1/chat/completions"
}

/// Writes the JSON of requests to one server.
public struct RequestWriter: Hashable, Sendable {
    /// Where they go.
    public var endpoint: BenchEndpoint
    /// What they say.
    public var source: PromptSource
    /// The workload's seed, which decides texts.
    public var seed: UInt64
    private let fixed: JSONObject
    private let head: [UInt8]

    /// Prepares what all bodies have.
    ///
    /// - Parameters:
    ///   - ignoresEOS: answers have the length that the workload asks for; servers other than CServe, vLLM, llama-server and
    ///     their like may refuse the field.
    ///   - wantsTokens: the answer's token ids are asked for, so that later turns can repeat them exactly.
    ///   - extra: members that are added, or stand in place of others.
    public init(
        endpoint: BenchEndpoint, model: String, source: PromptSource, seed: UInt64, ignoresEOS: Bool = true,
        wantsTokens: Bool = false, extra: JSONObject = JSONObject()
    ) {
        self.endpoint = endpoint
        self.source = source
        self.seed = seed
        var object: JSONObject = JSONObject([
            ("model", .string(model)), ("stream", true), ("stream_options", ["include_usage": true]),
            ("temperature", 0),
        ])
        if ignoresEOS { object["ignore_eos"] = true }
        if wantsTokens { object["return_token_ids"] = true }
        for (key, value) in extra.members { object[key] = value }
        fixed = object
        head = Array(JSONValue.object(object).serialized().dropLast())
    }

    /// The body of a request.
    /// - Parameter answers: what earlier requests of its conversation were answered.
    public func body(_ request: WorkloadRequest, answers: [Int: ReceivedAnswer]) -> [UInt8] {
        var body: [UInt8] = head
        if fixed["max_tokens"] == nil, fixed["max_completion_tokens"] == nil {
            body += Array(",\"max_tokens\":\(request.outputLength)".utf8)
        }
        switch source {
        case .tokens(let vocabularySize):
            body += Array(",\"prompt\":".utf8)
            Self.append(tokens(request, vocabularySize, answers), to: &body)
        case .words(let list): append(list.messages(request, seed: seed, answers: answers), to: &body)
        case .recorded(let prompts): append(prompts[request.index % prompts.count].content, to: &body)
        }
        body.append(UInt8(ascii: "}"))
        return body
    }

    private func tokens(
        _ request: WorkloadRequest, _ vocabularySize: Int, _ answers: [Int: ReceivedAnswer]
    ) -> [TokenID] {
        var tokens: [TokenID] = []
        tokens.reserveCapacity(request.promptLength)
        for run in request.promptRuns(vocabularySize: vocabularySize, seed: seed) {
            switch run {
            case .text(let text): tokens += text
            case .answer(let index, let count):
                let known: ArraySlice<TokenID> = (answers[index]?.tokens ?? []).prefix(count)
                tokens += known
                // An answer that ended early, or came without ids, is filled up: lengths stay as they were asked for.
                tokens += repeatElement(1, count: count - known.count)
            }
        }
        return tokens
    }

    private func append(_ messages: [ChatText], to body: inout [UInt8]) {
        switch endpoint {
        case .completions:
            let text: String = messages.map(\.text).joined(separator: " ")
            append(.text(text), to: &body)
        case .chat:
            let list: [JSONValue] = messages.map { ["role": .string($0.role), "content": .string($0.text)] }
            append(.messages(.array(list)), to: &body)
        }
    }

    private func append(_ content: RecordedPrompt.Content, to body: inout [UInt8]) {
        switch (content, endpoint) {
        case (.text(let text), .completions): body += Self.member("prompt", .string(text))
        case (.text(let text), .chat):
            body += Self.member("messages", .array([["role": "user", "content": .string(text)]]))
        case (.messages(let messages), .chat): body += Self.member("messages", messages)
        case (.messages(let messages), .completions):
            let texts: [String] = (messages.arrayValue ?? []).compactMap { $0["content"]?.stringValue }
            body += Self.member("prompt", .string(texts.joined(separator: "\n")))
        case (.tokens(let tokens), _):
            body += Array(",\"prompt\":".utf8)
            Self.append(tokens, to: &body)
        }
    }

    private static func member(_ name: String, _ value: JSONValue) -> [UInt8] {
        Array(",\"\(name)\":".utf8) + value.serialized()
    }

    /// Appends `[1,2,3]`. Long prompts are most of a body: digits are written by hand.
    private static func append(_ tokens: [TokenID], to body: inout [UInt8]) {
        body.append(UInt8(ascii: "["))
        var digits: [UInt8] = []
        for (place, token) in tokens.enumerated() {
            if place > 0 { body.append(UInt8(ascii: ",")) }
            var left: UInt32 = UInt32(max(0, token))
            digits.removeAll(keepingCapacity: true)
            repeat {
                digits.append(UInt8(ascii: "0") + UInt8(left % 10))
                left /= 10
            } while left > 0
            body.append(contentsOf: digits.reversed())
        }
        body.append(UInt8(ascii: "]"))
    }
}

/// One message of a chat.
struct ChatText: Hashable {
    var role: String
    var text: String
}

extension WordList {
    /// A prompt as messages: what stands between answers is the user's. What the template adds is taken from the texts, the
    /// same in every later turn.
    func messages(_ request: WorkloadRequest, seed: UInt64, answers: [Int: ReceivedAnswer]) -> [ChatText] {
        var messages: [ChatText] = []
        var tokens: [TokenID] = []
        func close() {
            guard !tokens.isEmpty else { return }
            let added: Int = messages.isEmpty ? overhead : pairOverhead
            messages.append(ChatText(role: "user", text: text(tokens.dropLast(min(added, tokens.count - 1)))))
            tokens = []
        }
        for run in request.promptRuns(vocabularySize: words.count + 1, seed: seed) {
            switch run {
            case .text(let text): tokens += text
            case .answer(let index, _):
                close()
                messages.append(ChatText(role: "assistant", text: answers[index]?.text ?? ""))
            }
        }
        close()
        return messages
    }
}
