// An engine without a model: it says what a script tells it to, and remembers what it was asked.

import CServeCore
import Synchronization

@testable import CServeServer

/// Plays scripted events. A script whose branches do not all finish leaves the request open until it is cancelled.
final class FakeEngine: ServingEngine {
    typealias Script = @Sendable (Request) throws(SubmitRefusal) -> [[RequestEvent]]

    struct Cancel: Hashable, Sendable {
        var id: RequestID
        var branch: Int?
        var reason: FinishReason
    }

    private struct Live: Sendable {
        var continuation: AsyncStream<[RequestEvent]>.Continuation
        var open: Set<Int>
    }

    private struct State: Sendable {
        var nextID: UInt64 = 0
        var live: [RequestID: Live] = [:]
        var submitted: [Request] = []
        var cancels: [Cancel] = []
        var draining: Bool = false
        var stalledFor: Nanoseconds?
        var speculation: SpeculationCounters?
    }

    let maxModelLength: Int
    let vocabularySize: Int = ByteCodec.vocabulary
    let maxBranches: Int = 16
    private let script: Script
    private let state: Mutex<State> = Mutex(State())

    init(maxModelLength: Int = 1000, _ script: @escaping Script) {
        self.maxModelLength = maxModelLength
        self.script = script
    }

    var submitted: [Request] { state.withLock { $0.submitted } }
    var cancels: [Cancel] { state.withLock { $0.cancels } }
    var live: Int { state.withLock { $0.live.count } }

    func stall(for time: Nanoseconds?) { state.withLock { $0.stalledFor = time } }

    func set(speculation counters: SpeculationCounters) { state.withLock { $0.speculation = counters } }

    func nextRequestID() -> RequestID {
        state.withLock { state in
            state.nextID += 1
            return RequestID(state.nextID)
        }
    }

    func submit(_ request: Request) throws(SubmitRefusal) -> RequestStream {
        let batches: [[RequestEvent]] = try script(request)
        let (stream, continuation) = AsyncStream<[RequestEvent]>.makeStream()
        var open: Set<Int> = Set(0..<request.sampling.branches)
        for batch in batches {
            for event in batch {
                if case .finished(let branch, _, _) = event { open.remove(branch) }
                if case .failed = event { open = [] }
            }
            continuation.yield(batch)
        }
        let remaining: Set<Int> = open
        state.withLock { state in
            state.submitted.append(request)
            if !remaining.isEmpty { state.live[request.id] = Live(continuation: continuation, open: remaining) }
        }
        if remaining.isEmpty { continuation.finish() }
        return RequestStream(stream)
    }

    /// Sends further events of an open request.
    func send(_ events: [RequestEvent], to id: RequestID) {
        state.withLock { $0.live[id]?.continuation }?.yield(events)
    }

    func cancel(_ id: RequestID, branch: Int?, reason: FinishReason) {
        let ended: (AsyncStream<[RequestEvent]>.Continuation, Set<Int>)? = state.withLock { state in
            state.cancels.append(Cancel(id: id, branch: branch, reason: reason))
            guard var live = state.live[id] else { return nil }
            let ending: Set<Int> = branch.map { [$0] } ?? live.open
            live.open.subtract(ending)
            state.live[id] = live.open.isEmpty ? nil : live
            return live.open.isEmpty ? (live.continuation, ending) : nil
        }
        guard let (continuation, branches) = ended else { return }
        continuation.yield(branches.sorted().map { .finished(branch: $0, reason: reason, stopToken: nil) })
        continuation.finish()
    }

    func snapshot() -> EngineSnapshot {
        state.withLock { state in
            var snapshot: EngineSnapshot = EngineSnapshot()
            snapshot.running = state.live.count
            snapshot.totalBlocks = 100
            snapshot.freeBlocks = 100 - state.live.count
            snapshot.blockSize = 16
            snapshot.stalledFor = state.stalledFor
            snapshot.speculation = state.speculation
            snapshot.draining = state.draining
            return snapshot
        }
    }

    func drain() async {
        state.withLock { $0.draining = true }
        while live > 0 { try? await Task.sleep(for: .milliseconds(5)) }
    }
}

/// Scripts for the fake engine.
enum Scripts {
    /// Every branch says the text, one byte a step, and ends by itself.
    static func say(_ text: String) -> FakeEngine.Script {
        { request throws(SubmitRefusal) in
            var batches: [[RequestEvent]] = [[.started(cachedTokens: 0)]]
            let tokens: [TokenID] = Array(text.utf8).map { TokenID($0) }
            let limit: Int = request.sampling.maxTokens
            for (index, token) in tokens.prefix(limit).enumerated() {
                batches.append(
                    (0..<request.sampling.branches).map { branch in
                        .tokens(branch: branch, [scored(token, request, position: index)])
                    })
            }
            batches.append((0..<request.sampling.branches).flatMap { ending(branch: $0, tokens.count < limit) })
            return batches
        }
    }

    private static func ending(branch: Int, _ natural: Bool) -> [RequestEvent] {
        guard natural else { return [.finished(branch: branch, reason: .length, stopToken: nil)] }
        let eos: TokenID = ByteCodec.end
        return [
            .tokens(branch: branch, [ScoredToken(token: eos)]),
            .finished(branch: branch, reason: .stop, stopToken: eos),
        ]
    }

    /// A token with made-up scores: -0.5 for itself, and as many neighbours as were asked for.
    static func scored(_ token: TokenID, _ request: Request, position: Int) -> ScoredToken {
        guard let count = request.sampling.logprobs else { return ScoredToken(token: token) }
        let own: TokenLogprob = TokenLogprob(token: token, logprob: -0.5, rank: 1)
        let others: [TokenLogprob] = (0..<count).map {
            TokenLogprob(token: (token + TokenID($0)) % 256, logprob: -0.5 - Float($0), rank: $0 + 1)
        }
        return ScoredToken(token: token, logprob: own, top: others)
    }

    /// Nothing happens: the request waits.
    static let hold: FakeEngine.Script = { _ throws(SubmitRefusal) in [] }

    /// The request runs and has said a few bytes, then waits for more.
    static func begin(_ text: String) -> FakeEngine.Script {
        { request throws(SubmitRefusal) in
            [
                [.started(cachedTokens: 2)],
                (0..<request.sampling.branches).map { branch in
                    .tokens(branch: branch, text.utf8.map { scored(TokenID($0), request, position: 0) })
                },
            ]
        }
    }
}
