// A request inside the engine: its stream, its branches' memory, and the news of the current step.

import CServeCore

/// One request between submission and its last event.
///
/// Ownership: made by the submitting task, then touched by the engine loop's thread only.
final class LiveRequest: @unchecked Sendable {
    /// What was asked for.
    let request: Request
    /// Its branches.
    let branches: [LiveBranch]
    /// When what happened.
    var timings: RequestTimings
    /// The prompt's tokens scored so far, from the first on; empty unless asked for.
    private(set) var promptScores: [ScoredToken] = []
    /// Branches that have not ended.
    private(set) var openBranches: Int

    private let stream: AsyncStream<[RequestEvent]>.Continuation
    private var news: [RequestEvent] = []

    /// Takes a request in.
    init(
        _ request: Request, arrival: Nanoseconds, configuration: EngineConfiguration,
        stream: AsyncStream<[RequestEvent]>.Continuation
    ) {
        self.request = request
        self.stream = stream
        timings = RequestTimings(arrival: arrival)
        openBranches = request.sampling.branches
        branches = (0..<request.sampling.branches).map { branch in
            LiveBranch(request, branch: branch, configuration: configuration)
        }
        if request.sampling.promptLogprobs != nil, let first = request.promptTokens.first {
            promptScores = [ScoredToken(token: first)]
        }
    }

    /// Notes an event for the step's batch; returns whether it is the batch's first.
    func note(_ event: RequestEvent) -> Bool {
        if case .finished = event { openBranches -= 1 }
        if case .failed = event { openBranches = 0 }
        news.append(event)
        return news.count == 1
    }

    /// Sends the step's events; ends the stream after the last branch's end.
    func publish() {
        if openBranches == 0 { news.append(.timed(timings)) }
        stream.yield(news)
        news.removeAll(keepingCapacity: true)
        if openBranches == 0 { stream.finish() }
    }

    /// Takes the score of the prompt token at an index, unless it has come before (a preempted prompt comes again).
    func take(promptScore: ScoredToken, at index: Int) {
        if index == promptScores.count { promptScores.append(promptScore) }
    }

    /// The whole prompt's scores, once: when the last has come.
    func takePromptScores() -> [ScoredToken]? {
        guard !promptScores.isEmpty, promptScores.count == request.promptTokens.count, !promptScoresSent else {
            return nil
        }
        promptScoresSent = true
        return promptScores
    }

    private var promptScoresSent = false
}

/// One branch of a request inside the engine.
final class LiveBranch {
    /// The request.
    let request: Request
    /// Sampling's memory of it.
    let sampling: BranchState
    /// Whether tokens are scored although the client asked for no log-probabilities: `best_of` ranks by them.
    let ranked: Bool
    /// Tokens of the current step with their scores.
    var fresh: [ScoredToken] = []

    /// Starts a branch.
    init(_ request: Request, branch: Int, configuration: EngineConfiguration) {
        self.request = request
        ranked = request.sampling.branches > request.sampling.n
        sampling = BranchState(
            request: request, branch: branch, endTokens: configuration.endTokens, engineSeed: configuration.seed,
            mask: configuration.logitMask?(request, branch))
    }
}
