// What a scheduler hands to a runner: one forward pass over some tokens of some branches, as plain data.
import CServeCore

/// One forward pass. Runners run micro-batches, on every stage, in the order in which they were made.
public struct MicroBatch: Hashable, Codable, Sendable {
    /// Stands for a token that was still being sampled when the micro-batch was made: the runner puts the slot's last
    /// sampled token there.
    public static let placeholder: TokenID = -1

    /// Counts the scheduler's micro-batches from 1.
    public var id: UInt64
    /// What is computed, highest rank first; decodes stand before prompts.
    public var entries: [Entry]
    /// Whole-block copies to run before the pass, in order, on every layer.
    public var copies: [BlockCopy]
    /// The pass's size.
    public var load: BatchLoad
    /// The stage time that the scheduler expects; 0 while it knows nothing.
    public var predicted: Nanoseconds

    /// Creates a micro-batch.
    public init(
        id: UInt64, entries: [Entry], copies: [BlockCopy] = [], load: BatchLoad = BatchLoad(),
        predicted: Nanoseconds = 0
    ) {
        self.id = id
        self.entries = entries
        self.copies = copies
        self.load = load
        self.predicted = predicted
    }

    /// Some consecutive tokens of one branch.
    public struct Entry: Hashable, Codable, Sendable {
        /// The request.
        public var request: RequestID
        /// Its branch, from 0.
        public var branch: Int
        /// The branch's place in `0..<maxNumSeqs` while it runs: sampler state is kept there.
        public var slot: Int
        /// Position of the first token computed.
        public var start: Int
        /// The tokens computed, at positions `start...`; ``MicroBatch/placeholder`` where not known yet.
        public var tokens: TokenRun
        /// Guesses of the tokens behind ``tokens``, computed at the positions that follow. A runner samples behind the
        /// last of ``tokens``, and behind each draft as long as the drafts before it equal what was sampled.
        public var drafts: TokenRun
        /// Blocks for the positions of all tokens and drafts.
        public var blocks: BlockTable
        /// The most tokens that may come back: 0 for a prompt's inner piece, else 1 and one per draft.
        public var sampledTokens: Int
        /// Whether the branch has just taken the slot: sampler state there is to be made anew, from the prompt and
        /// the tokens reported so far (a preempted branch comes back with its answer's beginning).
        public var isFirst: Bool
        /// Whether the tokens are prompt tokens whose log-probabilities were asked for. If the request is preempted
        /// before its prompt was computed to the end, they come again from position 0.
        public var wantsPromptLogprobs: Bool
        /// Counts rollbacks of the slot; outputs of an older epoch are ignored.
        public var epoch: UInt32

        /// Creates an entry.
        @inlinable
        public init(
            request: RequestID, branch: Int, slot: Int, start: Int, tokens: TokenRun, drafts: TokenRun = TokenRun(),
            blocks: BlockTable, sampledTokens: Int, isFirst: Bool = false, wantsPromptLogprobs: Bool = false,
            epoch: UInt32 = 0
        ) {
            self.request = request
            self.branch = branch
            self.slot = slot
            self.start = start
            self.tokens = tokens
            self.drafts = drafts
            self.blocks = blocks
            self.sampledTokens = sampledTokens
            self.isFirst = isFirst
            self.wantsPromptLogprobs = wantsPromptLogprobs
            self.epoch = epoch
        }

        /// Whether the token behind so many drafts is still to be sampled: if each of them is what was sampled there.
        public func accepts(_ sampled: TokenRun, drafts count: Int) -> Bool {
            sampled.count == count && (count == 0 || sampled[count - 1] == drafts[count - 1])
        }
    }
}

/// A whole block's keys and values, to be copied on all layers: a branch leaves the block that it shared.
public struct BlockCopy: Hashable, Codable, Sendable {
    /// The block read.
    public var source: BlockID
    /// The block written.
    public var destination: BlockID

    /// Creates a copy.
    public init(source: BlockID, destination: BlockID) {
        self.source = source
        self.destination = destination
    }
}

/// What came back for one entry: 0 to `sampledTokens` tokens, in order.
///
/// The keys and values of all returned tokens but the last are in the cache then. No tokens where some were due means
/// that none could be sampled: the position is computed again.
public struct EntryOutput: Hashable, Codable, Sendable {
    /// The tokens.
    public var tokens: TokenRun

    /// An output of some tokens.
    @inlinable
    public init(tokens: TokenRun) { self.tokens = tokens }

    /// An output of some tokens.
    public init(tokens: [TokenID]) { self.tokens = TokenRun(tokens) }
}

/// The size of a pass, as far as its time depends on it.
public struct BatchLoad: Hashable, Codable, Sendable {
    /// Tokens computed.
    public var tokens: Int = 0
    /// Those of them that do not decode.
    public var prefillTokens: Int = 0
    /// Branches that decode.
    public var decodes: Int = 0
    /// Positions attended, summed over all tokens: a decode adds its context, a piece of a prompt adds a trapezoid.
    public var context: Int = 0

    /// An empty pass.
    public init() {}

    /// A pass of given size.
    public init(tokens: Int, prefillTokens: Int, decodes: Int, context: Int) {
        self.tokens = tokens
        self.prefillTokens = prefillTokens
        self.decodes = decodes
        self.context = context
    }

    /// Adds one decoding token at position `start`.
    mutating func addDecode(start: Int) {
        decodes += 1
        tokens += 1
        context += start + 1
    }

    /// Adds drafts behind a decoding token at position `start`.
    mutating func addDrafts(_ count: Int, behind start: Int) {
        tokens += count
        context += count * (start + 1) + count * (count + 1) / 2
    }

    /// Adds a piece of a prompt.
    mutating func addPrefill(start: Int, tokens count: Int) {
        prefillTokens += count
        tokens += count
        context += count * start + count * (count + 1) / 2
    }
}
