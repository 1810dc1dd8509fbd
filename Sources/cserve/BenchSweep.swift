// `cserve bench --sweep`: one run after another, from idle to beyond saturation.

import ArgumentParser
import CServeBench
import CServeCore
import CServeWorkload

/// How a sweep goes.
struct BenchSweepOptions: ParsableArguments {
    @Flag(
        help: """
            Take loads from one client to beyond saturation: finds the knee and the highest rate that keeps --slo. \
            --rate is the first rate, --duration the length of each run (default: 30s).
            """)
    var sweep: Bool = false

    @Option(help: "Runs of a sweep at most.")
    var sweepRuns: Int = 16

    @Option(help: "How close a sweep brackets its rates: 0.05 is 5%.")
    var sweepTolerance: Double = 0.05

    func check() throws {
        guard sweepRuns > 0 else {
            throw WorkloadOptionError.badValue(flag: "--sweep-runs", value: "\(sweepRuns)", expected: "1 or more")
        }
        guard sweepTolerance > 0, sweepTolerance.isFinite else {
            throw WorkloadOptionError.badValue(
                flag: "--sweep-tolerance", value: "\(sweepTolerance)", expected: "above 0")
        }
    }
}

/// Runs a sweep against a server.
struct BenchSweep {
    let session: BenchSession
    let work: BenchWork
    let settings: LoadSettings
    let windows: BenchWindows
    let objective: ServiceLevelObjective?

    /// How long each load is offered where nothing is said.
    static let defaultDuration: Nanoseconds = 30 * .second
    /// What a run may take beyond twice its duration: longer queues are no longer worth waiting for.
    private static let patience: Nanoseconds = 10 * .second

    /// Searches until the edge is known or somebody has seen enough.
    func curve(_ search: LoadSearch, target: String, model: String) async throws -> LoadCurve {
        var search: LoadSearch = search
        while !session.isInterrupted, let probe = search.next {
            let run: BenchRun = await session.measure(
                load(probe, number: search.points.count), title: Self.title(probe), settings: bounded)
            guard !session.isInterrupted else { break }
            search.record(LoadPoint(probe, try BenchReport(run: run, slo: objective, window: windows)))
        }
        return LoadCurve(search, target: target, model: model, objective: objective)
    }

    private var duration: Nanoseconds { work.workload.duration ?? Self.defaultDuration }

    private var bounded: LoadSettings {
        var bounded: LoadSettings = settings
        if bounded.maxRunTime == nil, work.workload.requests == nil {
            bounded.maxRunTime = 2 * duration + Self.patience
        }
        return bounded
    }

    /// The workload at a load.
    private func load(_ probe: OfferedProbe, number: Int) -> BenchWork {
        var work: BenchWork = work
        work.workload = work.workload.offered(probe, number: number, duration: duration)
        return work
    }

    private static func title(_ probe: OfferedProbe) -> String {
        switch probe {
        case .clients(let clients): clients == 1 ? "1 client" : "\(clients) clients"
        case .rate(let rate): "\(BenchText.figure(rate))/s"
        }
    }
}

extension Workload {
    /// The workload at a load of a sweep. Each run has texts of its own, which no earlier run has left in a prefix cache.
    func offered(_ probe: OfferedProbe, number: Int, duration: Nanoseconds) -> Workload {
        var copy: Workload = self
        copy.seed &+= UInt64(number)
        if copy.requests == nil { copy.duration = duration }
        if case .trace(var replay) = copy.content {
            replay.repeats = true
            copy.content = .trace(replay)
        }
        switch probe {
        case .clients(let clients): copy.arrivals = .closedLoop(ClosedLoop(clients: clients))
        case .rate(let rate):
            if case .closedLoop = copy.arrivals { copy.arrivals = .poisson(rate: rate) }
            copy = copy.scaled(toRate: rate)
        }
        return copy
    }
}
