// A chat's messages and what its template is to make of them, checked before the template sees them.

import CServeCore

/// The template's input: messages, tools, documents and its switches.
struct Conversation: Sendable {
    /// The messages, their parts joined to plain text.
    var messages: [JSONValue]
    var tools: [JSONValue]?
    var documents: [JSONValue]?
    /// Whether the template opens the answer.
    var addGenerationPrompt: Bool
    /// Whether the last message is to be continued instead of answered.
    var continueFinalMessage: Bool
    /// Whether the tokenizer adds its own special tokens to those of the template.
    var addSpecialTokens: Bool
    /// A template that the client brought.
    var template: String?
    /// Further variables for the template.
    var arguments: JSONObject

    init(_ fields: FieldReader, limits: Limits) throws(APIError) {
        guard let array = try fields.array("messages", limit: limits.messages, unit: "messages") else {
            throw .missingField(field: "messages")
        }
        guard !array.isEmpty else { throw .invalidValue(field: "messages", reason: "it has no message.") }
        messages = []
        for (index, message) in array.enumerated() {
            messages.append(try Conversation.message(message, at: "messages[\(index)]"))
        }
        tools = try RefusedFields.checkTools(fields)
        documents = try fields.array("documents", limit: limits.messages, unit: "documents")
        let continues: Bool = try fields.bool("continue_final_message") ?? false
        addGenerationPrompt = try fields.bool("add_generation_prompt") ?? !continues
        continueFinalMessage = continues
        if continues, addGenerationPrompt {
            throw .invalidValue(
                field: "continue_final_message", reason: "it cannot be combined with add_generation_prompt.")
        }
        addSpecialTokens = try fields.bool("add_special_tokens") ?? false
        template = try fields.string("chat_template")
        arguments = try fields.object("chat_template_kwargs") ?? JSONObject()
    }

    /// Checks one message and flattens its content.
    static func message(_ value: JSONValue, at place: String) throws(APIError) -> JSONValue {
        guard case .object(var message) = value else {
            throw .wrongType(field: place, expected: "an object", found: value.described)
        }
        guard let role = message["role"], !role.isNull else { throw .missingField(field: place + ".role") }
        guard role.stringValue != nil else {
            throw .wrongType(field: place + ".role", expected: "a string", found: role.described)
        }
        if let content = message["content"] {
            message["content"] = try flatten(content, at: place + ".content")
        } else if message["tool_calls"] == nil {
            throw .missingField(field: place + ".content")
        }
        if let calls = message["tool_calls"]?.arrayValue { message["tool_calls"] = .array(calls.map(parsedArguments)) }
        return .object(message)
    }

    /// Joins text parts with a newline, as vLLM does; other parts are refused.
    private static func flatten(_ content: JSONValue, at place: String) throws(APIError) -> JSONValue {
        switch content {
        case .null, .string: return content
        case .array(let parts):
            var texts: [String] = []
            for (index, part) in parts.enumerated() { texts.append(try text(part, at: "\(place)[\(index)]")) }
            return .string(texts.joined(separator: "\n"))
        default:
            throw .wrongType(field: place, expected: "a string or a list of text parts", found: content.described)
        }
    }

    private static func text(_ part: JSONValue, at place: String) throws(APIError) -> String {
        if let text = part.stringValue { return text }
        guard part.objectValue != nil else {
            throw .wrongType(field: place, expected: "a content part", found: part.described)
        }
        guard let type = part["type"]?.stringValue else { throw .missingField(field: place + ".type") }
        guard type == "text" || type == "refusal" else {
            throw .notBuilt(field: "\(place).type", advice: "This server reads text parts only, not '\(type)'.")
        }
        guard let text = part[type]?.stringValue else { throw .missingField(field: "\(place).\(type)") }
        return text
    }

    /// Clients send a call's arguments as JSON in a string; templates expect the object.
    private static func parsedArguments(_ call: JSONValue) -> JSONValue {
        guard case .object(var outer) = call, case .object(var function) = outer["function"] ?? .null,
            let text = function["arguments"]?.stringValue, let parsed = try? JSONValue(parsing: text),
            parsed.objectValue != nil
        else { return call }
        function["arguments"] = parsed
        outer["function"] = .object(function)
        return .object(outer)
    }
}
