// What one micro-batch computes, as far as its time depends on it: the seam between scheduler, simulator and cost model.
import CServeCore

/// The work of one micro-batch.
public struct StepComposition: Hashable, Sendable {
    /// A piece of a prompt.
    public struct PrefillChunk: Hashable, Sendable {
        /// Prompt tokens computed.
        public var tokens: Int
        /// Positions before them that are in the cache already.
        public var context: Int

        /// Describes a piece.
        public init(tokens: Int, context: Int) {
            self.tokens = tokens
            self.context = context
        }
    }

    /// Pieces of prompts.
    public var prefills: [PrefillChunk] = []
    /// Tokens in ``prefills``.
    public var prefillTokens: Int = 0
    /// Requests that decode one token each.
    public var decodes: Int = 0
    /// Positions that decodes attend, their own included, summed over decodes.
    public var decodeContext: Int = 0
    /// The longest of those contexts: kernels wait for it (skew).
    public var longestDecodeContext: Int = 0
    /// Rows for which logits are computed and a token is sampled.
    public var sampledRows: Int = 0

    /// A micro-batch of nothing.
    public init() {}

    /// Tokens computed in all.
    public var tokens: Int { prefillTokens + decodes }

    /// Adds a piece of a prompt; the last piece samples a token.
    public mutating func addPrefill(tokens: Int, context: Int, samples: Bool) {
        prefills.append(PrefillChunk(tokens: tokens, context: context))
        prefillTokens += tokens
        if samples { sampledRows += 1 }
    }

    /// Adds a decode that attends `context` positions, its own included.
    @inlinable
    public mutating func addDecode(context: Int) {
        decodes += 1
        decodeContext += context
        if context > longestDecodeContext { longestDecodeContext = context }
        sampledRows += 1
    }
}
