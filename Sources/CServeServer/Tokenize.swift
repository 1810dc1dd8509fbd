// POST /tokenize and /detokenize.

import CServeCore

/// Text to token ids and back.
enum Tokenize {
    static func tokenize(_ exchange: Exchange) async throws -> Reply {
        let model: ServedModel = try exchange.readyModel()
        let fields: FieldReader = try await exchange.fields()
        _ = try model.resolve(try fields.string("model"))
        let encoder: PromptEncoder = PromptEncoder(model: model, settings: exchange.state.settings)
        let tokens: [TokenID] = try tokens(fields, encoder, exchange.state.settings.limits)
        var json: JSONBytes = JSONBytes(capacity: tokens.count * 8 + 64)
        json.raw("{\"count\":")
        json.int(tokens.count)
        json.raw(",\"max_model_len\":")
        json.int(model.engine.maxModelLength)
        json.raw(",\"tokens\":")
        json.ints(tokens)
        json.raw(",\"token_strs\":")
        if try fields.bool("return_token_strs") ?? false {
            json.list(tokens) { $0.string(model.codec.token($1) ?? "") }
        } else {
            json.raw("null")
        }
        json.raw("}")
        return Reply(json)
    }

    private static func tokens(
        _ fields: FieldReader, _ encoder: PromptEncoder, _ limits: Limits
    ) throws(APIError) -> [TokenID] {
        if fields.value("messages") != nil { return try encoder.encode(Conversation(fields, limits: limits)) }
        guard let text = try fields.string("prompt") else { throw .missingField(field: "prompt") }
        return try encoder.encode(.text(text), addSpecialTokens: try fields.bool("add_special_tokens") ?? true)
    }

    static func detokenize(_ exchange: Exchange) async throws -> Reply {
        let model: ServedModel = try exchange.readyModel()
        let fields: FieldReader = try await exchange.fields()
        _ = try model.resolve(try fields.string("model"))
        guard let tokens = try fields.tokens("tokens", limit: 1 << 22) else {
            throw APIError.missingField(field: "tokens")
        }
        let vocabulary: Int = model.engine.vocabularySize
        for token in tokens where token < 0 || Int(token) >= vocabulary {
            throw APIError.request(
                .tokenOutOfVocabulary(parameter: "tokens", token: Int(token), vocabulary: vocabulary))
        }
        let skips: Bool = try fields.bool("skip_special_tokens") ?? false
        var json: JSONBytes = JSONBytes()
        json.raw("{\"prompt\":")
        json.string(model.codec.decode(tokens, skipSpecialTokens: skips))
        json.raw("}")
        return Reply(json)
    }
}
