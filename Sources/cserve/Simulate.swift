// `cserve simulate`: what one deployment does under one load or several, in virtual time.

import ArgumentParser
import CServeCore
import CServeCost
import CServePlanner
import CServeWorkload

/// Simulates a deployment.
struct Simulate: ParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        abstract: "Simulate one deployment under a load, several loads, or a sweep up to what it carries.",
        discussion: """
            EXAMPLES
              cserve simulate --model llama-3-8b --on 4xl4 --pp 4 --workload chat --rate 8
              cserve simulate --model llama-3-8b --on a100-40 --workload 1024/128 --rates 1,2,4,inf
              cserve simulate --model llama-3-70b --on 8xl4 --tp 4 --pp 2 --quantization fp8 --workload rag --sweep --plot
              cserve simulate --model llama-3.1-8b --on h100 --engine vllm --workload 1024/128 --concurrency 1,16,64
              cserve simulate plan.json --rate 6

            The scheduler, its admission and its routing are those that cserve serve runs. With a plan its recipe, hardware,
            workload and seed are taken from it, unless flags say otherwise.
            """)

    @Argument(help: "A plan.json whose choice is simulated.", completion: .file())
    var plan: String?

    @Option(name: .customLong("on"), help: "Hardware: l4, 4xl4, 4xl4:pcie-p2p, g6.12xlarge, 2x(g6.12xlarge).")
    var hardwareName: String?

    @Option(help: "Loads in requests per second, with commas: 1,2,4,inf.")
    var rates: String?

    @Option(help: "Closed loops in place of rates: clients that each wait for their answer, with commas: 1,8,32.")
    var concurrency: NumberList?

    @Flag(help: "Take loads from a tenth of what it carries to beyond it.")
    var sweep: Bool = false

    @OptionGroup(title: "Model and engine settings") var settings: EngineOptions
    @OptionGroup(title: "Workload") var workload: SimulatedWorkloadOptions
    @OptionGroup(title: "Targets") var targets: TargetOptions
    @OptionGroup(title: "Hardware") var hardware: CatalogOptions
    @OptionGroup(title: "Engine") var engine: EngineModelOptions
    @OptionGroup(title: "Effort") var effort: EffortOptions

    @Flag(help: "Draw latency against throughput.")
    var plot: Bool = false

    @Flag(help: "Print JSON: one option per load.")
    var json: Bool = false

    @OptionGroup(title: "Records") var recording: RecordingOptions

    func run() throws {
        try Failure.explained(asJSON: json) {
            let text: SimulationText = try Recording.of(.simulation, recording) { try simulated($0) }
            if json { return Console.say(try text.json.text(.pretty)) }
            Console.say(text.text)
            if plot { Console.say("\n" + text.plot) }
        }
    }

    /// Simulates, and says nothing.
    private func simulated(_ record: Recording) throws -> SimulationText {
        let setup: SimulationSetup = try setup()
        let bar = ProgressBar()
        let sweeper = try LoadSweep(setup.question, on: setup.hardware, recipe: setup.recipe) { bar.show($0) }
        let loads: [OfferedLoad] = try loads(setup, sweeper)
        record.begin(
            title: "\(setup.question.workload.name) on \(setup.hardware.name)", model: setup.question.model,
            seed: setup.question.seed)
        let text = SimulationText(setup: setup, results: sweeper.run(loads), basis: sweeper.basis)
        bar.clear()
        record.finish(try text.outcome)
        return text
    }

    private func loads(_ setup: SimulationSetup, _ sweeper: LoadSweep) throws -> [OfferedLoad] {
        if let concurrency {
            guard concurrency.values.allSatisfy({ (1...100_000).contains($0) }) else {
                throw PlanOptionError.badClients(concurrency.defaultValueDescription)
            }
            return concurrency.values.map { .clients($0) }
        }
        return try rates(setup, sweeper).map { .rate($0) }
    }

    private func rates(_ setup: SimulationSetup, _ sweeper: LoadSweep) throws -> [Double] {
        if sweep { return sweeper.loads }
        guard let rates else { return [setup.rate ?? 1] }
        return try rates.split(separator: ",", omittingEmptySubsequences: false).map {
            (part: Substring) throws -> Double in
            guard let rate = Double(part), rate > 0 else { throw PlanOptionError.badRates(rates) }
            return rate
        }
    }

    /// What the flags ask for.
    /// - Parameter given: a workload in place of the flags' own.
    func setup(_ given: Workload? = nil) throws -> SimulationSetup {
        let catalog: HardwareCatalog = try hardware.catalog()
        let base: DeploymentPlan? = try plan.map { try DeploymentPlan.read(try PlanInputs.read($0), file: $0) }
        var recipe: Recipe = try settings.resolved(over: base?.choice.recipe)
        guard settings.model != nil || base != nil else { throw PlanOptionError.noModel }
        let model: ModelChoice = try ModelChoice.find(recipe.model)
        recipe.model = model.name
        let choice: HardwareChoice = try self.choice(catalog, base)
        var load: Workload = try given ?? workload.resolved(base)
        if let seed = settings.seed {
            load.seed = seed
        } else if let base, given == nil {
            load.seed = base.provenance.seed
        }
        if let rate = workload.rate, rate <= 0 || rate.isNaN {
            throw PlanError.notPositive(name: "--rate", value: rate)
        }
        let objective: ServiceLevelObjective? = try targets.objective() ?? base?.targets.objective
        let question: PlanQuestion = try PlanInputs.question(
            model: model, workload: load,
            targets: PlanTargets(objective: objective ?? ServiceLevelObjective(), goodput: targets.goodput),
            bounds: SearchBounds(accelerators: [choice.accelerator], maxAccelerators: choice.accelerators),
            catalog: catalog, engine: engine, effort: try effort.effort())
        return SimulationSetup(
            question: question, hardware: choice, recipe: recipe,
            rate: workload.rate ?? base?.guarantee.requestRate ?? load.meanRate)
    }

    private func choice(_ catalog: HardwareCatalog, _ base: DeploymentPlan?) throws -> HardwareChoice {
        if let hardwareName { return try catalog.choose(hardwareName) }
        guard let hardware = base?.choice.hardware, let nodes = hardware.nodes.first else {
            throw PlanOptionError.noHardware
        }
        let name: String = nodes.provider == "generic" ? nodes.instance : "\(nodes.provider)/\(nodes.instance)"
        var choice: HardwareChoice = try catalog.choose(name)
        choice.nodes = hardware.nodes.reduce(0) { $0 + $1.count * $1.accelerators } / choice.node.count
        return choice
    }
}

