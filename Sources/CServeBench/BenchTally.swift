// Adds up measurements: the arrays from which latencies are summed, and the counts.
import CServeCore

/// Latencies and counts of the requests that count.
struct BenchTally {
    let objective: ServiceLevelObjective
    private(set) var offered: Int = 0
    private(set) var failures: [BenchFailure] = []
    private(set) var promptTokens: Int = 0
    private(set) var cachedTokens: Int = 0
    private(set) var outputTokens: Int = 0
    private(set) var chunks: Int = 0
    private(set) var ttft: [Nanoseconds] = []
    private(set) var tpot: [Nanoseconds] = []
    private(set) var e2e: [Nanoseconds] = []
    private(set) var queue: [Nanoseconds] = []
    private(set) var connect: [Nanoseconds] = []
    private(set) var lateness: [Nanoseconds] = []
    private(set) var gaps: GapCollector = GapCollector()
    /// Requests that kept every limit.
    private(set) var good: Int = 0
    /// Requests that could have.
    private(set) var judged: Int = 0
    /// Requests (gaps) within each target's limit.
    private(set) var kept: [Int]

    var completed: Int { e2e.count }

    init(_ objective: ServiceLevelObjective) {
        self.objective = objective
        kept = Array(repeating: 0, count: objective.targets.count)
    }

    /// Counts a request.
    mutating func count(_ request: RequestMeasurement) {
        offered += 1
        if request.failure?.isNoAnswer != true { judged += 1 }
        if request.failure?.isUnsent != true { lateness.append(request.lateness) }
        if request.connect > 0 { connect.append(request.connect) }
        if let failure = request.failure { return failures.append(failure) }
        promptTokens += request.promptTokens
        cachedTokens += request.cachedTokens
        outputTokens += request.outputTokens
        chunks += request.chunks.count
        e2e.append(request.e2e)
        if let first = request.ttft { ttft.append(first) }
        if let each = request.tpot { tpot.append(each) }
        if let waited = request.queueTime { queue.append(waited) }
        judge(request)
        countGaps(request.chunks)
    }

    /// An answer without a token has kept its first token waiting until its end.
    private mutating func judge(_ request: RequestMeasurement) {
        let first: Nanoseconds = request.ttft ?? request.e2e
        if objective.isMet(ttft: first, tpot: request.tpot, e2e: request.e2e) { good += 1 }
        for (place, target) in objective.targets.enumerated() where target.metric != .itl {
            let one = ServiceLevelObjective([target])
            if one.isMet(ttft: first, tpot: request.tpot, e2e: request.e2e) { kept[place] += 1 }
        }
    }

    private mutating func countGaps(_ chunks: [Nanoseconds]) {
        guard chunks.count > 1 else { return }
        for place in 1..<chunks.count { gaps.add(chunks[place] - chunks[place - 1]) }
        for (place, target) in objective.targets.enumerated() where target.metric == .itl {
            for next in 1..<chunks.count where chunks[next] - chunks[next - 1] <= target.limit { kept[place] += 1 }
        }
    }
}

/// Gaps, exact as long as there are few, then counted in bounded memory.
struct GapCollector {
    /// So many are kept: 32 MB.
    private static let most: Int = 1 << 22

    private var exact: [Nanoseconds] = []
    private var histogram: GapHistogram = GapHistogram()
    private var running: RunningDeviation = RunningDeviation()

    var count: Int { running.count }
    /// In milliseconds.
    var deviation: Double { running.deviation / 1e6 }

    mutating func add(_ gap: Nanoseconds) {
        running.add(Double(gap))
        if histogram.count > 0 { return histogram.add(gap) }
        exact.append(gap)
        guard exact.count > GapCollector.most else { return }
        for one in exact { histogram.add(one) }
        exact = []
    }

    var summary: LatencySummary { histogram.count > 0 ? histogram.summary : LatencySummary(of: exact) }
}

/// Mean and standard deviation of numbers that are seen once.
///
/// Source: Welford, "Note on a method for calculating corrected sums of squares and products", Technometrics 4 (1962).
struct RunningDeviation {
    private(set) var count: Int = 0
    private var mean: Double = 0
    private var squares: Double = 0

    mutating func add(_ value: Double) {
        count += 1
        let distance: Double = value - mean
        mean += distance / Double(count)
        squares += distance * (value - mean)
    }

    /// Over all values, divided by their number; 0 of none.
    var deviation: Double { count > 0 ? (squares / Double(count)).squareRoot() : 0 }
}

extension [Nanoseconds] {
    /// Their standard deviation in milliseconds.
    var deviation: Double {
        var running = RunningDeviation()
        for one in self { running.add(Double(one)) }
        return running.deviation / 1e6
    }
}
