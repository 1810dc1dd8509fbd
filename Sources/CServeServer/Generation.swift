// From token ids to an answer: hands prompts to the engine, follows their events, and writes whole or streamed answers.

import CServeCore
import NIOCore

/// One HTTP request's generation, ready to be handed to the engine.
struct Generation: Sendable {
    let exchange: Exchange
    let model: ServedModel
    let head: AnswerHead
    let prompts: [[TokenID]]

    /// A prompt in the engine.
    struct Submission: Sendable {
        var id: RequestID
        var maxTokens: Int
        var stream: RequestStream
    }

    /// Submits every prompt and answers in the given format.
    func reply(_ format: some AnswerFormat) async throws -> Reply {
        let submissions: [Submission] = try submit()
        let watcher: Int = watch(submissions)
        exchange.logContent("prompt", prompts.map { model.codec.decode($0, skipSpecialTokens: false) })
        return head.options.stream
            ? stream(submissions, watcher, format) : try await whole(submissions, watcher, format)
    }

    /// Cancels everything when the client goes, from now on: Hummingbird may never ask for the body of its answer.
    private func watch(_ submissions: [Submission]) -> Int {
        let (engine, metrics): (any ServingEngine, Metrics) = (model.engine, exchange.state.metrics)
        let ids: [RequestID] = submissions.map(\.id)
        return exchange.connection.onClose {
            metrics.disconnected()
            for id in ids { engine.cancel(id, branch: nil, reason: .abort) }
        }
    }

    /// Hands all prompts to the engine, or none.
    private func submit() throws(APIError) -> [Submission] {
        var submissions: [Submission] = []
        for (number, tokens) in prompts.enumerated() {
            do {
                let request: CServeCore.Request = try request(tokens, number: number)
                let stream: RequestStream = try model.engine.submit(request)
                submissions.append(
                    Submission(id: request.id, maxTokens: request.sampling.maxTokens, stream: stream))
            } catch {
                for submission in submissions { model.engine.cancel(submission.id, branch: nil, reason: .abort) }
                throw (error as? SubmitRefusal).map { APIError($0) } ?? (error as? APIError)
                    ?? .engineFailed(message: "\(error)")
            }
        }
        return submissions
    }

    private func request(_ tokens: [TokenID], number: Int) throws(APIError) -> CServeCore.Request {
        var sampling: SamplingParameters = head.options.sampling
        if number > 0, let seed = sampling.seed { sampling.seed = seed &+ UInt64(number) }
        sampling.maxTokens = try Generation.length(of: tokens, head.options, model)
        do {
            try sampling.validate(vocabularySize: model.engine.vocabularySize, maxBranches: model.engine.maxBranches)
        } catch {
            throw .request(error)
        }
        return CServeCore.Request(
            id: model.engine.nextRequestID(), promptTokens: tokens, sampling: sampling,
            priority: head.options.priority, cacheSalt: head.options.cacheSalt)
    }

    /// The answer's length: as asked for, or what the context leaves.
    static func length(of tokens: [TokenID], _ options: GenerationOptions, _ model: ServedModel) throws(APIError) -> Int
    {
        let context: Int = model.engine.maxModelLength
        guard !tokens.isEmpty else { throw .request(.emptyPrompt) }
        if let asked = options.maxTokens {
            let (total, overflows) = tokens.count.addingReportingOverflow(asked)
            guard !overflows, total <= context else {
                let shown: Int = min(asked, Int.max - tokens.count)
                throw .request(.contextExceeded(prompt: tokens.count, maxTokens: shown, maxModelLength: context))
            }
            return asked
        }
        guard tokens.count < context else {
            throw .request(.contextExceeded(prompt: tokens.count, maxTokens: 1, maxModelLength: context))
        }
        return min(context - tokens.count, options.defaultLength ?? model.defaults.maxNewTokens ?? Int.max)
    }

    private func whole(
        _ submissions: [Submission], _ watcher: Int, _ format: some AnswerFormat
    ) async throws -> Reply {
        var run: AnswerRun = AnswerRun(self, submissions, watcher: watcher)
        defer { run.close() }
        while let (prompt, events) = await run.next() { run.gather(events, prompt: prompt) }
        if let failure = run.collector.failure { throw APIError.engineFailed(message: failure) }
        guard run.collector.ended else { throw exchange.state.isDraining ? APIError.draining : Generation.cutOff }
        var json: JSONBytes = JSONBytes(capacity: 4096)
        let answer: WholeAnswer = run.answer()
        format.whole(answer, to: &json)
        exchange.logContent("answer", answer.choices.map(\.text))
        return Reply(json)
    }

    static let cutOff: APIError = .engineFailed(message: "the request was cancelled before its answer was complete.")

    private func stream<Format: AnswerFormat>(
        _ submissions: [Submission], _ watcher: Int, _ format: Format
    ) -> Reply {
        Reply(stream: Format.streamType) { writer in
            defer { exchange.answered(status: 200) }
            var run: AnswerRun = AnswerRun(self, submissions, watcher: watcher)
            defer { run.close() }
            while let (prompt, events) = await run.next() {
                let bytes: ByteBuffer = run.advance(events, prompt: prompt, format)
                if bytes.readableBytes > 0 { try await writer.write(bytes) }
            }
            try await writer.write(run.ending(format))
            try await writer.finish(nil)
        }
    }
}
