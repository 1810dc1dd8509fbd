// Who may wait: what a request is checked against before it is queued.
import CServeCore

/// What a request is checked against before it is queued. A pure value: the server's threads may hold a copy.
public struct AdmissionPolicy: Hashable, Codable, Sendable {
    /// Tokens that the whole cache holds.
    public var capacity: Int
    /// The largest prompt plus answer.
    public var maxModelLength: Int
    /// Branches that may run at once.
    public var maxNumSeqs: Int
    /// Requests that may wait.
    public var maxQueuedRequests: Int
    /// Prompt tokens that may wait.
    public var maxQueuedTokens: Int

    /// The limits of a scheduler.
    public init(_ configuration: SchedulerConfiguration) {
        capacity = configuration.capacity
        maxModelLength = configuration.maxModelLength
        maxNumSeqs = configuration.maxNumSeqs
        maxQueuedRequests = configuration.maxQueuedRequests
        maxQueuedTokens = configuration.maxQueuedTokens
    }

    /// Why a request is not taken now, or nil.
    ///
    /// A request at the head of an empty queue is never refused for the queue's size.
    public func refusal(of request: Request, queue: QueueLoad) -> SubmitRefusal? {
        if let error = impossibility(of: request) { return .invalid(error) }
        guard queue.requests > 0 else { return nil }
        if queue.requests >= maxQueuedRequests {
            return .overloaded(
                message: "\(queue.requests) requests are waiting, and \(maxQueuedRequests) may "
                    + "(--max-num-queued-reqs). Try again in \(queue.drainSeconds) s.",
                retryAfterSeconds: queue.drainSeconds)
        }
        if queue.tokens + request.promptTokens.count > maxQueuedTokens {
            return .overloaded(
                message: "\(queue.tokens) prompt tokens are waiting; with this request's \(request.promptTokens.count) "
                    + "they would exceed \(maxQueuedTokens) (--max-num-queued-tokens). "
                    + "Try again in \(queue.drainSeconds) s.",
                retryAfterSeconds: queue.drainSeconds)
        }
        return nil
    }

    /// Why a request could never run here, or nil.
    public func impossibility(of request: Request) -> RequestError? {
        let prompt: Int = request.promptTokens.count
        let sampling = request.sampling
        guard prompt > 0 else { return .emptyPrompt }
        if sampling.branches < 1 || sampling.branches > maxNumSeqs {
            return .outOfRange(
                parameter: sampling.bestOf == nil ? "n" : "best_of", value: "\(sampling.branches)",
                range: "from 1 to \(maxNumSeqs)")
        }
        let least: Int = min(1, sampling.maxTokens)
        if prompt + least > maxModelLength {
            return .contextExceeded(prompt: prompt, maxTokens: sampling.maxTokens, maxModelLength: maxModelLength)
        }
        return prompt > capacity ? .promptExceedsCache(prompt: prompt, capacity: capacity) : nil
    }
}

/// How full a queue is.
public struct QueueLoad: Hashable, Codable, Sendable {
    /// Requests that wait.
    public var requests: Int
    /// Their prompt tokens.
    public var tokens: Int
    /// Seconds until the queue is about empty, at least 1.
    public var drainSeconds: Int

    /// Creates the load from its figures.
    public init(requests: Int, tokens: Int, drainSeconds: Int) {
        self.requests = requests
        self.tokens = tokens
        self.drainSeconds = drainSeconds
    }
}
