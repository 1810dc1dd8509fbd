// One model on this machine, predicted and measured in turn: profile passes stand between the live runs, medians are compared.

import CServeCore
import CServeCost
import CServeEngine
import CServeSimulator
import CServeWorkload

/// The figures of one run, live or simulated, in milliseconds but for the throughput.
struct RunFigures: Hashable, Codable, Sendable {
    var throughput: Double
    var ttft: LatencySummary
    var tpot: LatencySummary
    var e2e: LatencySummary

    init(_ report: SimulationReport) {
        throughput = report.throughput.outputTokensPerSecond
        (ttft, tpot, e2e) = (report.ttft, report.tpot, report.e2e)
    }

    init(_ answers: [LiveAnswer]) {
        let good: [LiveAnswer] = answers.filter { !$0.failed }
        let first: Nanoseconds = good.map(\.arrival).min() ?? 0
        let last: Nanoseconds = good.map(\.lastToken).max() ?? 1
        throughput = Double(good.reduce(0) { $0 + $1.outputTokens }) / max(1e-9, (last - first).seconds)
        ttft = LatencySummary(of: good.map(\.ttft))
        tpot = LatencySummary(of: good.compactMap(\.tpot))
        e2e = LatencySummary(of: good.map(\.e2e))
    }

    /// The figures that are compared, with the goal for each.
    static let compared: [(name: String, goal: Double, value: @Sendable (RunFigures) -> Double)] = [
        ("tok/s", 0.1, { $0.throughput }), ("TTFT mean", 0.1, { $0.ttft.mean }), ("P50", 0.1, { $0.ttft.p50 }),
        ("P99", 0.2, { $0.ttft.p99 }), ("TPOT mean", 0.1, { $0.tpot.mean }), ("P50", 0.1, { $0.tpot.p50 }),
        ("P99", 0.2, { $0.tpot.p99 }), ("E2E mean", 0.1, { $0.e2e.mean }), ("P50", 0.1, { $0.e2e.p50 }),
        ("P99", 0.2, { $0.e2e.p99 }),
    ]
    /// Those of them that count above 80% of saturation: throughput and TPOT.
    static let aboveKnee: Set<Int> = [0, 4, 5]
}

/// One load of one workload on one model.
struct FidelityCell: Hashable, Codable, Sendable {
    var model: String
    var weights: String
    var workload: String
    var scale: Double
    /// The share of what the simulator says that the machine carries; nil: everything at once.
    var share: Double?
    var rate: Double?
    var requests: Int
    var predicted: RunFigures
    var measured: [RunFigures]
    /// KV blocks as planned and as the engine allocated them.
    var plannedBlocks: Int
    var engineBlocks: Int
    /// Requests that the live engine refused or failed.
    var failed: Int
    /// The worst 99th percentile of how late the generator was, in milliseconds.
    var lateness: Double
    var machine: MachineFingerprint

    /// What is replaced by a newer measurement.
    var key: [String] { [model, weights, workload, share.map { "\($0)" } ?? "batch"] }
    /// Whether latencies count.
    var isBelowKnee: Bool { share.map { $0 <= 0.801 } ?? false }

    /// Predicted over the median of the measured ones, less one, by place in ``RunFigures/compared``; nil: does not count.
    func error(_ place: Int) -> Double? {
        guard isBelowKnee || RunFigures.aboveKnee.contains(place) else { return nil }
        let value: (RunFigures) -> Double = RunFigures.compared[place].value
        let truth: Double = Samples(measured.map(value)).median
        return truth > 0 ? value(predicted) / truth - 1 : nil
    }

    /// Half the range of the repeats over their median, of the mean TPOT: what the machine itself wanders by.
    var spread: Double {
        let samples: Samples = Samples(measured.map(\.tpot.mean))
        return samples.median > 0 ? (samples.greatest - samples.least) / 2 / samples.median : 0
    }
}

/// How the comparison is run.
struct FidelityPlan {
    var workloads: [String]
    var shares: [Double] = [0.1, 0.4, 0.6, 0.8, 1.2]
    var rounds: Int = 5
    /// Seconds that a live run takes about.
    var seconds: Double = 6
    var seed: UInt64 = 5
}

/// Runs the comparison on one loaded model.
final class MachineFidelity {
    private let measurer: MachineMeasurer
    private let machine: MachineFingerprint
    private let accelerator: AcceleratorSpec
    private let engine: EngineProfile = EngineProfile(name: "cserve", version: "")
    private let plan: FidelityPlan
    private var hostSteps: [StepRecord] = []

    private struct Load {
        var workload: LiveWorkload
        var share: Double?
        var rate: Double?
        var requests: [WorkloadRequest]
        var measured: [RunFigures] = []
        var failed: Int = 0
        var lateness: Double = 0
    }

