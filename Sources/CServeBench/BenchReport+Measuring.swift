// From measurements to figures, in one pass over the requests and one sort for each latency.
import CServeCore

extension BenchReport {
    /// Sums a run up. Cost: some seconds for a million requests; memory for seven latencies of each, and for the gaps of
    /// up to four million.
    /// - Parameters:
    ///   - slo: what ``goodput`` and ``attainment`` judge.
    ///   - window: what is left out.
    /// - Throws: ``BenchReportError/nothingLeft(warmup:cooldown:sending:)``.
    public init(
        run: BenchRun, slo: ServiceLevelObjective? = nil, window: BenchWindows = BenchWindows()
    ) throws(BenchReportError) {
        let bounds = RunBounds(run)
        let steady: SteadyWindow = try bounds.window(window)
        let counted: (RequestMeasurement) -> Bool =
            window.leaveOut ? { steady.start <= $0.due && $0.due <= steady.end } : { _ in true }
        var tally = BenchTally(slo ?? ServiceLevelObjective())
        for request in run.requests where counted(request) { tally.count(request) }
        guard tally.offered > 0 || run.requests.isEmpty else {
            throw .nothingLeft(warmup: window.warmup, cooldown: window.cooldown, sending: bounds.sending)
        }
        self.init()
        leftOut = run.requests.count - tally.offered
        duration = run.duration
        take(tally, during: window.leaveOut ? steady.end - steady.start : run.duration)
        take(ThroughputTimeline(run, until: bounds.lastEnd), steady, run)
    }

    private mutating func take(_ tally: BenchTally, during span: Nanoseconds) {
        offered = tally.offered
        completed = tally.completed
        failures = BenchFailureCount.count(tally.failures)
        promptTokens = tally.promptTokens
        cachedTokens = tally.cachedTokens
        outputTokens = tally.outputTokens
        chunks = tally.chunks
        ttft = LatencySummary(of: tally.ttft)
        tpot = LatencySummary(of: tally.tpot)
        itl = tally.gaps.summary
        e2e = LatencySummary(of: tally.e2e)
        queueTime = LatencySummary(of: tally.queue)
        connect = LatencySummary(of: tally.connect)
        lateness = LatencySummary(of: tally.lateness)
        deviations = LatencyDeviations(
            ttft: tally.ttft.deviation, tpot: tally.tpot.deviation, itl: tally.gaps.deviation,
            e2e: tally.e2e.deviation)
        goodput = span > 0 ? Double(tally.good) / span.seconds : 0
        goodShare = tally.judged > 0 ? Double(tally.good) / Double(tally.judged) : 0
        attainment = zip(tally.objective.targets, tally.kept).map { (target, kept) -> TargetAttainment in
            let all: Int = target.metric == .itl ? tally.gaps.count : tally.judged
            let summary: LatencySummary = latency(target.metric)
            return TargetAttainment(
                target: target, value: summary.count > 0 ? summary.value(target.statistic) : nil,
                share: all > 0 ? Double(kept) / Double(all) : 0)
        }
    }

    private mutating func take(_ timeline: ThroughputTimeline, _ steady: SteadyWindow, _ run: BenchRun) {
        steadyWindow = [steady.start, steady.end]
        steadyThroughput = Throughput(of: timeline, from: steady.start, to: steady.end)
        let answered = run.requests.lazy.filter { $0.failure == nil }
        throughput = Throughput(
            requests: answered.count, outputTokens: answered.reduce(0) { $0 + $1.outputTokens },
            promptTokens: answered.reduce(0) { $0 + $1.promptTokens }, during: run.duration)
        let sent: Int = run.requests.reduce(0) { $0 + (steady.start <= $1.due && $1.due < steady.end ? 1 : 0) }
        offeredRate = steady.end > steady.start ? Double(sent) / (steady.end - steady.start).seconds : 0
        waitGrowth = WaitGrowth(run.requests, RunBounds(run)).perSecond
        let concurrency = Concurrency(run.requests)
        peakConcurrency = concurrency.peak
        meanConcurrency = run.duration > 0 ? concurrency.time / run.duration.seconds : 0
    }
}

