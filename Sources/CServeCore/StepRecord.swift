// One step as an engine ran it: what it computed and how long that took, the raw material of profiles and calibrations.

/// One measured step.
public struct StepRecord: Hashable, Codable, Sendable {
    /// A piece of a prompt.
    public struct Piece: Hashable, Codable, Sendable {
        /// Prompt tokens computed.
        public var tokens: Int
        /// Positions before them that were in the cache already.
        public var context: Int

        /// Describes a piece.
        public init(tokens: Int, context: Int) {
            self.tokens = tokens
            self.context = context
        }
    }

    /// Counts the engine's logged steps from 1.
    public var id: UInt64 = 0
    /// When it ended, on the engine's clock.
    public var ended: Nanoseconds = 0
    /// From the end of the step before (or from waking up) to its own end: scheduling, inputs, arithmetic, sampling, events.
    public var cycle: Nanoseconds = 0
    /// Of this, the model's forward pass with the logits.
    public var forward: Nanoseconds = 0
    /// Of this, choosing tokens.
    public var sampling: Nanoseconds = 0
    /// Pieces of prompts.
    public var prefills: [Piece] = []
    /// Requests that decoded a token.
    public var decodes: Int = 0
    /// Positions that decodes attended, their own included, summed over decodes.
    public var decodeContext: Int = 0
    /// The longest of those contexts.
    public var longestDecodeContext: Int = 0
    /// Rows for which logits were computed.
    public var sampledRows: Int = 0
    /// Draft tokens that were checked; steps with drafts say nothing of a model's plain times.
    public var drafts: Int = 0

    /// A step of nothing.
    public init() {}

    /// Tokens computed in all.
    public var tokens: Int { decodes + drafts + prefills.reduce(0) { $0 + $1.tokens } }

    /// JSON names carry the units.
    public enum CodingKeys: String, CodingKey {
        case id
        case ended = "ended_ns"
        case cycle = "cycle_ns"
        case forward = "forward_ns"
        case sampling = "sampling_ns"
        case prefills
        case decodes
        case decodeContext = "decode_context"
        case longestDecodeContext = "longest_decode_context"
        case sampledRows = "sampled_rows"
        case drafts
    }
}
