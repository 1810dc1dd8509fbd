// CServe's first public API: GET / and POST /cserve/v1/generate, kept for its clients.

import CServeCore

/// The endpoints that CServe had before it spoke OpenAI's API.
enum GenerateCompat {
    static func status(_ exchange: Exchange) async throws -> Reply {
        let model: ServedModel? = exchange.state.model
        var json: JSONBytes = JSONBytes()
        json.raw("{\"status\":")
        json.string(model == nil ? "STARTING" : exchange.state.isDraining ? "STOPPING" : "RUNNING")
        json.raw(",\"model\":")
        json.optional(model?.name)
        json.raw(",\"api_type\":")
        json.string(model?.template == nil && model != nil ? "completion" : "chat")
        json.raw("}")
        return Reply(json)
    }

    static func generate(_ exchange: Exchange) async throws -> Reply {
        let model: ServedModel = try exchange.readyModel()
        let limits: Limits = exchange.state.settings.limits
        let outer: FieldReader = try await exchange.fields()
        // Its settings are a completion's, one level down.
        var inner: JSONObject = try outer.object("sampling_params") ?? JSONObject()
        inner["prompt"] = outer.value("prompt")
        inner["stream"] = outer.value("stream")
        let request: CompletionRequest = try CompletionRequest(
            FieldReader(inner), defaults: model.defaults, limits: limits)
        let encoder: PromptEncoder = PromptEncoder(model: model, settings: exchange.state.settings)
        var options: GenerationOptions = request.options
        options.sampling.badWords = try encoder.badWords(options.badWords)
        let prompts: [[TokenID]] = try request.prompts.map { prompt in
            encoder.truncate(try encoder.encode(prompt, addSpecialTokens: true), options)
        }
        let echoes: [String] = prompts.map { _ in "" }
        let head: AnswerHead = exchange.head(prefix: "gen-", model.name, options, model, echoes: echoes)
        return try await Generation(exchange: exchange, model: model, head: head, prompts: prompts)
            .reply(GenerateFormat())
    }
}
