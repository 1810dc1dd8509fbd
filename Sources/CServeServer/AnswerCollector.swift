// Turns the events of a request's prompts into pieces of its answers: a state machine without sockets or clocks.

import CServeCore

/// Token counts of a request, as OpenAI reports them.
struct Usage: Hashable, Sendable {
    var promptTokens: Int = 0
    var cachedTokens: Int = 0
    var completionTokens: Int = 0
}

extension Usage {
    /// The counts before a prompt's first answer.
    init(opening prompt: AnswerCollector.PromptState) {
        self.init(promptTokens: prompt.tokens.count, cachedTokens: prompt.cachedTokens)
    }
}

/// The state of all answers of one HTTP request.
struct AnswerCollector: Sendable {
    /// One prompt and its branches.
    struct PromptState: Sendable {
        var tokens: [TokenID]
        var cachedTokens: Int = 0
        var scores: [ScoredToken] = []
        var branches: [AnswerText]
        var timings: RequestTimings?

        var ended: Bool { branches.allSatisfy(\.ended) }
    }

    private(set) var prompts: [PromptState]
    /// What the engine said when it failed a prompt.
    private(set) var failure: String?
    /// Branches that a stop string ended and that the engine is still to be told of.
    private var stopped: [(prompt: Int, branch: Int)] = []
    let branchesPerPrompt: Int

    init(prompts: [[TokenID]], options: GenerationOptions, codec: any TextCodec) {
        let branches: Int = options.sampling.branches
        branchesPerPrompt = branches
        self.prompts = prompts.enumerated().map { number, tokens in
            PromptState(
                tokens: tokens,
                branches: (0..<branches).map {
                    AnswerText(choice: number * branches + $0, prompt: tokens, options: options, codec: codec)
                })
        }
    }

    /// Whether every answer has ended.
    var ended: Bool { failure != nil || prompts.allSatisfy(\.ended) }

    /// The counts so far.
    var usage: Usage {
        prompts.reduce(into: Usage()) { usage, prompt in
            usage.promptTokens += prompt.tokens.count
            usage.cachedTokens += prompt.cachedTokens
            usage.completionTokens += prompt.branches.reduce(0) { $0 + $1.tokenCount }
        }
    }

    /// Takes one step's events of one prompt and returns what may be sent, in order of arrival.
    mutating func take(_ events: [RequestEvent], prompt: Int) -> [AnswerPiece] {
        var pieces: [AnswerPiece] = []
        var index: Int = 0
        while index < events.count {
            switch events[index] {
            case .started(let cached): prompts[prompt].cachedTokens = cached
            case .promptScored(let scores): prompts[prompt].scores.append(contentsOf: scores)
            case .tokens(let branch, let tokens):
                let end = AnswerCollector.end(of: branch, in: events[(index + 1)...])
                pieces.append(advance(prompt, branch, tokens, end))
            case .finished(let branch, let reason, let stopToken):
                pieces.append(advance(prompt, branch, [], (reason, stopToken)))
            case .failed(let message): failure = message
            case .timed(let timings): prompts[prompt].timings = timings
            }
            index += 1
        }
        return pieces.filter { !$0.isEmpty }
    }

    /// Branches to be cancelled in the engine because their text has ended; each is returned once.
    mutating func takeStopped() -> [(prompt: Int, branch: Int)] {
        defer { stopped = [] }
        return stopped
    }

    private mutating func advance(
        _ prompt: Int, _ branch: Int, _ tokens: [ScoredToken], _ end: (reason: FinishReason, stopToken: TokenID?)?
    ) -> AnswerPiece {
        guard prompts[prompt].branches.indices.contains(branch) else { return AnswerPiece(choice: branch) }
        let piece: AnswerPiece = prompts[prompt].branches[branch].take(tokens, end: end)
        if piece.end?.stopString != nil, end == nil { stopped.append((prompt, branch)) }
        return piece
    }

    /// The end of a branch, if it comes in the same step and no more tokens of the branch come before it.
    private static func end(
        of branch: Int, in events: ArraySlice<RequestEvent>
    ) -> (reason: FinishReason, stopToken: TokenID?)? {
        for event in events {
            switch event {
            case .tokens(branch, _): return nil
            case .finished(branch, let reason, let stopToken): return (reason, stopToken)
            default: continue
            }
        }
        return nil
    }
}
