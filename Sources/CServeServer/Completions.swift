// POST /v1/completions.

import CServeCore

/// Continues texts.
enum Completions {
    static func answer(_ exchange: Exchange) async throws -> Reply {
        let model: ServedModel = try exchange.readyModel()
        let limits: Limits = exchange.state.settings.limits
        var request: CompletionRequest = try CompletionRequest(
            try await exchange.fields(), defaults: model.defaults, limits: limits)
        let name: String = try model.resolve(request.options.model)
        let encoder: PromptEncoder = PromptEncoder(model: model, settings: exchange.state.settings)
        request.options.sampling.badWords = try encoder.badWords(request.options.badWords)
        request.scoreEcho()
        let prompts: [[TokenID]] = try request.prompts.map { prompt in
            let tokens: [TokenID] = try request.encode(prompt, encoder)
            return encoder.truncate(tokens, request.options)
        }
        let echoes: [String] = zip(request.prompts, prompts).map { request.echo($0, $1, model) }
        let head: AnswerHead = exchange.head(
            prefix: "cmpl-", name, request.options, model, echoes: echoes,
            echoesScores: request.options.echo && request.options.sampling.logprobs != nil)
        return try await Generation(exchange: exchange, model: model, head: head, prompts: prompts)
            .reply(CompletionFormat(head))
    }
}

extension CompletionRequest {
    fileprivate func encode(_ prompt: PromptInput, _ encoder: PromptEncoder) throws(APIError) -> [TokenID] {
        if let suffix { return try encoder.infill(prompt, suffix: suffix) }
        return try encoder.encode(prompt, addSpecialTokens: addSpecialTokens)
    }

    /// An echo with log-probabilities, or one that generates nothing, needs the prompt's scores.
    fileprivate mutating func scoreEcho() {
        guard options.echo, options.sampling.promptLogprobs == nil else { return }
        if let logprobs = options.sampling.logprobs {
            options.sampling.promptLogprobs = logprobs
        } else if options.maxTokens == 0 {
            options.sampling.promptLogprobs = 0
        }
    }

    fileprivate func echo(_ prompt: PromptInput, _ tokens: [TokenID], _ model: ServedModel) -> String {
        guard options.echo else { return "" }
        if case .text(let text) = prompt, options.truncatePrompt == nil { return text }
        return model.codec.decode(tokens, skipSpecialTokens: options.skipSpecialTokens)
    }
}
