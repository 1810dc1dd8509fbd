// The parts of a step whose times are modelled one by one, and their sum: the answer to "where does the time go".

/// A part of a step.
public enum OperatorKind: Int, Hashable, Codable, Sendable, CaseIterable {
    /// Matrices of dense layers: queries, keys and values; output; gate and up; down.
    case dense
    /// Norms, rotary embedding, activation, residual sums.
    case elementwise
    /// Attention of prompt pieces.
    case prefillAttention
    /// Attention of decodes.
    case decodeAttention
    /// Router and experts.
    case mixture
    /// Token ids to vectors.
    case embedding
    /// The final norm and the head, per sampled row.
    case head
    /// Choosing tokens, per sampled row.
    case sampler
    /// Sums across the ranks of a stage.
    case allReduce
    /// Weights streamed from the host, as far as nothing hides them.
    case streaming
    /// Launches that the accelerator waits for.
    case launch
    /// Activations on their way to the next stage.
    case sendReceive
    /// Scheduling, inputs, results on the host.
    case host

    /// Its name in tables and plans.
    public var name: String {
        switch self {
        case .dense: "dense"
        case .elementwise: "elementwise"
        case .prefillAttention: "prefill attention"
        case .decodeAttention: "decode attention"
        case .mixture: "experts"
        case .embedding: "embedding"
        case .head: "LM head"
        case .sampler: "sampler"
        case .allReduce: "all-reduce"
        case .streaming: "weight streaming"
        case .launch: "launches"
        case .sendReceive: "send/receive"
        case .host: "host"
        }
    }
}

/// A step's time by operator.
public struct StepBreakdown: Hashable, Sendable {
    private var values: [Double] = Array(repeating: 0, count: OperatorKind.allCases.count)

    /// Nothing yet.
    public init() {}

    /// Seconds of one operator.
    public subscript(kind: OperatorKind) -> Double {
        get { values[kind.rawValue] }
        set { values[kind.rawValue] = newValue }
    }

    /// Seconds in all.
    public var seconds: Double { values.reduce(0, +) }

    /// The operators that take time, the longest first.
    public var parts: [(kind: OperatorKind, seconds: Double)] {
        OperatorKind.allCases.map { ($0, self[$0]) }.filter { $0.1 > 0 }.sorted { $0.1 > $1.1 }
            .map { (kind: $0.0, seconds: $0.1) }
    }

    /// Adds another breakdown, times a factor.
    public mutating func add(_ other: StepBreakdown, times factor: Double = 1) {
        for place in values.indices { values[place] += factor * other.values[place] }
    }
}
