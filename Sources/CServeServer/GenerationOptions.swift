// The fields that chat and completion requests share: sampling, stops, streaming and vLLM's extras.

import CServeCore

/// What a request asks for besides its prompt. `sampling.maxTokens` is settled later, when the prompt's length is known.
struct GenerationOptions: Sendable {
    /// The settings that the engine sees.
    var sampling: SamplingParameters
    /// Words that may not appear, not yet encoded.
    var badWords: [String] = []
    /// Strings that end the answer.
    var stops: [String] = []
    /// Whether the string that ended the answer is part of it.
    var includeStop: Bool = false
    /// Whether special tokens are left out of the text.
    var skipSpecialTokens: Bool = true
    /// Whether the answer is sent in chunks.
    var stream: Bool = false
    /// Whether a stream ends with its usage.
    var includeUsage: Bool = false
    /// Whether every chunk carries the usage so far.
    var continuousUsage: Bool = false
    /// The asked-for length; nil takes the endpoint's default.
    var maxTokens: Int?
    /// The endpoint's default length, cut to what the context leaves; nil takes all of that.
    var defaultLength: Int?
    /// Keep only this many of the prompt's last tokens; -1 is what fits the context.
    var truncatePrompt: Int?
    /// Lower is sooner.
    var priority: Int = 0
    /// Who shares cached prefixes.
    var cacheSalt: String?
    /// Token strings are written as `token_id:17`.
    var tokensAsIDs: Bool = false
    /// Token ids are part of the answer.
    var returnTokenIDs: Bool = false
    /// The prompt is part of the answer.
    var echo: Bool = false
    /// The model's name as the client wrote it.
    var model: String?
    /// The client's name for the request.
    var requestID: String?
}

extension GenerationOptions {
    /// Decodes the shared fields.
    init(_ fields: FieldReader, defaults: SamplingDefaults, limits: Limits) throws(APIError) {
        try RefusedFields.check(fields)
        sampling = defaults.parameters
        try readSampling(fields)
        try readTokenLists(fields, limits: limits)
        try readStops(fields, limits: limits)
        try readStreaming(fields)
        try readExtras(fields)
        try checkStreaming()
    }

    /// What is known only at the end cannot be streamed.
    private func checkStreaming() throws(APIError) {
        guard stream else { return }
        if sampling.branches > sampling.n {
            throw .invalidValue(field: "best_of", reason: "answers cannot be streamed before the best are known.")
        }
        if sampling.promptLogprobs != nil {
            throw .invalidValue(field: "prompt_logprobs", reason: "they are not sent in a stream.")
        }
    }

    private mutating func readSampling(_ fields: FieldReader) throws(APIError) {
        sampling.temperature = try fields.float("temperature") ?? sampling.temperature
        sampling.topP = try fields.float("top_p") ?? sampling.topP
        sampling.topK = try fields.int("top_k") ?? sampling.topK
        sampling.minP = try fields.float("min_p") ?? sampling.minP
        sampling.repetitionPenalty = try fields.float("repetition_penalty") ?? sampling.repetitionPenalty
        sampling.presencePenalty = try fields.float("presence_penalty") ?? 0
        sampling.frequencyPenalty = try fields.float("frequency_penalty") ?? 0
        sampling.seed = try fields.int("seed").map { UInt64(bitPattern: Int64($0)) }
        sampling.minTokens = try fields.int("min_tokens") ?? 0
        sampling.ignoreEOS = try fields.bool("ignore_eos") ?? false
        sampling.n = try fields.int("n") ?? 1
        sampling.bestOf = try fields.int("best_of")
        let promptLogprobs: Int? = try fields.int("prompt_logprobs")
        if let promptLogprobs, promptLogprobs < 0 {
            throw .request(.outOfRange(parameter: "prompt_logprobs", value: "\(promptLogprobs)", range: "from 0 to 20"))
        }
        sampling.promptLogprobs = promptLogprobs
    }

    private mutating func readTokenLists(_ fields: FieldReader, limits: Limits) throws(APIError) {
        sampling.stopTokenIDs = try fields.tokens("stop_token_ids", limit: limits.listEntries) ?? []
        sampling.allowedTokenIDs = try fields.tokens("allowed_token_ids", limit: 1 << 20)
        badWords = try fields.strings("bad_words", limit: limits.listEntries) ?? []
        guard let bias = try fields.object("logit_bias") else { return }
        guard bias.count <= limits.listEntries else {
            throw .tooMany(field: "logit_bias", count: bias.count, limit: limits.listEntries, unit: "entries")
        }
        for (key, value) in bias.members {
            guard let token = TokenID(key) else {
                throw .invalidValue(field: "logit_bias", reason: "its keys must be token ids written as strings.")
            }
            guard let number = value.doubleValue else {
                throw .wrongType(field: "logit_bias", expected: "an object of numbers", found: value.described)
            }
            sampling.logitBias[token] = Float(number)
        }
    }

    private mutating func readStops(_ fields: FieldReader, limits: Limits) throws(APIError) {
        if let value = fields.value("stop") {
            if let one = value.stringValue {
                stops = [one]
            } else {
                stops = try fields.strings("stop", limit: limits.stopStrings) ?? []
            }
        }
        for stop in stops where stop.utf8.count > limits.stopStringBytes {
            throw .tooMany(field: "stop", count: stop.utf8.count, limit: limits.stopStringBytes, unit: "bytes")
        }
        if stops.contains(where: \.isEmpty) {
            throw .invalidValue(field: "stop", reason: "an empty string would end every answer at once.")
        }
        includeStop = try fields.bool("include_stop_str_in_output") ?? false
        skipSpecialTokens = try fields.bool("skip_special_tokens") ?? true
        _ = try fields.bool("spaces_between_special_tokens")
    }

    private mutating func readStreaming(_ fields: FieldReader) throws(APIError) {
        stream = try fields.bool("stream") ?? false
        guard let options = try fields.object("stream_options") else { return }
        guard stream else {
            throw .invalidValue(field: "stream_options", reason: "it may be sent only together with \"stream\": true.")
        }
        let reader: FieldReader = FieldReader(options, path: "stream_options.")
        includeUsage = try reader.bool("include_usage") ?? false
        let continuous: Bool = try reader.bool("continuous_usage_stats") ?? false
        continuousUsage = includeUsage && continuous
    }

    private mutating func readExtras(_ fields: FieldReader) throws(APIError) {
        truncatePrompt = try fields.int("truncate_prompt_tokens")
        if let truncatePrompt, truncatePrompt < -1 || truncatePrompt == 0 {
            throw .invalidValue(
                field: "truncate_prompt_tokens", reason: "\(truncatePrompt) is neither -1 (what fits) nor at least 1.")
        }
        priority = try fields.int("priority") ?? 0
        cacheSalt = try fields.string("cache_salt")
        if cacheSalt?.isEmpty ?? false { throw .invalidValue(field: "cache_salt", reason: "it is empty.") }
        tokensAsIDs = try fields.bool("return_tokens_as_token_ids") ?? false
        returnTokenIDs = try fields.bool("return_token_ids") ?? false
        echo = try fields.bool("echo") ?? false
        model = try fields.string("model")
        requestID = try fields.string("request_id")
    }
}