extension Simulate: RepeatableCommand {
    func repeated(_ recording: Recording) throws -> RunOutcome { try simulated(recording).outcome }
}

/// What is simulated.
struct SimulationSetup {
    var question: PlanQuestion
    var hardware: HardwareChoice
    var recipe: Recipe
    var rate: Double?
}

/// A workload beside the engine's own flags: fewer flags than elsewhere, because both have some of the same names.
struct SimulatedWorkloadOptions: ParsableArguments {
    @Option(
        name: [.long, .customShort("w")],
        help: "A preset (cserve workload list), fixed lengths such as 1024/128, or a workload or trace file.")
    var workload: String?

    @Option(help: "Requests per second on average; inf sends all at once (default: the workload's own).")
    var rate: Double?

    /// The workload of the flags, or of a plan.
    func resolved(_ plan: DeploymentPlan?) throws -> Workload {
        guard workload == nil, let plan, !plan.workload.definition.isNull else {
            return try WorkloadFiles.workload(workload ?? "chat", try TraceFlags.parse([]).choices())
        }
        let own: Workload = try Workload(json: plan.workload.definition)
        guard case .trace = own.content else { return own }
        // A trace's requests are not in the plan, only its name and digest.
        return try WorkloadFiles.workload(plan.workload.name, try TraceFlags.parse([]).choices())
    }
}

