// One request of a benchmark as its client saw it: what every report is made of.
import CServeCore
import CServeWorkload

/// Why a request brought no whole answer.
public enum BenchFailure: Hashable, Codable, Sendable {
    /// No connection: refused, unknown host, or none in time.
    case connection(String)
    /// The server answered with an HTTP status other than 2xx; the text begins its body.
    case status(Int, String)
    /// The server closed the connection before the answer's end.
    case closedEarly
    /// The answer is no event stream, or an event of it is no JSON.
    case malformed(String)
    /// The server sent an error in the stream, after it had begun with 200.
    case errorEvent(String)
    /// The answer did not end within the time that a request has.
    case timeout
    /// The benchmark ended before the answer did.
    case interrupted
    /// The answer that it continues never came.
    case answerBeforeMissing
}

/// What became of one request. Times count from the run's start.
public struct RequestMeasurement: Hashable, Codable, Sendable {
    /// The request's number in the workload.
    public var index: Int
    /// When the workload wanted it sent; in a closed loop the moment when its client was free.
    public var due: Nanoseconds
    /// When its last byte was handed to the connection; later than ``due`` by the generator's own lateness.
    public var sent: Nanoseconds
    /// What the connection took to open; 0 on one that was open already.
    public var connect: Nanoseconds = 0
    /// When the response's head arrived; nil: never.
    public var head: Nanoseconds?
    /// When the bytes of each event that carries text arrived, in order; the first is the first token.
    public var chunks: [Nanoseconds] = []
    /// When the answer was complete, or the failure known.
    public var end: Nanoseconds
    /// Tokens of the prompt: as the server counted them, else as they were sent.
    public var promptTokens: Int
    /// Tokens of the prompt that the server's prefix cache had, where it says so.
    public var cachedTokens: Int = 0
    /// Tokens of the answer: as the server counted them, else one an event.
    public var outputTokens: Int = 0
    /// How long the request waited in the server, where it says so.
    public var queueTime: Nanoseconds?
    /// Why the server ended the answer.
    public var finishReason: String?
    /// Why there is no whole answer; nil if there is.
    public var failure: BenchFailure?

    /// Begins a measurement: sent when it was due, ended as it began, until more is known.
    public init(index: Int, due: Nanoseconds, promptTokens: Int) {
        self.index = index
        self.due = due
        sent = due
        end = due
        self.promptTokens = promptTokens
    }

    /// Time to first token, from the moment it was sent; nil: none came.
    public var ttft: Nanoseconds? { chunks.first.map { $0 - sent } }
    /// End-to-end latency: from sending to the last token.
    public var e2e: Nanoseconds { (chunks.last ?? end) - sent }
    /// Time per output token: `(e2e - ttft) / (tokens - 1)`, whole nanoseconds; nil for answers of one token.
    public var tpot: Nanoseconds? {
        guard let ttft, outputTokens > 1 else { return nil }
        return (e2e - ttft) / Nanoseconds(outputTokens - 1)
    }
    /// How late the generator sent it.
    public var lateness: Nanoseconds { sent - due }

    /// JSON names carry the units.
    public enum CodingKeys: String, CodingKey {
        case index
        case due = "due_ns"
        case sent = "sent_ns"
        case connect = "connect_ns"
        case head = "head_ns"
        case chunks = "chunks_ns"
        case end = "end_ns"
        case promptTokens = "prompt_tokens"
        case cachedTokens = "cached_tokens"
        case outputTokens = "output_tokens"
        case queueTime = "queue_time_ns"
        case finishReason = "finish_reason"
        case failure
    }
}

/// A whole run: what was asked of which server, and every request's measurement.
public struct BenchRun: Hashable, Codable, Sendable {
    /// Where the server answered; `simulated` for a simulation.
    public var target: String
    /// The model's name as the server knows it.
    public var model: String
    /// The workload, whole, as JSON text: what repeats the run.
    public var workload: String
    /// SHA-256 of the workload.
    public var workloadDigest: String
    /// When it began: seconds since 1970.
    public var began: Double
    /// From the first request's due time to the last answer's end.
    public var duration: Nanoseconds
    /// Requests in the order of their numbers.
    public var requests: [RequestMeasurement]

    /// Describes a run.
    public init(
        target: String, model: String, workload: String, workloadDigest: String, began: Double, duration: Nanoseconds,
        requests: [RequestMeasurement]
    ) {
        self.target = target
        self.model = model
        self.workload = workload
        self.workloadDigest = workloadDigest
        self.began = began
        self.duration = duration
        self.requests = requests
    }

    /// JSON names carry the units.
    public enum CodingKeys: String, CodingKey {
        case target
        case model
        case workload
        case workloadDigest = "workload_digest"
        case began
        case duration = "duration_ns"
        case requests
    }
}
