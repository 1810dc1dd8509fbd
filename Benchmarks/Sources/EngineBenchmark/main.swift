// What the engine's loop, scheduler and streams can carry without a model: tokens per second to many readers.
// EngineBenchmark [ROUNDS]
import CServeCore
import CServeEngine
import Foundation

/// Streams so many answers at once and returns tokens per second.
func measure(_ streams: Int, tokens: Int) async throws -> Double {
    var recipe = Recipe()
    recipe.maxModelLen = tokens + 16
    recipe.maxNumSeqs = streams
    recipe.maxNumBatchedTokens = 8192
    let engine = try Engine.null(recipe: recipe)
    let start = ContinuousClock.now
    let count: Int = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<streams {
            var request = Request(id: engine.nextRequestID(), promptTokens: [1, 2, 3])
            request.sampling.maxTokens = tokens
            let stream = try engine.submit(request)
            group.addTask {
                var count = 0
                for await events in stream {
                    for case .tokens(_, let tokens) in events { count += tokens.count }
                }
                return count
            }
        }
        return try await group.reduce(0, +)
    }
    precondition(count == streams * tokens)
    return Double(count) / ((ContinuousClock.now - start) / .seconds(1))
}

let rounds: Int = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 5
for streams in [1, 32, 256] {
    var results: [Double] = []
    for _ in 0..<rounds { results.append(try await measure(streams, tokens: 4000)) }
    results.sort()
    let shown: [Int] = [results[results.count / 2], results[0], results[results.count - 1]].map { Int($0) }
    print("\(streams) streams: \(shown[0]) tokens/s (median of \(rounds); \(shown[1]) to \(shown[2]))")
}
