// `cserve plan`: which hardware, how many, which settings, at what cost, and why not the others.

import ArgumentParser
import CServeCore
import CServeCost
import CServePlanner
import CServeWorkload

/// Plans.
struct PlanCommand: ParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        commandName: "plan",
        abstract: "Find the hardware and settings that serve a workload within latency targets at least cost.",
        discussion: """
            EXAMPLES
              cserve plan --model llama-3-8b --workload rag --rate 4 --ttft-p99 1s --tpot-p95 50ms
              cserve plan --model ./checkpoint --workload trace.csv --rate 10 --gpus l4,a10,a100-40 --max-gpus 8 \\
                --budget 5/h -o plan.json
              cserve plan --model llama-3-70b --workload 1024/128 --quantization none,fp8,int4 --gpus l4,l40s --plot
              cserve plan --model mixtral-8x7b --workload batch --price l4=0.71 --points points.csv

            Without --rate it looks for the most throughput. Loads are simulated with the engine's own scheduler; reported
            options are run with many requests and several seeds, and shown with 95% intervals.

            lowest cost        fewest dollars per hour that meet the demands
            best value         most requests within the targets per dollar
            best performance   least latency at the rate; without a rate, most throughput within the targets
            sweet spot         most throughput within the targets

            EXIT STATUS
              0   a plan was found         2   nothing meets the demands; the nearest options are printed
              1   the input cannot be used  64  a flag cannot be used
            """)

    @Option(help: "A catalogue name (cserve models --catalog), a checkpoint folder, a config.json or a .gguf file.")
    var model: String

    @OptionGroup(title: "Workload") var workload: WorkloadOptions
    @OptionGroup(title: "Targets") var targets: TargetOptions
    @OptionGroup(title: "What may be chosen") var search: SearchOptions
    @OptionGroup(title: "Hardware") var hardware: CatalogOptions
    @OptionGroup(title: "Engine") var engine: EngineModelOptions
    @OptionGroup(title: "Effort") var effort: EffortOptions

    @Option(help: "Which pick becomes the plan: lowest-cost, best-value, best-performance or sweet-spot.")
    var pick: PlanPick?

    @Option(name: [.customShort("o"), .long], help: "Write the plan to a file.", completion: .file())
    var output: String?

    @Option(help: "Write every simulated load to a file: .csv or .json.", completion: .file())
    var points: String?

    @Flag(help: "Draw latency against throughput.")
    var plot: Bool = false

    @Flag(help: "Print the plan as JSON.")
    var json: Bool = false

    @OptionGroup(title: "Records") var recording: RecordingOptions

    func run() throws {
        try Failure.explained(asJSON: json) {
            let (question, result): (PlanQuestion, PlanResult) = try Recording.of(.plan, recording) { try planned($0) }
            if let points { try PlanInputs.write(result.points, to: points) }
            try report(result, question)
            if result.plan == nil { throw ExitCode(2) }
        }
    }

    /// The plan; where no option holds the weights, one with weights that stream in, unless shares of them were asked for.
    private func plan(_ question: PlanQuestion, _ origin: PlanOrigin) throws -> (PlanQuestion, PlanResult) {
        let bar = ProgressBar()
        defer { bar.clear() }
        let result: PlanResult = try Planner(question, origin: origin) { bar.show($0) }.plan()
        guard search.offload == nil, result.isShortOfMemory else { return (question, result) }
        var streaming: PlanQuestion = question
        streaming.bounds.offloadedShares = SearchOptions.streamedShares
        return (streaming, try Planner(streaming, origin: origin) { bar.show($0) }.plan())
    }

    /// Plans, and says nothing.
    private func planned(_ record: Recording) throws -> (PlanQuestion, PlanResult) {
        let catalog: HardwareCatalog = try hardware.catalog()
        let asked: PlanQuestion = try question(catalog)
        let origin: PlanOrigin = try PlanInputs.origin(engine, catalog: catalog, pick: pick?.role)
        record.begin(title: asked.workload.name, model: asked.model, seed: asked.seed)
        let (question, result): (PlanQuestion, PlanResult) = try plan(asked, origin)
        record.finish(try Self.outcome(question, result))
        return (question, result)
    }

    /// What the record book keeps: the plan whole, or what comes nearest.
    private static func outcome(_ question: PlanQuestion, _ result: PlanResult) throws -> RunOutcome {
        guard let plan = result.plan else {
            return RunOutcome(summary: "nothing meets the demands", results: NothingFits(result, question).json)
        }
        let cost: String = PlanText.usd(plan.choice.prediction.cost.perHour)
        return RunOutcome(
            summary: "\(plan.choice.name), \(cost)/h", results: try JSONValue(encoding: plan.choice),
            outputs: [("plan.json", plan.json.serialized(.pretty))])
    }

    private func question(_ catalog: HardwareCatalog) throws -> PlanQuestion {
        let model: ModelChoice = try ModelChoice.find(model)
        let bounds: SearchBounds = try search.bounds(catalog)
        if let rate = workload.rate, !rate.isFinite || rate <= 0 {
            throw PlanError.notPositive(name: "--rate", value: rate)
        }
        let targets = PlanTargets(
            requestRate: workload.rate, objective: try targets.objective() ?? ServiceLevelObjective(),
            goodput: self.targets.goodput, budget: try search.usdPerHour())
        return try PlanInputs.question(
            model: model, workload: try workload.resolved(), targets: targets, bounds: bounds, catalog: catalog,
            engine: engine, effort: try effort.effort())
    }

    private func report(_ result: PlanResult, _ question: PlanQuestion) throws {
        guard let plan = result.plan else {
            Console.say(json ? NothingFits(result, question).json.text(.pretty) : NothingFits(result, question).text)
            return
        }
        if let output { try PlanInputs.write(plan.json.serialized(.pretty), to: output) }
        guard !json else { return Console.say(plan.json.text(.pretty)) }
        Console.say(PlanText(plan).text)
        if plot { Console.say("\n" + TerminalPlot.latencyOverThroughput(result.points, plan)) }
        if let output { Console.say("\nWritten to \(output).") }
    }
}

extension PlanResult {
    /// Whether the weights alone are why nothing fits: every option was too small, or was no option to begin with.
    var isShortOfMemory: Bool {
        let structural: Set<PlanRejection.Reason> = [.count, .dearer, .divisibility, .type, .link, .price, .budget]
        return plan == nil && rejected.contains { $0.reason == .memory }
            && rejected.allSatisfy { $0.reason == .memory || structural.contains($0.reason) }
    }
}

extension PlanCommand: RepeatableCommand {
    func repeated(_ recording: Recording) throws -> RunOutcome {
        let (question, result): (PlanQuestion, PlanResult) = try planned(recording)
        return try Self.outcome(question, result)
    }
}

/// A pick by its name on the command line.
enum PlanPick: String, ExpressibleByArgument, CaseIterable {
    case lowestCost = "lowest-cost"
    case bestValue = "best-value"
    case bestPerformance = "best-performance"
    case sweetSpot = "sweet-spot"

    var role: PlanRole {
        switch self {
        case .lowestCost: .lowestCost
        case .bestValue: .bestValue
        case .bestPerformance: .bestPerformance
        case .sweetSpot: .sweetSpot
        }
    }
}
