// What may be asked for: every limit of a request's sampling settings, in one place.

/// Why a request's settings were refused; `parameter` is the API's name for the field at fault.
public enum RequestError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A number lies outside its range.
    case outOfRange(parameter: String, value: String, range: String)
    /// A token id is not in the vocabulary.
    case tokenOutOfVocabulary(parameter: String, token: Int, vocabulary: Int)
    /// `best_of` is smaller than `n`.
    case bestOfBelowN(bestOf: Int, n: Int)
    /// The prompt has no token.
    case emptyPrompt
    /// Prompt and answer do not fit the context.
    case contextExceeded(prompt: Int, maxTokens: Int, maxModelLength: Int)
    /// The prompt alone can never fit the KV cache.
    case promptExceedsCache(prompt: Int, capacity: Int)

    /// The API's name of the field at fault.
    public var parameter: String {
        switch self {
        case .outOfRange(let parameter, _, _), .tokenOutOfVocabulary(let parameter, _, _): parameter
        case .bestOfBelowN: "best_of"
        case .emptyPrompt, .promptExceedsCache: "prompt"
        case .contextExceeded: "max_tokens"
        }
    }

    /// What is wrong, with which numbers, and what to do.
    public var description: String {
        switch self {
        case .outOfRange(let parameter, let value, let range):
            "\(parameter) is \(value), but must be \(range)."
        case .tokenOutOfVocabulary(let parameter, let token, let vocabulary):
            "\(parameter) names token \(token), but this model's tokens are 0 to \(vocabulary - 1)."
        case .bestOfBelowN(let bestOf, let n):
            "best_of is \(bestOf), below n = \(n): it is the number of answers from which the best n are returned. "
                + "Raise best_of to at least \(n) or leave it out."
        case .emptyPrompt:
            "The prompt is empty: it has no token to continue from. Send at least one character or one token id."
        case .contextExceeded(let prompt, let maxTokens, let maxModelLength):
            "This model's maximum context length is \(maxModelLength) tokens. However, you requested "
                + "\(prompt + maxTokens) tokens (\(prompt) in the prompt, \(maxTokens) in the answer). "
                + "Shorten the prompt or lower max_tokens\(prompt < maxModelLength ? " to \(maxModelLength - prompt)" : "")."
        case .promptExceedsCache(let prompt, let capacity):
            "The prompt has \(prompt) tokens, but the whole KV cache holds \(capacity). Shorten the prompt, or restart "
                + "the server with more --kv-cache-memory-bytes."
        }
    }
}

extension SamplingParameters {
    /// Checks every setting against its range.
    ///
    /// - Parameters:
    ///   - vocabularySize: token ids must be below it.
    ///   - maxBranches: the most branches one request may have (`max_num_seqs`).
    /// - Throws: ``RequestError`` for the first setting at fault.
    public func validate(vocabularySize: Int, maxBranches: Int) throws(RequestError) {
        try validateNumbers()
        try SamplingParameters.check("n", n, in: 1...maxBranches)
        if let bestOf {
            guard bestOf >= n else { throw .bestOfBelowN(bestOf: bestOf, n: n) }
            try SamplingParameters.check("best_of", bestOf, in: 1...maxBranches)
        }
        let named: [(String, [TokenID])] = [
            ("logit_bias", Array(logitBias.keys)), ("stop_token_ids", stopTokenIDs),
            ("allowed_token_ids", allowedTokenIDs ?? []), ("bad_words", badWords.flatMap { $0 }),
        ]
        for (parameter, tokens) in named {
            for token in tokens where token < 0 || Int(token) >= vocabularySize {
                throw .tokenOutOfVocabulary(parameter: parameter, token: Int(token), vocabulary: vocabularySize)
            }
        }
        if let allowedTokenIDs, allowedTokenIDs.isEmpty {
            throw .outOfRange(parameter: "allowed_token_ids", value: "[]", range: "a list of at least one token id")
        }
    }

    private func validateNumbers() throws(RequestError) {
        try SamplingParameters.check("temperature", temperature, in: 0...2)
        try SamplingParameters.check("top_k", topK, in: -1...Int.max)
        guard topP > 0, topP <= 1 else {
            throw .outOfRange(parameter: "top_p", value: "\(topP)", range: "above 0 and at most 1")
        }
        try SamplingParameters.check("min_p", minP, in: 0...1)
        guard repetitionPenalty > 0, repetitionPenalty.isFinite else {
            throw .outOfRange(parameter: "repetition_penalty", value: "\(repetitionPenalty)", range: "above 0")
        }
        try SamplingParameters.check("presence_penalty", presencePenalty, in: -2...2)
        try SamplingParameters.check("frequency_penalty", frequencyPenalty, in: -2...2)
        for value in logitBias.values { try SamplingParameters.check("logit_bias", value, in: -100...100) }
        try SamplingParameters.check("max_tokens", maxTokens, in: (promptLogprobs == nil ? 1 : 0)...Int.max)
        try SamplingParameters.check("min_tokens", minTokens, in: 0...maxTokens)
        if let logprobs {
            try SamplingParameters.check("logprobs", logprobs, in: 0...SamplingParameters.mostLogprobs)
        }
        if let promptLogprobs {
            try SamplingParameters.check("prompt_logprobs", promptLogprobs, in: 0...SamplingParameters.mostLogprobs)
        }
    }

    private static func check<T: Comparable>(
        _ parameter: String, _ value: T, in range: ClosedRange<T>
    ) throws(RequestError) {
        guard range.contains(value) else {
            throw .outOfRange(
                parameter: parameter, value: "\(value)", range: "from \(range.lowerBound) to \(range.upperBound)")
        }
    }
}
