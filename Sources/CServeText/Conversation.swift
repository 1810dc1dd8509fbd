// What a client asks a chat template to turn into a prompt.

import CServeCore

/// Messages and what goes with them, in the client's own order of keys.
public struct Conversation: Hashable, Sendable {
    /// The messages: objects with `role`, `content` and whatever else the template reads.
    public var messages: [JSONValue]
    /// Tools as JSON schemas; nil without any.
    public var tools: [JSONValue]?
    /// Documents to answer from; nil without any.
    public var documents: [JSONValue]?
    /// Whether the prompt ends with the opening of the assistant's turn.
    public var addGenerationPrompt: Bool
    /// Whether the prompt ends within the last message, which the model goes on writing.
    public var continueFinalMessage: Bool
    /// The field of the last message that is continued.
    public var continuedField: String
    /// More variables for the template (`chat_template_kwargs`), such as `enable_thinking`.
    public var variables: [String: JSONValue]

    /// Creates a conversation.
    public init(
        messages: [JSONValue], tools: [JSONValue]? = nil, documents: [JSONValue]? = nil,
        addGenerationPrompt: Bool = true, continueFinalMessage: Bool = false, continuedField: String = "content",
        variables: [String: JSONValue] = [:]
    ) {
        self.messages = messages
        self.tools = tools
        self.documents = documents
        self.addGenerationPrompt = addGenerationPrompt
        self.continueFinalMessage = continueFinalMessage
        self.continuedField = continuedField
        self.variables = variables
    }

    /// The conversation with its content in the form that a template reads.
    ///
    /// Lists of text parts are joined by line ends for a template that expects strings, and stay for one that
    /// iterates over them.
    /// - Throws: ``ChatTemplateError`` for parts that are not text and messages that are no objects.
    public func normalised(for format: ChatTemplate.ContentFormat) throws -> Conversation {
        var result = self
        for (index, message) in messages.enumerated() {
            guard var object = message.objectValue else { throw ChatTemplateError.messageNotAnObject(index: index) }
            guard let parts = object["content"]?.arrayValue else { continue }
            let texts = try parts.map { try Conversation.text(of: $0, message: index) }
            guard format == .string else { continue }
            object["content"] = .string(texts.joined(separator: "\n"))
            result.messages[index] = .object(object)
        }
        return result
    }

    private static func text(of part: JSONValue, message: Int) throws -> String {
        if let text = part.stringValue { return text }
        let type = part["type"]?.stringValue ?? "text"
        guard ["text", "input_text", "output_text"].contains(type), let text = part["text"]?.stringValue else {
            throw ChatTemplateError.unsupportedPart(message: message, type: part["type"]?.stringValue ?? part.kind)
        }
        return text
    }

    /// Messages without their null members: OpenAI's clients send `"content": null`, which templates would print as
    /// `None`; transformers drops them too.
    func withoutNulls() -> Conversation {
        var result = self
        result.messages = messages.map { message in
            guard let object = message.objectValue else { return message }
            return .object(JSONObject(object.members.filter { !$0.value.isNull }.map { ($0.key, $0.value) }))
        }
        return result
    }

    /// The names under which reasoning is passed; the first is the one that most templates read.
    private static let reasoningFields = ["reasoning_content", "thinking", "reasoning"]

    /// Messages with reasoning under every name that templates read, as transformers hands them over.
    func withReasoningAliases() -> Conversation {
        var result = self
        for (index, message) in messages.enumerated() {
            guard let object = message.objectValue else { continue }
            let found = Conversation.reasoningFields.lazy.compactMap { object[$0] }.first { !$0.isNull }
            guard let reasoning = found else { continue }
            var aliased = JSONObject([("thinking", reasoning)])
            for (key, value) in object.members { aliased[key] = value }
            aliased["reasoning_content"] = reasoning
            result.messages[index] = .object(aliased)
        }
        return result
    }

    /// The fields of the last message that hold the text to continue.
    func continuedFields(of final: JSONObject, text: JSONValue) -> [String] {
        guard Conversation.reasoningFields.contains(continuedField) else { return [continuedField] }
        return Conversation.reasoningFields.filter { final[$0] == text }
    }
}
