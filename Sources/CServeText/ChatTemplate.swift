// A model's chat template: parsed once, rendered for every conversation into text with provenance.

import CServeCore
import Foundation

/// Turns conversations into prompts as transformers' `apply_chat_template` does.
public struct ChatTemplate: Sendable {
    /// What a template expects in a message's `content`.
    public enum ContentFormat: Hashable, Sendable {
        /// One string.
        case string
        /// A list of parts that the template iterates over.
        case parts
    }

    /// One template of a checkpoint.
    struct Variant: Sendable {
        var name: String
        var source: String
        var statements: [JinjaStatement]

        init(name: String, source: String) throws {
            self.name = name
            self.source = source
            statements = try JinjaParser.parse(source, template: name)
        }
    }

    /// The templates by name; most checkpoints have one, named `default`.
    let variants: [String: Variant]
    /// `bos_token`, `eos_token` and so on: the only variables whose text may yield special tokens.
    public let specialTokens: [String: String]
    /// Bounds on every rendering.
    public var limits = JinjaLimits()

    /// Parses a template.
    ///
    /// - Throws: ``JinjaError`` if the source is not Jinja.
    public init(source: String, specialTokens: [String: String], name: String = "chat_template") throws {
        variants = ["default": try Variant(name: name, source: source)]
        self.specialTokens = specialTokens
    }

    init(variants: [String: Variant], specialTokens: [String: String]) {
        self.variants = variants
        self.specialTokens = specialTokens
    }

    /// The names of the templates.
    public var names: [String] { variants.keys.sorted() }

    /// The source of the template that conversations without tools get, for display.
    public var source: String? { (variants["default"] ?? variants.values.first)?.source }

    /// What the template expects in a message's `content`.
    public var contentFormat: ContentFormat {
        guard let variant = variants["default"] ?? variants.values.first else { return .string }
        return ContentFormatDetector.format(of: variant.statements)
    }

    /// Renders a conversation.
    ///
    /// Only the template's own text and the special tokens may yield special tokens; whatever came with the
    /// conversation may not, whatever filters it passed through.
    /// - Throws: ``JinjaError`` (``JinjaError/raisedMessage`` is set where the template refused the conversation)
    ///   or ``ChatTemplateError``.
    public func render(_ conversation: Conversation, now: ClockComponents) throws -> [TextSegment] {
        let variant = try variant(hasTools: conversation.tools != nil)
        let prepared = try conversation.withoutNulls().normalised(
            for: ContentFormatDetector.format(of: variant.statements)
        )
        .withReasoningAliases()
        guard prepared.continueFinalMessage else { return try text(prepared, variant, now).segments }
        return try continuedText(prepared, variant, now).segments
    }

    /// Renders a conversation to plain text, without provenance.
    public func renderText(_ conversation: Conversation, now: ClockComponents) throws -> String {
        try render(conversation, now: now).map(\.text).joined()
    }

    /// As transformers chooses: `tool_use` when there are tools, else `default`.
    private func variant(hasTools: Bool) throws -> Variant {
        if hasTools, let variant = variants["tool_use"] { return variant }
        if let variant = variants["default"] { return variant }
        throw ChatTemplateError.noDefault(names: names)
    }

    private func text(_ conversation: Conversation, _ variant: Variant, _ now: ClockComponents) throws -> JinjaText {
        var variables: [String: JinjaValue] = specialTokens.mapValues { .trusted($0) }
        for (name, value) in conversation.variables { variables[name] = JinjaValue(value) }
        variables["messages"] = try .list(conversation.messages.map(ChatTemplate.value))
        variables["tools"] = conversation.tools.map { .list($0.map(JinjaValue.init)) } ?? JinjaValue.none
        variables["documents"] = conversation.documents.map { .list($0.map(JinjaValue.init)) } ?? JinjaValue.none
        variables["add_generation_prompt"] = .bool(conversation.addGenerationPrompt)
        return try JinjaInterpreter.render(
            variant.statements, variables: variables, template: variant.name, limits: limits, clock: now)
    }

    /// The roles that templates know. Many build a token from one (`'<|' + message['role'] + '|>'`), so these words count
    /// as the template's own; any other role is a user's text.
    private static let roles: Set<String> = [
        "system", "developer", "user", "assistant", "model", "tool", "function", "ipython", "tool_response",
        "observation",
    ]

    private static func value(of message: JSONValue) throws -> JinjaValue {
        let value = JinjaValue(message)
        guard case .dictionary(var members) = value, let role = message["role"]?.stringValue, roles.contains(role)
        else { return value }
        try members.set(.untrusted("role"), .trusted(role))
        return .dictionary(members)
    }

    // MARK: Continuing the last message

    /// Marks the end of the last message; what the template writes behind it is cut off.
    private static let tag = "CONTINUE_FINAL_MESSAGE_TAG "

    private func continuedText(
        _ conversation: Conversation, _ variant: Variant, _ now: ClockComponents
    ) throws -> JinjaText {
        guard !conversation.addGenerationPrompt else { throw ChatTemplateError.continuationAndPrompt }
        var tagged = conversation
        let final = try tag(&tagged, variant)
        let rendered = try text(tagged, variant, now)
        let mark = JinjaText(ChatTemplate.tag, trusted: false)
        let bareMark = mark.stripped()
        guard rendered.firstIndex(of: JinjaText(final, trusted: false).stripped().scalars) != nil,
            let place = rendered.lastIndex(of: bareMark.scalars)
        else { throw ChatTemplateError.finalMessageLost }
        let before = rendered[0..<place]
        return rendered.matches(mark.scalars, at: place) ? before : before.stripped(left: false)
    }

    /// Appends the mark to the last message's text and gives that text as it was.
    private func tag(_ conversation: inout Conversation, _ variant: Variant) throws -> String {
        let field = conversation.continuedField
        guard let last = conversation.messages.indices.last else { throw ChatTemplateError.nothingToContinue }
        guard var message = conversation.messages[last].objectValue, let value = message[field], !value.isNull else {
            throw ChatTemplateError.noFinalText(field: field)
        }
        let fields = conversation.continuedFields(of: message, text: value)
        guard fields.contains(where: { variant.source.contains($0) }) else {
            throw ChatTemplateError.fieldNotInTemplate(field: field)
        }
        let (tagged, text) = try ChatTemplate.tagged(value, field)
        for name in fields { message[name] = tagged }
        conversation.messages[last] = .object(message)
        return text
    }

    private static func tagged(_ value: JSONValue, _ field: String) throws -> (tagged: JSONValue, text: String) {
        if let text = value.stringValue { return (.string(text + tag), text) }
        guard var parts = value.arrayValue,
            let place = parts.lastIndex(where: { $0["text"]?.stringValue != nil }),
            var part = parts[place].objectValue, let text = part["text"]?.stringValue
        else { throw ChatTemplateError.noFinalText(field: field) }
        part["text"] = .string(text + tag)
        parts[place] = .object(part)
        return (.array(parts), text)
    }
}
