// From a simulation's books to its report.
import CServeCore
import CServeScheduling
import CServeWorkload

extension SimulationRun {
    /// The report of a simulation that has been served.
    /// - Parameter cached: the cluster that was to be simulated, where this one did without its prefix caches: whatever was
    ///   looked up there was not found.
    func report(cached: ClusterSpec? = nil) -> SimulationReport {
        let tally: RequestTally = books.tally
        let start: Nanoseconds = min(tally.firstSent, tally.lastEnd)
        let duration: Nanoseconds = tally.lastEnd - start
        let window: (Nanoseconds, Nanoseconds) = steadyWindow(from: start)
        let (steady, span) = books.timeline.total(from: window.0, to: window.1)
        let offered: Int = tally.completed + tally.failed
        return SimulationReport(
            offered: offered, completed: tally.completed, failures: tally.failures, duration: duration,
            promptTokens: tally.promptTokens, outputTokens: tally.outputTokens,
            ttft: LatencySummary(of: tally.ttft), tpot: LatencySummary(of: tally.tpot), itl: books.gaps.summary,
            e2e: LatencySummary(of: tally.e2e), queueTime: LatencySummary(of: tally.queue),
            throughput: Throughput(
                requests: tally.completed, outputTokens: tally.outputTokens, promptTokens: tally.promptTokens,
                during: duration),
            steadyThroughput: Throughput(
                requests: steady.requests, outputTokens: steady.outputTokens, promptTokens: steady.promptTokens,
                during: span),
            steadyWindow: [window.0, window.1], sending: max(0, tally.lastSent - start),
            goodput: duration > 0 ? Double(tally.good) / duration.seconds : 0,
            goodShare: offered > 0 ? Double(tally.good) / Double(offered) : 0,
            replicas: replicas.indices.map { (index: Int) -> ReplicaReport in
                report(of: index, duration, queries: cached?.replicas[index].scheduler.usePrefixCaching ?? false)
            },
            joules: joules(duration),
            usd: options.usdPerReplicaHour * Double(replicas.count) * duration.seconds / 3600,
            records: tally.records)
    }

    /// The sending time without its ramp; where all is sent early on, the middle of the whole instead.
    private func steadyWindow(from start: Nanoseconds) -> (Nanoseconds, Nanoseconds) {
        let tally: RequestTally = books.tally
        let isSentEarly: Bool = tally.lastSent - start < (tally.lastEnd - start) / 2
        let whole: Double = Double(tally.lastEnd - start)
        let end: Double = isSentEarly ? whole * (1 - options.rampShare) : Double(tally.lastSent - start)
        return (start + Nanoseconds(end * options.rampShare), start + Nanoseconds(end))
    }

    private func report(of index: Int, _ duration: Nanoseconds, queries: Bool) -> ReplicaReport {
        let loop: ReplicaLoop = replicas[index]
        let statistics: SchedulerStatistics = loop.scheduler.statistics
        let busy: [Nanoseconds] = loop.clock.stages.busy
        let active: Double = Double(loop.clock.stages.active) * Double(busy.count)
        let blocks: Double = Double(statistics.totalBlocks)
        let span: Double = Double(max(1, duration))
        return ReplicaReport(
            stageUtilisation: busy.map { Double($0) / span },
            bubbleShare: active > 0 ? 1 - Double(busy.reduce(0, +)) / active : 0,
            meanKVUse: Double(loop.clock.memory.blockTime) / span / blocks,
            peakKVUse: Double(loop.clock.memory.peak) / blocks, steps: statistics.steps,
            computedTokens: statistics.computedTokens, preemptions: statistics.preemptions,
            prefixQueries: queries ? statistics.promptTokens : statistics.prefixQueries,
            prefixHits: statistics.prefixHits)
    }

    /// Each stage has its share of the replica's power.
    private func joules(_ duration: Nanoseconds) -> Double {
        replicas.reduce(0.0) { (sum: Double, loop: ReplicaLoop) -> Double in
            let busy: [Nanoseconds] = loop.clock.stages.busy
            let share: Double = busy.reduce(0.0) { $0 + $1.seconds } / Double(busy.count)
            return sum + share * options.busyWatts + (duration.seconds - share) * options.idleWatts
        }
    }
}
