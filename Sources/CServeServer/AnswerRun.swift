// Follows a generation's events until the last one, with what each costs in time, and ends it when the client goes.

import CServeCore
import NIOCore
import Synchronization

/// The running side of one generation; used by one task. `close()` must be called: it cancels what still runs.
struct AnswerRun {
    private(set) var collector: AnswerCollector
    private let generation: Generation
    private let submissions: [Generation.Submission]
    private var source: Source
    private let watcher: Int
    private var opened: Set<Int> = []
    private var gathered: [Int: AnswerPiece] = [:]
    private var firstToken: Nanoseconds?
    private var lastTokens: [Int: Nanoseconds] = [:]

    /// Where events come from: one stream, or several merged.
    private enum Source {
        case one(AsyncStream<[RequestEvent]>.AsyncIterator)
        case many(AsyncStream<(Int, [RequestEvent])>.AsyncIterator)
    }

    /// `watcher` is the connection's watcher that cancels the submissions when the client goes.
    init(_ generation: Generation, _ submissions: [Generation.Submission], watcher: Int) {
        self.generation = generation
        self.submissions = submissions
        self.watcher = watcher
        collector = AnswerCollector(
            prompts: generation.prompts, options: generation.head.options, codec: generation.model.codec)
        if submissions.count == 1 {
            source = .one(submissions[0].stream.makeAsyncIterator())
        } else {
            source = .many(AnswerRun.merge(submissions).makeAsyncIterator())
        }
    }

    private static func merge(_ submissions: [Generation.Submission]) -> AsyncStream<(Int, [RequestEvent])> {
        let (stream, continuation) = AsyncStream<(Int, [RequestEvent])>.makeStream()
        let open: SharedCount = SharedCount(submissions.count)
        let tasks: [Task<Void, Never>] = submissions.enumerated().map { number, submission in
            Task {
                for await events in submission.stream { continuation.yield((number, events)) }
                if open.decrement() == 0 { continuation.finish() }
            }
        }
        continuation.onTermination = { _ in for task in tasks { task.cancel() } }
        return stream
    }

    /// The next events and the prompt that they belong to; nil after the last.
    mutating func next() async -> (Int, [RequestEvent])? {
        switch source {
        case .one(var iterator):
            let events: [RequestEvent]? = await iterator.next()
            source = .one(iterator)
            return events.map { (0, $0) }
        case .many(var iterator):
            let events: (Int, [RequestEvent])? = await iterator.next()
            source = .many(iterator)
            return events
        }
    }

    /// Keeps what the events add to whole answers.
    mutating func gather(_ events: [RequestEvent], prompt: Int) {
        for piece in take(events, prompt: prompt) {
            gathered[piece.choice, default: AnswerPiece(choice: piece.choice)].text += piece.text
            gathered[piece.choice]?.tokens += piece.tokens
        }
    }

    /// Writes what the events add to a stream.
    mutating func advance(_ events: [RequestEvent], prompt: Int, _ format: some AnswerFormat) -> ByteBuffer {
        var json: JSONBytes = JSONBytes(capacity: 512)
        for piece in take(events, prompt: prompt) {
            if opened.insert(piece.choice).inserted {
                format.open(choice: piece.choice, prompt: collector.prompts[prompt], index: prompt, to: &json)
            }
            let usage: Usage? = generation.head.options.continuousUsage ? collector.usage : nil
            format.write(piece, usage: usage, to: &json)
        }
        return json.buffer
    }

    /// Writes the end of a stream: an error or the usage, then the terminator.
    func ending(_ format: some AnswerFormat) -> ByteBuffer {
        var json: JSONBytes = JSONBytes()
        if let failure = collector.failure {
            format.write(.engineFailed(message: failure), to: &json)
        } else if !collector.ended {
            format.write(Generation.cutOff, to: &json)
        } else if generation.head.options.includeUsage {
            format.write(collector.usage, to: &json)
        }
        format.close(to: &json)
        return json.buffer
    }

