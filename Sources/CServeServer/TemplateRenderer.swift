// The model's chat template as the server uses it.

import CServeCore
import CServeText
import Foundation

/// A chat template behind the server's seam.
public struct TemplateRenderer: ChatRendering {
    private let template: ChatTemplate

    /// Wraps a template.
    public init(_ template: ChatTemplate) {
        self.template = template
    }

    /// The prompt's segments, with today's date where the template asks for it.
    public func render(_ input: ChatTemplateInput) throws -> [TextSegment] {
        var template: ChatTemplate = template
        if let source = input.template {
            template = try ChatTemplate(source: source, specialTokens: template.specialTokens, name: "chat_template")
        }
        let conversation: Conversation = Conversation(
            messages: input.messages, tools: input.tools, documents: input.documents,
            addGenerationPrompt: input.addGenerationPrompt, continueFinalMessage: input.continueFinalMessage,
            variables: Dictionary(input.arguments.members.map { ($0.key, $0.value) }) { $1 })
        return try template.render(conversation, now: ClockComponents(Date()))
    }
}
