// One probe: a deployment under a load, simulated, and whether it keeps the targets.
import CServeCore
import CServeCost
import CServeSimulator
import CServeWorkload

/// What is offered to a deployment.
struct Load: Hashable, Sendable {
    /// Requests per second; infinite: all at once.
    var rate: Double
    /// Requests in all.
    var requests: Int
    /// Seeds lengths, texts and arrivals.
    var seed: UInt64
    /// Clients that each wait for their answer, in place of a rate.
    var clients: Int?

    init(rate: Double, requests: Int, seed: UInt64) {
        self.rate = rate
        self.requests = requests
        self.seed = seed
    }

    init(_ offered: OfferedLoad, requests: Int, seed: UInt64) {
        switch offered {
        case .rate(let rate): self.init(rate: rate, requests: requests, seed: seed)
        case .clients(let clients):
            self.init(rate: .infinity, requests: max(requests, 8 * clients), seed: seed)
            self.clients = clients
        }
    }
}

/// How a deployment's requests come.
public enum OfferedLoad: Hashable, Sendable {
    /// Requests per second, as the workload's arrivals have them; infinite: all at once.
    case rate(Double)
    /// A closed loop of so many clients.
    case clients(Int)
}

/// Runs simulations and judges them.
struct LoadProbe: Sendable {
    let question: PlanQuestion

    /// Serves a load.
    func report(_ replica: FeasibleReplica, replicas: Int, _ load: Load) -> SimulationReport {
        var options = SimulationOptions()
        options.seed = load.seed
        options.vocabularySize = question.shape.vocabularySize
        options.objective = question.targets.objective
        if let clients = load.clients { options.load = .closedLoop(clients: clients) }
        let simulator = Simulator(ClusterSpec(replica.spec, count: replicas), options)
        return simulator.run(workload(load).stream())
    }

    /// The question's workload at a load.
    func workload(_ load: Load) -> Workload {
        var workload: Workload = question.workload
        workload.seed = load.seed
        workload.requests = load.requests
        workload.duration = nil
        if case .trace(var replay) = workload.content {
            replay.repeats = true
            workload.content = .trace(replay)
        }
        if let clients = load.clients {
            workload.arrivals = .closedLoop(ClosedLoop(clients: clients))
            return workload
        }
        if load.rate == .infinity {
            workload.arrivals = .allAtOnce
            return workload
        }
        if case .closedLoop = workload.arrivals { workload.arrivals = .poisson(rate: load.rate) }
        return workload.scaled(toRate: load.rate)
    }

    /// Whether a report keeps every target at a load.
    func passes(_ report: SimulationReport, _ load: Load) -> Bool {
        binding(report, load) == nil
    }

    /// The target that is missed by most, in words with its numbers; nil if all are kept.
    func binding(_ report: SimulationReport, _ load: Load) -> String? {
        if let missed = question.targets.objective.worst(in: report), missed.share > 1 { return missed.text }
        if let goodput = question.targets.goodput, report.goodShare < goodput {
            return
                "\(Share.percent(report.goodShare)) of the requests keep every limit, \(Share.percent(goodput)) are asked"
        }
        guard load.rate < .infinity else { return nil }
        let refused: Double = Double(report.failures[.queueFull] ?? 0) / Double(max(1, report.offered))
        if refused > 0.01 { return "\(Share.percent(refused)) of the requests are refused: the queue is full" }
        return growth(report)
    }

    /// Whether the queue grows, in words with its numbers; nil if it does not.
    ///
    /// At a load above the capacity by a share x, the wait grows by x seconds a second of sending, to half of that on average.
    /// It counts as growing beyond what a random run varies by. How long an answer takes says nothing of the queue, so neither
    /// do the requests that are still in work when the last one is sent.
    private func growth(_ report: SimulationReport) -> String? {
        guard report.sending > 0, report.completed > 0 else { return nil }
        let seconds: Double = report.sending.seconds
        let excess: Double = 2 * report.queueTime.mean / 1000 / seconds
        guard excess > max(0.03, 1.5 / Double(report.offered).squareRoot()) else { return nil }
        return "the queue grows: requests that are sent for \(Figures.short(seconds)) s, "
            + "\(Figures.short(Double(report.offered) / seconds)) a second, wait "
            + "\(Figures.milliseconds(report.queueTime.mean)) on average for their first step"
    }
}

extension ServiceLevelObjective {
    /// The target of which a report uses the largest share, in words.
    func worst(in report: SimulationReport) -> (share: Double, text: String)? {
        var worst: (share: Double, text: String)?
        for target in targets {
            guard let value = report.latency(target.metric).value(target.statistic) else { continue }
            let share: Double = value * 1e6 / Double(target.limit)
            if share > worst?.share ?? 0 {
                let text: String =
                    "\(target.metric.rawValue) \(target.statistic) is \(Figures.milliseconds(value)), "
                    + "the limit \(SpanText.text(target.limit))"
                worst = (share, text)
            }
        }
        return worst
    }
}

extension SimulationReport {
    /// One of the latencies.
    func latency(_ metric: LatencyMetric) -> LatencySummary {
        switch metric {
        case .ttft: ttft
        case .tpot: tpot
        case .itl: itl
        case .e2e: e2e
        }
    }
}

/// Shares as people read them.
enum Share {
    /// `97%`, and `99.4%` near the end.
    static func percent(_ share: Double) -> String {
        let percent: Double = share * 100
        let isNearEnd: Bool = percent > 99 && percent < 100
        return (isNearEnd ? "\((percent * 10).rounded() / 10)" : "\(Int(percent.rounded()))") + "%"
    }
}

/// Numbers as people read them.
enum Figures {
    /// Three significant digits: `4.21`, `118`, `0.0312`.
    static func short(_ value: Double) -> String {
        guard value.isFinite else { return "unlimited" }
        guard value != 0 else { return "0" }
        var scale: Double = 1
        while abs(value) * scale < 100, scale < 1e6 { scale *= 10 }
        let rounded: Double = (value * scale).rounded() / scale
        return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
    }

    /// A latency in the unit that fits.
    static func milliseconds(_ value: Double) -> String {
        value >= 1000 ? short(value / 1000) + " s" : short(value) + " ms"
    }
}
