// `cserve bench --simulate`: a benchmark without a deployment. The same requests, the same report, in virtual time.

import ArgumentParser
import CServeBench
import CServeCore
import CServePlanner
import CServeSimulator
import CServeWorkload
import Foundation

/// What is simulated in place of a server.
struct BenchSimulationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Simulate a deployment in place of asking a server: a plan.json, or hardware, with settings as cserve simulate \
            has them: 4xl4,pp=4,quantization=fp8. Hardware needs --model.
            """, valueName: "deployment"))
    var simulate: String?
}

extension Bench.Serve {
    /// Runs the workload, or a sweep of it, through the simulator.
    func simulate(_ deployment: String, _ given: Workload, _ record: Recording) throws -> MeasuredLoad {
        guard load.maxConcurrency == nil else {
            throw WorkloadOptionError.conflict("--simulate", "--max-concurrency")
        }
        let given: Workload = try planned(deployment) ?? given
        record.begin(title: "\(given.name) simulated on \(deployment)", model: server.model ?? "", seed: given.seed)
        let measured: MeasuredLoad =
            sweep.sweep
            ? .curve(try simulatedCurve(deployment, given)) : .run(try simulatedRun(deployment, given))
        record.finish(try measured.outcome)
        return measured
    }

    private func simulatedRun(_ deployment: String, _ given: Workload) throws -> MeasuredBench {
        let bounded: Workload = BenchLoadOptions.bounded(given)
        let simulation = try BenchSimulation(
            deployment, model: server.model, bounded, objective: output.objective())
        let run: BenchRun = simulation.run(bounded)
        return MeasuredBench(
            run: run, result: try output.result(run, windows: try load.window()),
            setting: BenchSetting(given, endpoint: try server.api(), maxConcurrency: nil))
    }

    /// The workload and the rate of a plan, where the flags name no workload.
    private func planned(_ deployment: String) throws -> Workload? {
        guard let file = try BenchSimulation.command(deployment, model: server.model).plan, load.trace == nil,
            workload.workload == nil, workload.promptLen == nil
        else { return nil }
        let plan: DeploymentPlan = try DeploymentPlan.read(try PlanInputs.read(file), file: file)
        var own: Workload = try SimulatedWorkloadOptions.parse([]).resolved(plan)
        own.seed = plan.provenance.seed
        if plan.guarantee.requestRate > 0 { own = own.scaled(toRate: plan.guarantee.requestRate) }
        return try workload.applied(to: own)
    }

    private func simulatedCurve(_ deployment: String, _ given: Workload) throws -> LoadCurve {
        var base: Workload = given
        if workload.duration == nil { base.duration = nil }
        if workload.requests == nil { base.requests = nil }
        let objective: ServiceLevelObjective? = try output.objective()
        let simulation = try BenchSimulation(deployment, model: server.model, base, objective: objective)
        var search = LoadSearch(start: workload.rate, tolerance: sweep.sweepTolerance, mostRuns: sweep.sweepRuns)
        while let probe = search.next {
            let duration: Nanoseconds = base.duration ?? BenchSweep.defaultDuration
            let run: BenchRun = simulation.run(
                base.offered(probe, number: search.points.count, duration: duration))
            search.record(LoadPoint(probe, try BenchReport(run: run, slo: objective, window: try load.window())))
        }
        return LoadCurve(search, target: simulation.target, model: simulation.model, objective: objective)
    }
}

/// A deployment that answers a benchmark's requests in virtual time.
struct BenchSimulation {
    /// `simulated on 4xl4, pp=4`.
    let target: String
    /// The model's name.
    let model: String
    private let sweep: LoadSweep

    /// Finds model, hardware and settings.
    /// - Parameters:
    ///   - deployment: a plan's file or hardware, then settings: `4xl4,pp=4`.
    ///   - model: the model; a plan brings its own.
    ///   - workload: what will be sent; its longest request decides the length that is served.
    /// - Throws: ``BenchSimulationError``, and what `cserve simulate` throws.
    init(_ deployment: String, model: String?, _ workload: Workload, objective: ServiceLevelObjective?) throws {
        let command: Simulate = try Self.command(deployment, model: model)
        let setup: SimulationSetup = try command.setup(workload)
        sweep = try LoadSweep(setup.question, on: setup.hardware, recipe: setup.recipe)
        self.model = setup.question.model
        target = "simulated on \(deployment)"
    }

    /// The flags of `cserve simulate` that say the same.
    static func command(_ deployment: String, model: String?) throws -> Simulate {
        let parts: [String] = deployment.split(separator: ",", omittingEmptySubsequences: false).map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        guard let first = parts.first, parts.allSatisfy({ !$0.isEmpty }) else {
            throw BenchSimulationError.badDeployment(deployment, reason: "a part of it is empty.")
        }
        var arguments: [String] = first.lowercased().hasSuffix(".json") ? [first] : ["--on", first]
        if let model { arguments += ["--model", model] }
        for part in parts.dropFirst() {
            let pair: [Substring] = part.split(separator: "=", maxSplits: 1)
            arguments.append("--" + (pair.first ?? ""))
            if pair.count == 2 { arguments.append(String(pair[1])) }
        }
        do {
            return try Simulate.parse(arguments)
        } catch {
            throw BenchSimulationError.badDeployment(deployment, reason: Simulate.message(for: error))
        }
    }

    /// Serves a workload. A closed loop that only a duration ends is run with more and more requests until it lasts as long.
    func run(_ workload: Workload) -> BenchRun {
        var workload: Workload = workload
        guard case .closedLoop(let loop) = workload.arrivals, workload.requests == nil, let end = workload.duration
        else { return run(workload, sweep.serve(workload)) }
        workload.requests = max(256, 4 * loop.clients)
        workload.duration = nil
        while let requests = workload.requests {
            let report: SimulationReport = sweep.serve(workload)
            let inTime: Int = report.records.reduce(0) { $0 + ($1.arrival < end ? 1 : 0) }
            if inTime < report.records.count || report.records.count < requests {
                // What was sent in time did not depend on what came later.
                workload.requests = max(1, inTime)
                break
            }
            workload.requests = requests * 4
        }
        return run(workload, sweep.serve(workload))
    }

    private func run(_ workload: Workload, _ report: SimulationReport) -> BenchRun {
        let requests: [RequestMeasurement] = report.records.sorted { $0.index < $1.index }.map(\.measurement)
        let first: Nanoseconds = requests.lazy.map(\.due).min() ?? 0
        let last: Nanoseconds = requests.lazy.map(\.end).max() ?? 0
        return BenchRun(
            target: target, model: model, workload: workload.json.text(), workloadDigest: workload.digest,
            began: Date().timeIntervalSince1970, duration: last - first, requests: requests)
    }
}

extension RequestRecord {
    /// The record as a benchmark's client would have measured it.
    var measurement: RequestMeasurement {
        var one = RequestMeasurement(index: index, due: arrival, promptTokens: promptTokens)
        one.cachedTokens = cachedTokens
        one.outputTokens = outputTokens
        one.end = end
        one.chunks = tokenTimes
        one.head = tokenTimes.first
        one.failure = failure.map(\.measured)
        if failure == nil {
            one.queueTime = queueTime
            one.finishReason = "length"
        }
        return one
    }
}

extension RequestFailure {
    /// What a client hears of it.
    fileprivate var measured: BenchFailure {
        switch self {
        case .queueFull: .status(429, "the queue is full")
        case .tooLong: .status(400, "prompt and answer are longer than what is served")
        case .answerBeforeMissing: .answerBeforeMissing
        case .failedInEngine: .errorEvent("the engine gave the request up")
        }
    }
}

/// Why nothing can be simulated.
enum BenchSimulationError: Error, Hashable, CustomStringConvertible {
    /// The deployment cannot be read.
    case badDeployment(String, reason: String)

    var description: String {
        switch self {
        case .badDeployment(let text, let reason):
            "--simulate \(text) names no deployment: \(reason) Write a plan's file, or hardware and settings as "
                + "cserve simulate has them: 4xl4,pp=4."
        }
    }
}
