// One branch's tokens become text here: whole characters only, nothing of a stop string, scores in step with the text.

import CServeCore

/// A token of an answer and where its text begins, in Unicode scalars from the answer's start.
struct AnswerToken: Hashable, Sendable {
    var scored: ScoredToken
    var textOffset: Int
}

/// Why and by what an answer ended.
struct AnswerEnd: Hashable, Sendable {
    var reason: FinishReason
    /// The stop string that was found.
    var stopString: String?
    /// The stop token, if it is not the model's own end.
    var stopToken: TokenID?
}

/// A stretch of one answer that may be sent.
struct AnswerPiece: Hashable, Sendable {
    /// Which answer of the request.
    var choice: Int
    var text: String = ""
    var tokens: [AnswerToken] = []
    var end: AnswerEnd?

    /// Whether there is anything to send.
    var isEmpty: Bool { text.isEmpty && tokens.isEmpty && end == nil }
}

/// The text side of one branch.
struct AnswerText: Sendable {
    /// A token that waits for its text to be released.
    private struct Waiting: Sendable {
        var token: AnswerToken
        var byteStart: Int
    }

    let choice: Int
    private var detokenizer: any AnswerDetokenizer
    private var stops: StopScanner
    private let explicitStops: Set<TokenID>
    private let includeStop: Bool
    private var waiting: [Waiting] = []
    private var decodedBytes: Int = 0
    private var decodedScalars: Int = 0
    private var releasedBytes: Int = 0
    /// Tokens that the engine generated for this branch, the end token included.
    private(set) var tokenCount: Int = 0
    /// Sum of the tokens' log-probabilities.
    private(set) var logprobSum: Double = 0
    /// How the answer ended, once it has.
    private(set) var end: AnswerEnd?

    /// Whether the answer has ended.
    var ended: Bool { end != nil }
    /// Mean log-probability per token.
    var meanLogprob: Double { tokenCount > 0 ? logprobSum / Double(tokenCount) : -.infinity }

    init(choice: Int, prompt: [TokenID], options: GenerationOptions, codec: any TextCodec) {
        self.choice = choice
        detokenizer = codec.detokenizer(
            promptTail: Array(prompt.suffix(5)), skipSpecialTokens: options.skipSpecialTokens)
        stops = StopScanner(options.stops)
        explicitStops = Set(options.sampling.stopTokenIDs)
        includeStop = options.includeStop
    }

    /// Takes the tokens of one step and, if it came with them, the branch's end.
    mutating func take(_ tokens: [ScoredToken], end last: (reason: FinishReason, stopToken: TokenID?)?) -> AnswerPiece {
        var piece: AnswerPiece = AnswerPiece(choice: choice)
        guard !ended else { return piece }
        for (index, token) in tokens.enumerated() {
            tokenCount += 1
            logprobSum += Double(token.logprob?.logprob ?? 0)
            let isStop: Bool = index == tokens.count - 1 && last?.stopToken == token.token
            if isStop, !(includeStop && explicitStops.contains(token.token)) { continue }
            if append(token, to: &piece) { return piece }
        }
        if let last { finish(last, &piece) }
        return piece
    }

    /// Adds one token; true if a stop string ended the answer.
    private mutating func append(_ token: ScoredToken, to piece: inout AnswerPiece) -> Bool {
        waiting.append(
            Waiting(token: AnswerToken(scored: token, textOffset: decodedScalars), byteStart: decodedBytes))
        return release(detokenizer.append(token.token), to: &piece)
    }

    /// Passes decoded text through the stop strings.
    private mutating func release(_ text: String, to piece: inout AnswerPiece) -> Bool {
        guard !text.isEmpty else { return false }
        decodedBytes += text.utf8.count
        decodedScalars += text.unicodeScalars.count
        let outcome: StopScanner.Outcome = stops.append(text, includeStop: includeStop)
        piece.text += outcome.text
        releasedBytes += outcome.text.utf8.count
        releaseTokens(before: releasedBytes, to: &piece)
        guard let found = outcome.found else { return false }
        end = AnswerEnd(reason: .stop, stopString: found, stopToken: nil)
        piece.end = end
        return true
    }

    private mutating func releaseTokens(before limit: Int, to piece: inout AnswerPiece) {
        let count: Int = waiting.prefix { $0.byteStart < limit }.count
        piece.tokens.append(contentsOf: waiting.prefix(count).map(\.token))
        waiting.removeFirst(count)
    }

    private mutating func finish(_ last: (reason: FinishReason, stopToken: TokenID?), _ piece: inout AnswerPiece) {
        if release(detokenizer.finish(), to: &piece) { return }
        piece.text += stops.finish()
        piece.tokens.append(contentsOf: waiting.map(\.token))
        waiting = []
        let explicit: TokenID? = last.stopToken.flatMap { explicitStops.contains($0) ? $0 : nil }
        self.end = AnswerEnd(reason: last.reason, stopString: nil, stopToken: explicit)
        piece.end = self.end
    }
}
