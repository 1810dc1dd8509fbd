// One request of a workload as data: the simulator and the load generator take the very same ones.
import CServeCore

/// A request before it has text: lengths, arrival, and which beginnings it shares with others.
public struct WorkloadRequest: Hashable, Codable, Sendable {
    /// Counts the workload's requests from 0.
    public var index: Int
    /// When it is sent, from the workload's start; nil in a closed loop, where it goes when a client is free.
    public var arrival: Nanoseconds?
    /// Tokens of the prompt, shared ones included.
    public var promptLength: Int
    /// Tokens of the answer; end tokens are ignored until then.
    public var outputLength: Int
    /// What the prompt begins with, in order; what these do not fill is the request's own text.
    public var segments: [PromptSegment]
    /// The conversation that it belongs to, for routing by session; nil: none.
    public var session: Int?
    /// The request whose answer it waits for (the turn before); its arrival is then ``thinkTime`` behind that answer.
    public var after: Int?
    /// The span between the turn before and this one.
    public var thinkTime: Nanoseconds

    /// Describes a request.
    public init(
        index: Int, arrival: Nanoseconds?, promptLength: Int, outputLength: Int, segments: [PromptSegment] = [],
        session: Int? = nil, after: Int? = nil, thinkTime: Nanoseconds = 0
    ) {
        self.index = index
        self.arrival = arrival
        self.promptLength = promptLength
        self.outputLength = outputLength
        self.segments = segments
        self.session = session
        self.after = after
        self.thinkTime = thinkTime
    }

    /// JSON names carry the units.
    public enum CodingKeys: String, CodingKey {
        case index
        case arrival = "arrival_ns"
        case promptLength = "prompt_tokens"
        case outputLength = "output_tokens"
        case segments
        case session
        case after
        case thinkTime = "think_time_ns"
    }
}

/// A run of prompt tokens that requests of the same id share.
public struct PromptSegment: Hashable, Codable, Sendable {
    /// What the run is.
    public enum Content: Hashable, Codable, Sendable {
        /// Text of this number: the same number is the same text.
        case text(UInt64)
        /// The answer to an earlier request of the workload.
        case answer(Int)
    }

    /// What the run is.
    public var content: Content
    /// Its tokens.
    public var tokens: Int

    /// Describes a run.
    public init(_ content: Content, tokens: Int) {
        self.content = content
        self.tokens = tokens
    }
}

extension WorkloadRequest {
    /// The token that stands for every generated token where answers are not known (in simulations).
    public static let answerToken: TokenID = 0

    /// A run of a prompt as whoever sends it needs it.
    public enum PromptRun: Hashable, Sendable {
        /// Text of these tokens.
        case text([TokenID])
        /// So many tokens of the answer to this earlier request.
        case answer(Int, tokens: Int)
    }

    /// The prompt's tokens: the same request of the same seed has the same tokens everywhere. Never ``answerToken``,
    /// except where an earlier answer is quoted.
    ///
    /// - Parameters:
    ///   - vocabularySize: tokens are drawn from `1..<vocabularySize`.
    ///   - seed: the workload's seed; texts of different seeds differ.
    public func promptTokens(vocabularySize: Int, seed: UInt64) -> [TokenID] {
        var tokens: [TokenID] = []
        tokens.reserveCapacity(promptLength)
        for segment in segments where tokens.count < promptLength {
            let count: Int = min(segment.tokens, promptLength - tokens.count)
            switch segment.content {
            case .answer: tokens.append(contentsOf: repeatElement(Self.answerToken, count: count))
            case .text(let number):
                Self.appendText(count, of: SeededGenerator.mix(seed, number), to: &tokens, vocabularySize)
            }
        }
        Self.appendText(promptLength - tokens.count, of: ownText(seed), to: &tokens, vocabularySize)
        return tokens
    }

    /// The same prompt run by run, for those who know the earlier answers: ``promptTokens(vocabularySize:seed:)`` with
    /// answers in their places.
    public func promptRuns(vocabularySize: Int, seed: UInt64) -> [PromptRun] {
        var runs: [PromptRun] = []
        var left: Int = promptLength
        for segment in segments where left > 0 {
            let count: Int = min(segment.tokens, left)
            left -= count
            switch segment.content {
            case .answer(let index): runs.append(.answer(index, tokens: count))
            case .text(let number):
                runs.append(.text(Self.text(count, of: SeededGenerator.mix(seed, number), vocabularySize)))
            }
        }
        if left > 0 { runs.append(.text(Self.text(left, of: ownText(seed), vocabularySize))) }
        return runs
    }

    /// The number of what no segment fills.
    private func ownText(_ seed: UInt64) -> UInt64 {
        SeededGenerator.mix(~seed, UInt64(bitPattern: Int64(index)))
    }

    private static func text(_ count: Int, of text: UInt64, _ vocabularySize: Int) -> [TokenID] {
        var tokens: [TokenID] = []
        tokens.reserveCapacity(count)
        appendText(count, of: text, to: &tokens, vocabularySize)
        return tokens
    }

    private static func appendText(_ count: Int, of text: UInt64, to tokens: inout [TokenID], _ vocabularySize: Int) {
        guard count > 0 else { return }
        let span: UInt64 = UInt64(max(1, vocabularySize - 1))
        for place in 0..<UInt64(count) {
            let word: UInt64 = SeededGenerator.finish(text &+ (place &+ 1) &* 0x9E37_79B9_7F4A_7C15)
            tokens.append(TokenID(1 + (((word >> 32) * span) >> 32)))
        }
    }
}
