// Files of prompts whose texts are sent as they are: JSON lines as `vllm bench serve --dataset-name custom` reads them, and
// ShareGPT's conversations.
import CServeCore
import CServeWorkload

/// Recorded prompts in the order of their file.
public struct PromptFile: Hashable, Sendable {
    /// The file's name.
    public var name: String
    /// SHA-256 of its bytes.
    public var digest: String
    /// Its prompts.
    public var prompts: [RecordedPrompt]

    /// Reads a file.
    ///
    /// A line is an object with `prompt` (text or token ids) or `messages`, and may say `output_tokens` or `max_tokens`. An
    /// array, or lines, of objects with `conversations` is ShareGPT's form: the first question is the prompt, the length of
    /// its answer the answer's, as in `vllm bench serve`.
    /// - Throws: ``BenchSetupError``.
    public init(name: String, bytes: [UInt8]) throws(BenchSetupError) {
        self.name = name
        digest = SHA256.hexadecimal(of: bytes)
        prompts = []
        for (entry, line) in try Self.entries(bytes, name) {
            if let prompt = try Self.prompt(entry, name, line) { prompts.append(prompt) }
        }
        guard !prompts.isEmpty else { throw .noPrompts(file: name) }
    }

    private static func entries(_ bytes: [UInt8], _ name: String) throws(BenchSetupError) -> [(JSONValue, Int)] {
        if bytes.first(where: { $0 > 32 }) == UInt8(ascii: "[") {
            guard let items = (try? JSONValue(parsing: bytes))?.arrayValue else {
                throw .badPrompt(file: name, line: 1, reason: "the array is no JSON; is the file complete?")
            }
            return items.enumerated().map { ($1, $0 + 1) }
        }
        var entries: [(JSONValue, Int)] = []
        for (place, line) in bytes.split(separator: 10, omittingEmptySubsequences: false).enumerated()
        where line.contains(where: { $0 > 32 }) {
            guard let value = try? JSONValue(parsing: Array(line)) else {
                throw .badPrompt(file: name, line: place + 1, reason: "it is no JSON")
            }
            entries.append((value, place + 1))
        }
        return entries
    }

    private static func prompt(_ entry: JSONValue, _ name: String, _ line: Int) throws(BenchSetupError)
        -> RecordedPrompt?
    {
        if let talk = entry["conversations"] ?? entry["conversation"] { return conversation(talk, line) }
        let length: Int? = ["output_tokens", "max_tokens", "max_completion_tokens", "output_len"].lazy
            .compactMap { entry[$0]?.intValue }.first
        if let length, length < 1 {
            throw .badPrompt(file: name, line: line, reason: "the answer's length is \(length), but must be at least 1")
        }
        guard let content = content(entry) else {
            throw .badPrompt(
                file: name, line: line,
                reason: "it has neither prompt (text or token ids) nor messages nor conversations")
        }
        return RecordedPrompt(content, line: line, promptTokens: estimate(content), outputTokens: length)
    }

    private static func content(_ entry: JSONValue) -> RecordedPrompt.Content? {
        if let messages = entry["messages"], messages.arrayValue?.isEmpty == false { return .messages(messages) }
        guard let prompt = entry["prompt"] else { return nil }
        if let text = prompt.stringValue { return .text(text) }
        guard let items = prompt.arrayValue, !items.isEmpty else { return nil }
        if items.allSatisfy({ $0["role"] != nil }) { return .messages(prompt) }
        let tokens: [TokenID] = items.compactMap { $0.intValue.flatMap { TokenID(exactly: $0) } }
        return tokens.count == items.count ? .tokens(tokens) : nil
    }

    /// ShareGPT's first question and answer; conversations without them are passed over.
    private static func conversation(_ talk: JSONValue, _ line: Int) -> RecordedPrompt? {
        let messages: [JSONValue] = talk.arrayValue ?? []
        func text(_ place: Int) -> String? {
            guard messages.indices.contains(place) else { return nil }
            return messages[place]["value"]?.stringValue ?? messages[place]["content"]?.stringValue
        }
        guard let question = text(0), let answer = text(1), !question.isEmpty, !answer.isEmpty else { return nil }
        return RecordedPrompt(
            .text(question), line: line, promptTokens: estimate(question), outputTokens: estimate(answer),
            answer: answer)
    }

    /// A guess until the server counts. Source: OpenAI, "What are tokens and how to count them": about four characters.
    private static func estimate(_ text: String) -> Int { max(1, (text.utf8.count + 3) / 4) }

    private static func estimate(_ content: RecordedPrompt.Content) -> Int {
        switch content {
        case .text(let text): estimate(text)
        case .tokens(let tokens): tokens.count
        case .messages(let messages):
            (messages.arrayValue ?? []).reduce(0) { $0 + estimate($1["content"]?.stringValue ?? "") }
        }
    }

    /// The prompts as a trace, so that they can be sent at any rate, in any number.
    /// - Parameter outputTokens: for prompts that do not say how long their answer is.
    /// - Throws: ``TraceError``.
    public func trace(outputTokens: Int) throws -> Trace {
        var parser = TraceParser(name: name, format: .jsonl, options: TraceOptions())
        let lines: [String] = prompts.map {
            "{\"prompt_tokens\":\($0.promptTokens),\"output_tokens\":\($0.outputTokens ?? outputTokens)}\n"
        }
        try parser.take(Array(lines.joined().utf8))
        var trace: Trace = try parser.finish()
        trace.digest = digest
        return trace
    }
}

extension PromptFile {
    /// Takes the lengths of recorded answers from the server's tokenizer, where it can be asked; else they stay estimates.
    /// - Parameter first: how many prompts are needed at most; nil: all.
    public mutating func count(by client: StreamingClient, model: String, first: Int?) async throws {
        guard prompts.contains(where: { $0.answer != nil }),
            let tokenizer = await ServerTokenizer.find(client, model: model)
        else { return }
        for place in prompts.indices.prefix(first ?? .max) {
            guard let answer = prompts[place].answer, let count = await tokenizer.count(answer) else { continue }
            prompts[place].outputTokens = max(1, count)
        }
    }

    /// Refuses prompts that an endpoint cannot take.
    /// - Throws: ``BenchSetupError/wrongEndpoint(file:line:path:)``.
    public func check(_ endpoint: BenchEndpoint) throws(BenchSetupError) {
        guard endpoint == .chat else { return }
        for prompt in prompts {
            if case .tokens = prompt.content {
                throw .wrongEndpoint(file: name, line: prompt.line, path: endpoint.rawValue)
            }
        }
    }
}
