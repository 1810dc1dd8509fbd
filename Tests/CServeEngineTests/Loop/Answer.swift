import CServeCore

@testable import CServeEngine

/// What a request's stream held, put together.
struct Answer: Equatable {
    var batches = 0
    var cachedTokens: Int?
    var prompt: [ScoredToken] = []
    var tokens: [[ScoredToken]]
    var reasons: [FinishReason?]
    var stopTokens: [TokenID?]
    var failure: String?
    var timings: RequestTimings?

    init(branches: Int = 1) {
        tokens = Array(repeating: [], count: branches)
        reasons = Array(repeating: nil, count: branches)
        stopTokens = Array(repeating: nil, count: branches)
    }

    /// The first branch's token ids.
    var ids: [TokenID] { tokens[0].map(\.token) }

    mutating func take(_ event: RequestEvent) {
        switch event {
        case .started(let cached): cachedTokens = cached
        case .promptScored(let scores): prompt += scores
        case .tokens(let branch, let scored): tokens[branch] += scored
        case .finished(let branch, let reason, let stopToken):
            reasons[branch] = reason
            stopTokens[branch] = stopToken
        case .failed(let message): failure = message
        case .timed(let value): timings = value
        }
    }
}

extension RequestStream {
    /// Reads the stream to its end.
    func answer(branches: Int = 1) async -> Answer {
        var answer = Answer(branches: branches)
        for await events in self {
            answer.batches += 1
            for event in events { answer.take(event) }
        }
        return answer
    }
}

extension Request {
    /// A request with some settings changed.
    static func test(
        _ id: UInt64, prompt: [TokenID] = [5, 6, 7], maxTokens: Int = 8,
        _ change: (inout SamplingParameters) -> Void = { _ in }
    ) -> Request {
        var sampling = SamplingParameters()
        sampling.maxTokens = maxTokens
        change(&sampling)
        return Request(id: RequestID(id), promptTokens: prompt, sampling: sampling)
    }
}

/// A small recipe for engines without a model.
func smallRecipe(_ change: (inout Recipe) -> Void = { _ in }) -> Recipe {
    var recipe = Recipe()
    recipe.maxModelLen = 256
    recipe.maxNumSeqs = 16
    recipe.maxNumBatchedTokens = 64
    change(&recipe)
    return recipe
}
