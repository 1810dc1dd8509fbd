// POST /v1/chat/completions.

import CServeCore

/// Answers chats.
enum ChatCompletions {
    static func answer(_ exchange: Exchange) async throws -> Reply {
        let model: ServedModel = try exchange.readyModel()
        let limits: Limits = exchange.state.settings.limits
        var request: ChatRequest = try ChatRequest(
            try await exchange.fields(), defaults: model.defaults, limits: limits)
        let name: String = try model.resolve(request.options.model)
        let encoder: PromptEncoder = PromptEncoder(model: model, settings: exchange.state.settings)
        request.options.sampling.badWords = try encoder.badWords(request.options.badWords)
        let tokens: [TokenID] = encoder.truncate(try encoder.encode(request.conversation), request.options)
        let head: AnswerHead = exchange.head(
            prefix: "chatcmpl-", name, request.options, model, echoes: [request.echo])
        return try await Generation(exchange: exchange, model: model, head: head, prompts: [tokens])
            .reply(ChatFormat(head))
    }
}

extension ChatRequest {
    /// What `echo` puts before the answer: the last message, if it is the assistant's own.
    fileprivate var echo: String {
        guard options.echo, let last = conversation.messages.last, last["role"]?.stringValue == "assistant" else {
            return ""
        }
        return last["content"]?.stringValue ?? ""
    }
}

extension Exchange {
    /// What every object of the answer says.
    func head(
        prefix: String, _ name: String, _ options: GenerationOptions, _ model: ServedModel, echoes: [String],
        echoesScores: Bool = false
    ) -> AnswerHead {
        AnswerHead(
            id: prefix + (options.requestID.flatMap { RequestName.valid($0) } ?? id), created: WallClock.seconds(),
            model: name, options: options, names: TokenNames(codec: model.codec, asIDs: options.tokensAsIDs),
            echoes: echoes, echoesScores: echoesScores)
    }
}
