// From a request's text to token ids: template, tokenizer, truncation and their limits.

import CServeCore
import CServeText

/// Encodes prompts for one model.
struct PromptEncoder: Sendable {
    let model: ServedModel
    let settings: ServerSettings

    /// The token ids of a chat.
    func encode(_ conversation: ChatMessages) throws(APIError) -> [TokenID] {
        if conversation.template != nil, !settings.trustRequestTemplate {
            throw .notBuilt(
                field: "chat_template",
                advice: "Requests may bring a template only if the server runs with --trust-request-chat-template.")
        }
        guard let template = model.template else { throw .noChatTemplate }
        try bound(conversation.textBytes, field: "messages")
        let segments: [TextSegment]
        do {
            segments = try template.render(conversation.templateInput)
        } catch {
            throw .template(message: "\(error)")
        }
        try bound(segments.reduce(0) { $0 + $1.text.utf8.count }, field: "messages")
        return model.codec.encode(segments, addSpecialTokens: conversation.addSpecialTokens)
    }

    /// The token ids of a completion's prompt.
    func encode(_ prompt: PromptInput, addSpecialTokens: Bool) throws(APIError) -> [TokenID] {
        switch prompt {
        case .text(let text):
            try bound(text.utf8.count, field: "prompt")
            return model.codec.encode(text, addSpecialTokens: addSpecialTokens)
        case .tokens(let tokens):
            let vocabulary: Int = model.engine.vocabularySize
            for token in tokens where token < 0 || Int(token) >= vocabulary {
                throw .request(
                    .tokenOutOfVocabulary(parameter: "prompt", token: Int(token), vocabulary: vocabulary))
            }
            return tokens
        }
    }

    /// The prompt that asks for the text between a prompt and its suffix.
    func infill(_ prompt: PromptInput, suffix: String) throws(APIError) -> [TokenID] {
        guard case .text(let prefix) = prompt else {
            throw .invalidValue(field: "suffix", reason: "it needs a prompt in text, not in token ids.")
        }
        try bound(prefix.utf8.count + suffix.utf8.count, field: "prompt")
        guard let tokens = model.codec.infill(prefix: prefix, suffix: suffix) else {
            throw .notBuilt(
                field: "suffix",
                advice: "The model \(model.name) has no infill tokens; models such as Code Llama 7B and 13B have.")
        }
        return tokens
    }

    /// Words that may not appear, encoded as they stand at a text's start and after a space, as vLLM does.
    func badWords(_ words: [String]) throws(APIError) -> [[TokenID]] {
        var runs: [[TokenID]] = []
        for word in words {
            let plain: [TokenID] = model.codec.encode(word, addSpecialTokens: false)
            let spaced: [TokenID] = model.codec.encode(" " + word, addSpecialTokens: false)
            guard !plain.isEmpty else { throw .invalidValue(field: "bad_words", reason: "a word has no token.") }
            runs.append(plain)
            if spaced != plain, !spaced.isEmpty { runs.append(spaced) }
        }
        return runs
    }

    /// Keeps a prompt's last tokens, if that was asked for.
    func truncate(_ tokens: [TokenID], _ options: GenerationOptions) -> [TokenID] {
        guard let wanted = options.truncatePrompt else { return tokens }
        let room: Int = max(1, model.engine.maxModelLength - max(1, options.maxTokens ?? options.defaultLength ?? 1))
        return Array(tokens.suffix(wanted == -1 ? room : wanted))
    }

    /// Refuses text that cannot fit the context whatever its tokens, before it is encoded.
    func bound(_ bytes: Int, field: String) throws(APIError) {
        let limit: Int = model.engine.maxModelLength * settings.limits.promptBytesPerToken
        guard bytes <= limit else { throw .tooMany(field: field, count: bytes, limit: limit, unit: "bytes of text") }
    }
}

extension ChatMessages {
    /// What the template is given.
    var templateInput: ChatTemplateInput {
        ChatTemplateInput(
            messages: messages, tools: tools, documents: documents, addGenerationPrompt: addGenerationPrompt,
            continueFinalMessage: continueFinalMessage, arguments: arguments, template: template)
    }
}