/// Simulated loads as a terminal shows them.
struct SimulationText {
    let setup: SimulationSetup
    let results: [(option: PlanOption, binding: String?)]
    /// What the times rest on.
    let basis: String

    /// One option per load.
    var json: JSONValue { get throws { try JSONValue(encoding: results.map(\.option)) } }

    /// What the record book keeps.
    var outcome: RunOutcome {
        get throws {
            let last: PlanPrediction? = results.last?.option.prediction
            let figures: String =
                last.map { prediction in
                    let rate: String = BenchText.figure(prediction.requestThroughput.value)
                    return "\(rate) req/s, ttft p99 \(BenchText.figure(prediction.ttft.p99.value)) ms"
                } ?? ""
            let loads: String = results.count == 1 ? "" : "\(results.count) loads, last "
            return RunOutcome(summary: loads + figures, results: try json)
        }
    }

    var text: String {
        guard let first = results.first?.option else { return "Nothing was simulated." }
        var table = TextTable(
            [
                "rate/s", "served/s", "out tok/s", "ttft p50", "ttft p99", "tpot p50", "tpot p99", "e2e p50", "e2e p99",
                "running", "busy", "kv", "$/M tok", "within the targets",
            ], right: Set(0...12))
        for result in results { table.add(row(result.option, result.binding)) }
        let cost: String = first.prediction.cost.perHour.map { ", \(PlanText.usd($0))/h" } ?? ""
        let parts: [String] = results.map { one in
            "  \(BenchText.figure(one.option.prediction.requestRate))/s: \(PlanText.parts(one.option.breakdown))"
        }
        let method: PlanMethod = first.prediction.method
        return [
            "\(setup.question.model), \(first.name)\(cost), workload \(setup.question.workload.name)", table.text,
            "Where a step's time goes:\n" + parts.joined(separator: "\n"),
            "\(method.requests) requests over \(method.seeds) seeds a load; ±: 95% of seeds and model error.\n"
                + basis,
        ].joined(separator: "\n\n")
    }

    private func row(_ option: PlanOption, _ binding: String?) -> [String] {
        let prediction: PlanPrediction = option.prediction
        let latencies: [PlanEstimate] = [
            prediction.ttft.p50, prediction.ttft.p99, prediction.tpot.p50, prediction.tpot.p99, prediction.e2e.p50,
            prediction.e2e.p99,
        ]
        return [BenchText.figure(prediction.requestRate), BenchText.figure(prediction.requestThroughput.value)]
            + [BenchText.figure(prediction.outputThroughput.value)] + latencies.map { PlanText.interval($0) }
            + [
                BenchText.figure(prediction.load.running), BenchText.percent(prediction.load.utilisation),
                BenchText.percent(prediction.load.kvUse), PlanText.usd(prediction.cost.perMillionTokens),
                setup.question.targets.objective.targets.isEmpty ? "-" : binding ?? "yes",
            ]
    }

    /// The first target's latency, or the median end-to-end latency, over throughput.
    var plot: String {
        let target: LatencyTarget? = setup.question.targets.objective.targets.first
        let metric: LatencyMetric = target?.metric ?? .e2e
        let statistic: LatencyStatistic = target?.statistic ?? .percentile(50)
        let points: [(x: Double, y: Double)] = results.map { one in
            let prediction: PlanPrediction = one.option.prediction
            return (prediction.outputThroughput.value, prediction.latency(metric).value(statistic)?.value ?? 0)
        }
        return TerminalPlot(
            series: [TerminalPlot.Series(name: results.first?.option.name ?? "", points: points)],
            xName: "generated tokens/s", yName: "\(metric.rawValue) \(statistic), ms",
            limit: target.map { Double($0.limit) / 1e6 }
        ).text
    }
}