    private mutating func take(_ events: [RequestEvent], prompt: Int) -> [AnswerPiece] {
        time(events, prompt: prompt)
        let pieces: [AnswerPiece] = collector.take(events, prompt: prompt)
        for (prompt, branch) in collector.takeStopped() {
            generation.model.engine.cancel(submissions[prompt].id, branch: branch, reason: .stop)
        }
        return pieces
    }

    /// Measures the distance between tokens of each branch.
    private mutating func time(_ events: [RequestEvent], prompt: Int) {
        var now: Nanoseconds?
        let metrics: Metrics = generation.exchange.state.metrics
        for case .tokens(let branch, let tokens) in events {
            let moment: Nanoseconds = now ?? Clock.now()
            now = moment
            if firstToken == nil {
                firstToken = moment
                metrics.firstToken(after: (moment - generation.exchange.arrival).seconds)
            }
            let key: Int = prompt * collector.branchesPerPrompt + branch
            if let last = lastTokens[key] { metrics.nextTokens(tokens.count, after: (moment - last).seconds) }
            lastTokens[key] = moment
        }
    }

    /// Stops what still runs and counts the request.
    func close() {
        generation.exchange.connection.forget(watcher)
        if let failure = collector.failure {
            generation.exchange.state.logger.error(
                "The engine failed a request.",
                metadata: ["request_id": "\(generation.exchange.id)", "error": "\(failure)"])
        }
        let ended: Bool = collector.ended && collector.failure == nil
        if !ended {
            for submission in submissions { generation.model.engine.cancel(submission.id, branch: nil, reason: .abort) }
        }
        let branches: [AnswerText] = collector.prompts.flatMap(\.branches)
        let reason: FinishReason = collector.failure == nil ? .abort : .error
        generation.exchange.state.metrics.finished(
            Metrics.Outcome(
                prompts: collector.prompts, usage: collector.usage,
                ends: branches.map { $0.end?.reason ?? reason }, answersWanted: generation.head.options.sampling.n,
                maxTokens: submissions.map(\.maxTokens),
                arrival: generation.exchange.arrival, firstToken: firstToken,
                lastToken: lastTokens.values.max() ?? Clock.now(), longestAnswer: branches.map(\.tokenCount).max() ?? 0)
        )
    }
}

extension AnswerRun {
    /// The whole answers; with `best_of`, only the likeliest `n` of each prompt.
    func answer() -> WholeAnswer {
        var choices: [WholeAnswer.Choice] = []
        let wanted: Int = generation.head.options.sampling.n
        for (number, prompt) in collector.prompts.enumerated() {
            for (rank, branch) in AnswerRun.best(wanted, of: prompt.branches).enumerated() {
                let own: AnswerPiece? = gathered[branch.choice]
                choices.append(
                    WholeAnswer.Choice(
                        prompt: number, index: number * wanted + rank, text: own?.text ?? "", tokens: own?.tokens ?? [],
                        end: branch.end ?? AnswerEnd(reason: .abort, stopString: nil, stopToken: nil)))
            }
        }
        return WholeAnswer(choices: choices, prompts: collector.prompts, usage: collector.usage)
    }

    /// The branches with the highest mean log-probability, likeliest first; all of them in order if all are wanted.
    static func best(_ wanted: Int, of branches: [AnswerText]) -> [AnswerText] {
        guard branches.count > wanted else { return branches }
        let ranked: [AnswerText] = branches.sorted { left, right in
            let (a, b) = (left.meanLogprob, right.meanLogprob)
            return a == b ? left.choice < right.choice : a > b
        }
        return Array(ranked.prefix(wanted))
    }
}

/// A count that several tasks lower.
private final class SharedCount: Sendable {
    private let value: Mutex<Int>

    init(_ value: Int) { self.value = Mutex(value) }

    func decrement() -> Int {
        value.withLock { value in
            value -= 1
            return value
        }
    }
}
