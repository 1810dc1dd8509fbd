// Why a recipe cannot run: every setting is either obeyed or refused here, with its public name.

/// A setting that this build refuses. `field` is the recipe's public name.
public enum RecipeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Known, but not built yet.
    case notBuilt(field: String, value: String, instead: String)
    /// A number outside its range.
    case outOfRange(field: String, value: String, range: String)
    /// A word that is not among the choices.
    case unknownChoice(field: String, value: String, choices: [String])
    /// A step could not hold one token of every branch.
    case batchBelowSeqs(batchedTokens: Int, seqs: Int)
    /// A prompt's piece would not fit a step.
    case chunkAboveBatch(chunk: Int, batchedTokens: Int)
    /// A piece was named, but prompts are not to be cut.
    case chunkWithoutChunking(chunk: Int)
    /// The model's positions end before.
    case lengthAboveModel(asked: Int, model: Int)
    /// The KV cache does not hold one request of the full length.
    case cacheBelowLength(cacheTokens: Int, length: Int)
    /// Drafts are described, but nobody is named to make them.
    case speculationWithoutProposer(field: String, value: Int)
    /// The shortest n-gram would be longer than the longest.
    case lookupReversed(shortest: Int, longest: Int)

    /// What is wrong, with which numbers, and what to do next.
    public var description: String {
        switch self {
        case .notBuilt(let field, let value, let instead):
            "\(field) is \(value), which this build cannot do yet. \(instead)"
        case .outOfRange(let field, let value, let range):
            "\(field) is \(value), but must be \(range)."
        case .unknownChoice(let field, let value, let choices):
            "\(field) is \"\(value)\". Choose one of: \(choices.joined(separator: ", "))."
        case .batchBelowSeqs(let batchedTokens, let seqs):
            "max_num_batched_tokens is \(batchedTokens), below max_num_seqs = \(seqs): a step could not give every "
                + "running request a token. Raise max_num_batched_tokens to at least \(seqs) or lower max_num_seqs."
        case .chunkAboveBatch(let chunk, let batchedTokens):
            "chunked_prefill_size is \(chunk), above max_num_batched_tokens = \(batchedTokens): a piece would not fit "
                + "a step. Lower chunked_prefill_size to at most \(batchedTokens)."
        case .chunkWithoutChunking(let chunk):
            "chunked_prefill_size is \(chunk), but use_chunked_prefill is false. Leave one of them out."
        case .lengthAboveModel(let asked, let model):
            "max_model_len is \(asked), but this model was made for \(model) tokens. Use at most \(model), or leave it out."
        case .cacheBelowLength(let cacheTokens, let length):
            "The KV cache holds \(cacheTokens) tokens, but max_model_len is \(length): a request of full length could "
                + "never finish. Raise kv_cache_memory_bytes or lower max_model_len."
        case .speculationWithoutProposer(let field, let value):
            "\(field) is \(value), but no spec_proposer is named. Add spec_proposer: ngram (--spec-proposer ngram), or leave "
                + "\(field) out."
        case .lookupReversed(let shortest, let longest):
            "spec_prompt_lookup_min is \(shortest), above spec_prompt_lookup_max = \(longest). Lower the first or raise the "
                + "second."
        }
    }
}