    init(_ measurer: MachineMeasurer, machine: MachineFingerprint, plan: FidelityPlan) {
        self.measurer = measurer
        self.machine = machine
        self.plan = plan
        // Peaks play no part where the model's own operators were measured.
        accelerator = AcceleratorSpec(
            name: "this-machine", title: machine.processor, kind: .cpu, architecture: machine.instructionSet,
            memoryBytes: machine.memoryBytes, memoryBandwidth: 40e9,
            peaks: [.float32: 2e11, .float16: 2e11, .bfloat16: 4e11, .int8: 8e11], processors: machine.threads)
    }

    /// Profiles and serves in turn, then predicts with the profile's medians.
    func run(_ progress: (String) -> Void) async throws -> [FidelityCell] {
        progress("profile")
        try await profile(first: true)
        var loads: [Load] = try plan.workloads.flatMap { try self.loads($0) }
        for round in 0..<plan.rounds {
            for place in loads.indices {
                let load: Load = loads[place]
                progress("round \(round + 1)/\(plan.rounds), \(load.workload.name) \(load.share ?? 1)")
                try await profile(first: false)
                let run = try await measurer.serve(load.requests, seed: plan.seed)
                loads[place].measured.append(RunFigures(run.answers))
                loads[place].failed += run.answers.count(where: \.failed)
                let late: Double = LatencySummary(of: run.answers.map(\.lateness)).p99
                loads[place].lateness = max(load.lateness, late)
            }
            if round + 1 < plan.rounds { try await profile(first: true) }
        }
        return try loads.map(cell)
    }

    /// Decodes are profiled before every run, prompts and the loop once a round.
    private func profile(first: Bool) async throws {
        if first {
            try measurer.session.prompts()
            hostSteps += try await measurer.hostSteps()
        }
        try measurer.session.round()
    }

    private func calibration() -> Calibration {
        var samples: ProfileSamples = measurer.session.samples
        for step in hostSteps where step.sampledRows > 0 {
            samples.add("sampler", rows: step.sampledRows, seconds: step.sampling.seconds)
        }
        let host = HostFit.fit(hostSteps)
        let shape: ModelShape = measurer.runner.shape
        // Requests enter and leave in this process: nothing stands between them and the loop.
        return Calibration(
            title: "", date: "", scalars: Calibration.Scalars(hostStep: host.step, hostRequest: host.request),
            host: EngineProfile.HostCosts(
                step: host.step, request: host.request, ingress: 0, ingressPerToken: 0, egress: 0),
            profiles: [samples.profile(layers: shape.layers, experts: shape.mixture?.experts)])
    }

    private func predict(_ requests: [WorkloadRequest]) throws -> SimulationReport {
        try measurer.simulate(
            requests, seed: plan.seed, calibration: calibration(), accelerator: accelerator, engine: engine)
    }

    /// A workload's loads: rates are shares of what the simulator says that this machine carries.
    private func loads(_ name: String) throws -> [Load] {
        let (workload, carried) = try sized(name)
        guard !workload.isBatch else {
            let count: Int = max(8, Int(carried * plan.seconds))
            return [Load(workload: workload, requests: workload.requests(count, rate: nil))]
        }
        return plan.shares.map { share in
            let rate: Double = share * carried
            let count: Int = max(10, Int(rate * plan.seconds))
            return Load(
                workload: workload, share: share, rate: rate, requests: workload.requests(count, rate: rate))
        }
    }

    /// The largest scale at which forty requests fit into a run at saturation, and the requests per second carried then.
    private func sized(_ name: String) throws -> (LiveWorkload, Double) {
        let longest: Int = measurer.runner.maxModelLength
        var chosen: (LiveWorkload, Double)?
        for scale in [1, 0.5, 0.25, 0.125, 1 / 16.0, 1 / 32.0] {
            let workload: LiveWorkload = try LiveWorkload(named: name, scale: scale, longest: longest)
            let report: SimulationReport = try predict(workload.requests(80, rate: nil))
            let carried: Double = Double(report.completed) / report.duration.seconds
            chosen = (workload, carried)
            if carried * plan.seconds >= 40 { break }
        }
        guard let chosen else { preconditionFailure("a list of scales without scales") }
        return chosen
    }

    private func cell(_ load: Load) throws -> FidelityCell {
        let runner: ModelRunner = measurer.runner
        return FidelityCell(
            model: measurer.recipe.model.split(separator: "/").last.map(String.init) ?? measurer.recipe.model,
            weights: runner.formats.weights.standard.format.title, workload: load.workload.name,
            scale: load.workload.scale, share: load.share, rate: load.rate, requests: load.requests.count,
            predicted: RunFigures(try predict(load.requests)), measured: load.measured,
            plannedBlocks: try measurer.plannedBlocks(accelerator), engineBlocks: runner.totalBlocks,
            failed: load.failed, lateness: load.lateness, machine: machine)
    }
}
