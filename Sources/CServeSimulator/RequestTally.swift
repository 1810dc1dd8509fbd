// Adds up requests that have ended.
import CServeCore

/// Latencies and counts of ended requests.
struct RequestTally {
    private let objective: ServiceLevelObjective
    private let keepsRecords: Bool
    private(set) var ttft: [Nanoseconds] = []
    private(set) var tpot: [Nanoseconds] = []
    private(set) var e2e: [Nanoseconds] = []
    private(set) var queue: [Nanoseconds] = []
    private(set) var records: [RequestRecord] = []
    private(set) var failures: [RequestFailure: Int] = [:]
    private(set) var promptTokens: Int = 0
    private(set) var outputTokens: Int = 0
    /// Requests that met the objective.
    private(set) var good: Int = 0
    private(set) var firstSent: Nanoseconds = .max
    private(set) var lastSent: Nanoseconds = 0
    private(set) var lastEnd: Nanoseconds = 0

    init(_ options: SimulationOptions) {
        objective = options.objective
        keepsRecords = options.keepsRecords
    }

    var completed: Int { e2e.count }
    var failed: Int { failures.values.reduce(0, +) }

    /// Notes that a request was sent.
    mutating func sent(at time: Nanoseconds) {
        firstSent = min(firstSent, time)
        lastSent = max(lastSent, time)
    }

    /// Counts a request that has ended.
    mutating func count(_ record: RequestRecord) {
        if keepsRecords { records.append(record) }
        if let failure = record.failure {
            failures[failure, default: 0] += 1
            return
        }
        lastEnd = max(lastEnd, record.end)
        promptTokens += record.promptTokens
        outputTokens += record.outputTokens
        ttft.append(record.ttft)
        e2e.append(record.e2e)
        queue.append(record.queueTime)
        let tpot: Nanoseconds? = record.tpot
        if let tpot { self.tpot.append(tpot) }
        if objective.isMet(ttft: record.ttft, tpot: tpot, e2e: record.e2e) { good += 1 }
    }
}
