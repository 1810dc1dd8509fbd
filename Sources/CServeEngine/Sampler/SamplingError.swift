// Why no token could be sampled: each ends one request and leaves the engine running.

/// A row of logits from which nothing can be sampled.
public enum SamplingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The model gave "not a number".
    case notANumber
    /// The model gave infinity.
    case infinite
    /// Masks, bans and biases left no token.
    case allMasked

    /// What is wrong and what to do next.
    public var description: String {
        switch self {
        case .notANumber:
            "The model's logits hold values that are not numbers. The checkpoint is damaged, or its arithmetic overflows: "
                + "try dtype float32."
        case .infinite:
            "The model's logits are infinite. The checkpoint's arithmetic overflows: try dtype float32."
        case .allMasked:
            "No token is left to sample: allowed_token_ids, bad_words, min_tokens and logit_bias exclude them all. "
                + "Allow at least one token."
        }
    }
}
