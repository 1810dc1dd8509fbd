// Runs an option that is to be reported once more: many requests, several seeds, figures with intervals.
import CServeCore
import CServeCost
import CServeSimulator

/// A deployment with its final figures.
struct Confirmed: Sendable {
    var deployment: Deployment
    var load: Load
    var reports: [SimulationReport]
    var prediction: PlanPrediction
    var breakdown: [PlanStepShare]
    /// What misses the targets; nil: they are kept by the mean over seeds.
    var binding: String?

    /// The largest share of a limit that is used; without limits the mean E2E in milliseconds.
    func slowness(_ objective: ServiceLevelObjective) -> Double {
        let shares: [Double] = objective.targets.compactMap { (target: LatencyTarget) -> Double? in
            prediction.latency(target.metric).value(target.statistic).map { $0.value * 1e6 / Double(target.limit) }
        }
        return shares.max() ?? prediction.e2e.mean.value
    }
}

/// Confirms deployments.
struct Confirmation: Sendable {
    let probe: LoadProbe
    let sample: RequestSample

    private var question: PlanQuestion { probe.question }

    /// Runs one seed of a deployment.
    func run(_ deployment: Deployment, rate: Double, seed: Int) -> SimulationReport {
        run(deployment, .rate(rate), seed: seed)
    }

    /// Runs one seed of a deployment under any kind of load.
    func run(_ deployment: Deployment, _ offered: OfferedLoad, seed: Int) -> SimulationReport {
        let load = Load(
            offered, requests: question.effort.finalRequests, seed: question.seed &+ UInt64(seed) &+ 1)
        return probe.report(deployment.replica, replicas: deployment.replicas, load)
    }

    /// The load of one run: seeds of their own, apart from the search's.
    func load(_ deployment: Deployment, rate: Double, seed: Int) -> Load {
        Load(rate: rate, requests: question.effort.finalRequests, seed: question.seed &+ UInt64(seed) &+ 1)
    }

    /// Sums the runs of a deployment up.
    func sum(_ deployment: Deployment, rate: Double, _ reports: [SimulationReport]) -> Confirmed {
        let load: Load = load(deployment, rate: rate, seed: 0)
        let error: ErrorInterval = deployment.replica.cost.calibration?.interval ?? ErrorInterval()
        let parts = StepParts(deployment.replica, reports)
        let prediction: PlanPrediction = prediction(deployment, rate, reports, error, parts)
        var confirmed = Confirmed(
            deployment: deployment, load: load, reports: reports, prediction: prediction, breakdown: parts.shares,
            binding: nil)
        confirmed.binding = binding(prediction, reports, load)
        return confirmed
    }

    /// What misses the targets in the mean over seeds.
    private func binding(_ prediction: PlanPrediction, _ reports: [SimulationReport], _ load: Load) -> String? {
        for target in question.targets.objective.targets {
            guard let value = prediction.latency(target.metric).value(target.statistic)?.value else { continue }
            guard value * 1e6 > Double(target.limit) else { continue }
            return "\(target.metric.rawValue) \(target.statistic) is \(Figures.milliseconds(value)), the limit "
                + SpanText.text(target.limit)
        }
        if let goodput = question.targets.goodput, prediction.goodput.value < goodput {
            return "\(Share.percent(prediction.goodput.value)) of the requests keep every limit, "
                + "\(Share.percent(goodput)) are asked"
        }
        // Seeds differ in luck: the queue must grow in most of them.
        let growing: [String] = reports.compactMap { (report: SimulationReport) -> String? in
            question.targets.objective.worst(in: report).map { $0.share > 1 } ?? false
                ? nil : probe.binding(report, load)
        }
        return growing.count * 2 > reports.count ? growing[0] : nil
    }

    private func prediction(
        _ deployment: Deployment, _ rate: Double, _ reports: [SimulationReport], _ error: ErrorInterval,
        _ parts: StepParts
    ) -> PlanPrediction {
        func figure(_ value: (SimulationReport) -> Double) -> PlanEstimate {
            SeedStatistics.estimate(reports.map(value))
        }
        func latency(_ metric: LatencyMetric) -> PlanLatency {
            PlanLatency { (statistic: LatencyStatistic) -> PlanEstimate in
                let seeds: PlanEstimate = figure { $0.latency(metric).value(statistic) ?? 0 }
                // Errors are predicted over measured, less one: the measured value lies in between.
                return PlanEstimate(
                    seeds.value, low: max(0, seeds.low) / (1 + error.high), high: seeds.high / (1 + error.low))
            }
        }
        let output: PlanEstimate = figure { $0.throughput.outputTokensPerSecond }
        let input: PlanEstimate = figure {
            $0.throughput.totalTokensPerSecond - $0.throughput.outputTokensPerSecond
        }
        let served: PlanEstimate = figure { $0.throughput.requestsPerSecond }
        return PlanPrediction(
            requestRate: rate.isFinite ? rate : served.value, ttft: latency(.ttft), tpot: latency(.tpot),
            itl: latency(.itl), e2e: latency(.e2e), requestThroughput: served, inputThroughput: input,
            outputThroughput: output, goodput: figure(\.goodShare),
            capacity: deployment.capacity > 0 ? deployment.capacity : nil,
            cost: cost(deployment, served.value, input.value, output.value, parts),
            load: busy(deployment, reports),
            method: PlanMethod(
                requests: reports.reduce(0) { $0 + $1.offered }, seeds: reports.count,
                modelError: max(-error.low, error.high), evidence: parts.evidence))
    }

    private func cost(
        _ deployment: Deployment, _ requests: Double, _ input: Double, _ output: Double, _ parts: StepParts
    ) -> PlanCost {
        guard deployment.usdPerHour.isFinite else { return PlanCost() }
        let perSecond: Double = deployment.usdPerHour / 3600
        func per(_ rate: Double, _ share: Double) -> Double? { rate > 0 ? perSecond * share / rate : nil }
        return PlanCost(
            perHour: deployment.usdPerHour, perMillionTokens: per((input + output) / 1e6, 1),
            perMillionInputTokens: per(input / 1e6, parts.inputShare),
            perMillionOutputTokens: per(output / 1e6, 1 - parts.inputShare), perRequest: per(requests, 1))
    }

    private func busy(_ deployment: Deployment, _ reports: [SimulationReport]) -> PlanLoad {
        func mean(_ value: (SimulationReport) -> Double) -> Double { SeedStatistics.estimate(reports.map(value)).value }
        func meanOfReplicas(_ value: (ReplicaReport) -> Double) -> Double {
            mean { (report: SimulationReport) -> Double in
                report.replicas.reduce(0.0) { (sum: Double, one: ReplicaReport) -> Double in sum + value(one) }
                    / Double(max(1, report.replicas.count))
            }
        }
        return PlanLoad(
            utilisation: mean(\.utilisation), kvUse: meanOfReplicas(\.meanKVUse),
            running: mean {
                max(0, $0.e2e.mean - $0.queueTime.mean) / 1000 * $0.throughput.requestsPerSecond
            } / Double(deployment.replicas),
            preemptions: mean { 1000 * Double($0.preemptions) / Double(max(1, $0.offered)) },
            prefixHits: mean(\.prefixHitShare), bubbles: meanOfReplicas(\.bubbleShare),
            refused: mean { Double($0.failed) / Double(max(1, $0.offered)) },
            kvTokens: deployment.replica.budget.kvTokens)
    }
}
