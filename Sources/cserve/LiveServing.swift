// Sends a workload's requests to an engine of this process at their times, and keeps when each was answered.

import CServeCore
import CServeEngine
import CServeWorkload
import Foundation

/// What became of one request of a live run.
struct LiveAnswer: Hashable, Sendable {
    var index: Int
    var promptTokens: Int
    var cachedTokens: Int = 0
    var outputTokens: Int = 0
    /// Moments on the engine's clock.
    var arrival: Nanoseconds = 0
    var firstToken: Nanoseconds = 0
    var lastToken: Nanoseconds = 0
    /// How late it was handed in.
    var lateness: Nanoseconds = 0
    var failed: Bool = false

    var ttft: Nanoseconds { firstToken - arrival }
    var e2e: Nanoseconds { lastToken - arrival }
    var tpot: Nanoseconds? { outputTokens > 1 ? (lastToken - firstToken) / Nanoseconds(outputTokens - 1) : nil }
}

/// An open loop: requests leave on time whatever the engine does; a turn waits for the answer before it.
struct LiveServing: Sendable {
    let engine: Engine
    let seed: UInt64
    private let board: AnswerBoard = AnswerBoard()

    init(_ engine: Engine, seed: UInt64) {
        self.engine = engine
        self.seed = seed
    }

    /// Serves all requests; answers in the order of the workload.
    func run(_ requests: [WorkloadRequest]) async -> [LiveAnswer] {
        let start: Nanoseconds = MonotonicClock.now() + 20 * .millisecond
        return await withTaskGroup(of: LiveAnswer.self) { group in
            for request in requests where request.after != nil {
                group.addTask { await turn(request) }
            }
            for request in requests where request.after == nil {
                let due: Nanoseconds = start + (request.arrival ?? 0)
                await sleep(until: due)
                group.addTask { await serve(request, due: due) }
            }
            var answers: [LiveAnswer] = []
            for await answer in group { answers.append(answer) }
            return answers.sorted { $0.index < $1.index }
        }
    }

    private func turn(_ request: WorkloadRequest) async -> LiveAnswer {
        let end: Nanoseconds = await board.end(of: request.after ?? 0)
        let due: Nanoseconds = end + request.thinkTime
        await sleep(until: due)
        return await serve(request, due: due)
    }

    private func sleep(until due: Nanoseconds) async {
        let left: Nanoseconds = due - MonotonicClock.now()
        if left > 0 { try? await Task.sleep(nanoseconds: UInt64(left), tolerance: 100_000) }
    }

    private func serve(_ request: WorkloadRequest, due: Nanoseconds) async -> LiveAnswer {
        var answer: LiveAnswer = LiveAnswer(index: request.index, promptTokens: request.promptLength)
        answer.lateness = MonotonicClock.now() - due
        var tokens: [TokenID] = []
        do {
            let stream: RequestStream = try engine.submit(await engineRequest(request))
            for await events in stream { note(events, &answer, &tokens) }
        } catch {
            answer.failed = true
        }
        await board.finish(request.index, tokens: tokens)
        return answer
    }

    private func note(_ events: [RequestEvent], _ answer: inout LiveAnswer, _ tokens: inout [TokenID]) {
        for event in events {
            switch event {
            case .started(let cached): answer.cachedTokens = cached
            case .tokens(_, let run):
                answer.outputTokens += run.count
                tokens += run.map(\.token)
            case .failed: answer.failed = true
            case .timed(let timings):
                answer.arrival = timings.arrival
                answer.firstToken = timings.firstToken ?? timings.arrival
                answer.lastToken = timings.lastToken ?? timings.arrival
            default: break
            }
        }
    }

    /// The simulator's very request, but that earlier answers are quoted as they were given.
    private func engineRequest(_ request: WorkloadRequest) async -> Request {
        var tokens: [TokenID] = request.promptTokens(vocabularySize: engine.vocabularySize, seed: seed)
        var place: Int = 0
        for segment in request.segments {
            if case .answer(let index) = segment.content {
                let told: [TokenID] = await board.tokens(of: index)
                for (offset, token) in told.prefix(segment.tokens).enumerated() where place + offset < tokens.count {
                    tokens[place + offset] = token
                }
            }
            place += segment.tokens
        }
        var made: Request = Request(id: engine.nextRequestID(), promptTokens: tokens)
        made.sampling.temperature = 0
        made.sampling.maxTokens = request.outputLength
        made.sampling.ignoreEOS = true
        return made
    }
}

/// Answers that later turns wait for.
private actor AnswerBoard {
    private var ends: [Int: Nanoseconds] = [:]
    private var answers: [Int: [TokenID]] = [:]
    private var waiting: [Int: [CheckedContinuation<Nanoseconds, Never>]] = [:]

    func finish(_ index: Int, tokens: [TokenID]) {
        let now: Nanoseconds = MonotonicClock.now()
        ends[index] = now
        answers[index] = tokens
        for waiter in waiting.removeValue(forKey: index) ?? [] { waiter.resume(returning: now) }
    }

    func end(of index: Int) async -> Nanoseconds {
        if let end = ends[index] { return end }
        return await withCheckedContinuation { waiting[index, default: []].append($0) }
    }

    func tokens(of index: Int) -> [TokenID] { answers[index] ?? [] }
}

extension Task where Success == Never, Failure == Never {
    /// Sleeps with a bound on how late it may wake.
    fileprivate static func sleep(nanoseconds: UInt64, tolerance: Int64) async throws {
        try await Task.sleep(for: .nanoseconds(Int64(nanoseconds)), tolerance: .nanoseconds(tolerance))
    }
}
