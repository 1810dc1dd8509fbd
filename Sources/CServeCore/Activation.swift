// The functions that stand inside a feed-forward part, under the names that checkpoints use.

/// What stands between the two products of a feed-forward part.
public enum Activation: String, Hashable, Codable, Sendable, CaseIterable {
    /// `x * sigmoid(x)`.
    case silu
    /// `x * (1 + erf(x / sqrt 2)) / 2`.
    case gelu
    /// `x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2`.
    case geluTanh
    /// `max(x, 0)`.
    case relu

    /// The function that a checkpoint's `hidden_act` or `hidden_activation` names (transformers' ACT2FN), or nil.
    public init?(checkpointName: String) {
        switch checkpointName {
        case "silu", "swish": self = .silu
        case "gelu": self = .gelu
        case "gelu_pytorch_tanh", "gelu_new": self = .geluTanh
        case "relu": self = .relu
        default: return nil
        }
    }
}