/// A run's moments.
struct RunBounds {
    private(set) var firstDue: Nanoseconds = 0
    private(set) var lastDue: Nanoseconds = 0
    private(set) var lastEnd: Nanoseconds = 0

    /// From the first request's due time to the last one's.
    var sending: Nanoseconds { lastDue - firstDue }

    init(_ run: BenchRun) {
        firstDue = run.requests.lazy.map(\.due).min() ?? 0
        lastDue = run.requests.lazy.map(\.due).max() ?? 0
        lastEnd = run.requests.lazy.map(\.end).max() ?? 0
    }

    /// What warm-up and cool-down leave of the sending time; without them the sending time without its ramp.
    func window(_ window: BenchWindows) throws(BenchReportError) -> SteadyWindow {
        guard window.leaveOut else {
            return SteadyWindow(
                firstSent: firstDue, lastSent: lastDue, lastEnd: lastEnd, rampShare: window.rampShare)
        }
        guard window.warmup + window.cooldown < sending else {
            throw .nothingLeft(warmup: window.warmup, cooldown: window.cooldown, sending: sending)
        }
        return SteadyWindow(start: firstDue + window.warmup, end: lastDue - window.cooldown)
    }
}

extension ThroughputTimeline {
    /// What came when, of answered requests; the tokens of an answer are spread evenly over its events.
    init(_ run: BenchRun, until end: Nanoseconds) {
        self.init()
        for request in run.requests where request.failure == nil {
            let events: Int = request.chunks.count
            for (place, time) in request.chunks.enumerated() {
                let before: Int = request.outputTokens * place / events
                addTokens(request.outputTokens * (place + 1) / events - before, at: max(0, time))
            }
            if let first = request.chunks.first { addPrompt(request.promptTokens, at: max(0, first)) }
            addRequest(at: max(0, request.chunks.last ?? request.end))
        }
        // A server that fell silent has a rate of 0 from then on, not no rate.
        addTokens(0, at: max(0, end))
    }
}

/// How the wait for the first token grew while requests were sent.
struct WaitGrowth {
    /// Seconds a second.
    private(set) var perSecond: Double = 0

    /// Compares the halves of the sending time, whose middles lie half of it apart. A request that got no token waited at
    /// least until its end.
    init(_ requests: [RequestMeasurement], _ bounds: RunBounds) {
        let middle: Nanoseconds = bounds.firstDue + bounds.sending / 2
        var sums: (early: Double, late: Double) = (0, 0)
        var counts: (early: Int, late: Int) = (0, 0)
        for request in requests where !(request.failure?.isUnsent ?? false) {
            let wait: Double = max(0, (request.chunks.first ?? request.end) - request.due).seconds
            if request.due < middle {
                sums.early += wait
                counts.early += 1
            } else {
                sums.late += wait
                counts.late += 1
            }
        }
        guard bounds.sending > 0, counts.early > 0, counts.late > 0 else { return }
        let difference: Double = sums.late / Double(counts.late) - sums.early / Double(counts.early)
        perSecond = difference / (bounds.sending.seconds / 2)
    }
}

/// How many requests were on their way.
struct Concurrency {
    /// The most at once.
    private(set) var peak: Int = 0
    /// The sum of all their times, in seconds.
    private(set) var time: Double = 0

    init(_ requests: [RequestMeasurement]) {
        let sent: [RequestMeasurement] = requests.filter { !($0.failure?.isUnsent ?? false) }
        let begins: [Nanoseconds] = sent.map(\.sent).sorted()
        let ends: [Nanoseconds] = sent.map { max($0.sent, $0.end) }.sorted()
        var ended: Int = 0
        for (place, begin) in begins.enumerated() {
            while ended < ends.count, ends[ended] <= begin { ended += 1 }
            peak = max(peak, place + 1 - ended)
        }
        time = sent.reduce(0.0) { $0 + max(0, $1.end - $1.sent).seconds }
    }
}
