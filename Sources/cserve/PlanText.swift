// A plan as a terminal shows it.

import CServeCore
import CServePlanner

/// Writes a plan out.
struct PlanText {
    let plan: DeploymentPlan

    init(_ plan: DeploymentPlan) { self.plan = plan }

    /// The whole report.
    var text: String {
        var sections: [String] = [headline, options, choice]
        if let fleet = plan.mixedFleet { sections.append(Self.fleet(fleet)) }
        sections.append(sensitivity)
        sections.append(RejectionText.grouped(plan.rejected))
        sections.append(provenance)
        return sections.filter { !$0.isEmpty }.joined(separator: "\n\n")
    }

    private var headline: String {
        var lines: [String] = [
            "Plan for \(plan.model.name) (\(BenchText.figure(Double(plan.model.parameters) / 1e9))B), workload "
                + "\(plan.workload.name): \(plan.workload.description)."
        ]
        let rate: String = plan.targets.requestRate.map { "\(BenchText.figure($0)) requests/s" } ?? "the highest rate"
        let targets: String = plan.targets.objective.targets.isEmpty ? "no limit" : plan.targets.objective.description
        var line: String = "Demanded: \(rate) within \(targets)"
        if let goodput = plan.targets.goodput { line += ", \(BenchText.percent(goodput)) of the requests within all" }
        if let budget = plan.targets.budget { line += ", at most \(Self.usd(budget))/h" }
        lines.append(line + ".")
        return lines.joined(separator: "\n")
    }

    // MARK: Options

    private var options: String {
        var table = TextTable(
            ["option", "$/h", "$/M tok", "in", "out", "$/k req", "carries/s"] + latencyNames + [
                "out tok/s", "stands out as",
            ],
            right: Set(1...(7 + latencyNames.count)))
        for option in plan.alternatives { table.add(row(option)) }
        let legend: String =
            "$/M tok: all tokens; in, out: prompts' and answers' shares. Latencies at "
            + (plan.targets.requestRate == nil ? "the rate carried" : "the demanded rate")
            + ", ±: 95% of seeds and model error."
        return table.text + "\n" + legend
    }

    /// The latencies that targets speak of, or the usual ones.
    private var figures: [(metric: LatencyMetric, statistic: LatencyStatistic)] {
        let asked = plan.targets.objective.targets.map { (metric: $0.metric, statistic: $0.statistic) }
        return asked.isEmpty ? [(.ttft, .percentile(99)), (.tpot, .percentile(50))] : asked
    }

    private var latencyNames: [String] { figures.map { "\($0.metric.rawValue) \($0.statistic)" } }

    private func row(_ option: PlanOption) -> [String] {
        let prediction: PlanPrediction = option.prediction
        let cost: PlanCost = prediction.cost
        var cells: [String] = [
            option.name, Self.usd(cost.perHour), Self.usd(cost.perMillionTokens), Self.usd(cost.perMillionInputTokens),
            Self.usd(cost.perMillionOutputTokens), Self.usd(cost.perRequest.map { $0 * 1000 }),
            prediction.capacity.map { BenchText.figure($0) } ?? "-",
        ]
        for (metric, statistic) in figures {
            cells.append(prediction.latency(metric).value(statistic).map { Self.interval($0) } ?? "-")
        }
        cells.append(BenchText.figure(prediction.outputThroughput.value))
        cells.append(option.roles.map(\.rawValue).joined(separator: ", "))
        return cells
    }

    // MARK: The choice

    private var choice: String {
        let option: PlanOption = plan.choice
        let nodes: [String] = option.hardware.nodes.map { (node: PlanNodes) -> String in
            let place: String = [node.provider, node.region].compactMap { $0 }.joined(separator: " ")
            let date: String = node.priceSource.map { ", price of \($0.date)" } ?? ""
            return "\(node.count) x \(node.instance) (\(place)\(date))"
        }
        let load: PlanLoad = option.prediction.load
        var lines: [String] = ["Chosen: \(option.name) on \(nodes.joined(separator: " + "))."]
        lines.append("  recipe   \(Self.recipe(option.recipe))")
        lines.append(
            "  load     \(BenchText.percent(load.utilisation)) busy, \(BenchText.figure(load.running)) requests running per "
                + "replica, KV cache of \(load.kvTokens) tokens \(BenchText.percent(load.kvUse)) full, prefix hits "
                + "\(BenchText.percent(load.prefixHits)), \(BenchText.figure(load.preemptions)) preemptions per 1000 requests"
        )
        lines.append("  step     \(Self.parts(option.breakdown))")
        let evidence = option.prediction.method.evidence.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let shares: [String] = evidence.map { "\($0.key) \(BenchText.percent($0.value))" }
        lines.append("  rests on \(shares.joined(separator: ", "))")
        let hold: String =
            plan.guarantee.holdsOverInterval
            ? "hold over the whole interval" : "hold in the mean, not over the interval"
        if !plan.targets.objective.targets.isEmpty { lines.append("  targets  \(hold)") }
        return lines.joined(separator: "\n")
    }

    static func recipe(_ recipe: Recipe) -> String {
        var words: [String] = [
            "--tp \(recipe.tensorParallelSize)", "--pp \(recipe.pipelineParallelSize)",
            "--dp \(recipe.dataParallelSize)", "--max-num-seqs \(recipe.maxNumSeqs)",
            "--max-num-batched-tokens \(recipe.maxNumBatchedTokens)",
        ]
        if let length = recipe.maxModelLen { words.append("--max-model-len \(length)") }
        if let chunk = recipe.chunkedPrefillSize { words.append("--chunked-prefill-size \(chunk)") }
        if let quantization = recipe.quantization { words.append("--quantization \(quantization)") }
        if recipe.cacheDtype != "auto" { words.append("--kv-cache-dtype \(recipe.cacheDtype)") }
        if recipe.schedulingPolicy != "auto" { words.append("--scheduling-policy \(recipe.schedulingPolicy)") }
        if !recipe.usePrefixCaching { words.append("--no-enable-prefix-caching") }
        if recipe.offloadingNum > 0 { words.append("offloading_num \(BenchText.figure(recipe.offloadingNum))") }
        return words.joined(separator: " ")
    }

    static func parts(_ parts: [PlanStepShare]) -> String {
        let whole: Double = parts.reduce(0.0) { (sum: Double, part: PlanStepShare) -> Double in sum + part.milliseconds
        }
        let shown: [String] = parts.filter { $0.share >= 0.005 }.map { "\($0.part) \(BenchText.percent($0.share))" }
        return "\(BenchText.figure(whole)) ms on average: \(shown.joined(separator: ", "))"
    }

    // MARK: What else

    private static func fleet(_ fleet: PlanFleet) -> String {
        var lines: [String] = [
            "Mixed fleet for \(usd(fleet.usdPerHour))/h" + (fleet.isOptimal ? "" : " (not proven to be the cheapest)")
                + ":"
        ]
        for part in fleet.parts {
            let shares: [String] = part.shares.sorted { $0.key < $1.key }.map {
                "\(BenchText.percent($0.value)) of \($0.key)"
            }
            lines.append(
                "  \(part.replicas) x \(part.option) (\(usd(part.usdPerHour))/h each): \(shares.joined(separator: "; "))"
            )
        }
        return lines.joined(separator: "\n")
    }

    private var sensitivity: String {
        var lines: [String] = []
        if let room = plan.sensitivity.headRoom {
            lines.append("Head-room: the chosen option carries \(BenchText.percent(room)) more than the demanded rate.")
        }
        for flip in plan.sensitivity.flips {
            let change: Double = flip.ratioAtFlip / flip.ratioNow - 1
            lines.append(
                "\(flip.role.rawValue) would be \(flip.option) if its accelerator cost \(BenchText.figure(flip.ratioAtFlip)) "
                    + "times the chosen one's (now \(BenchText.figure(flip.ratioNow)) times, \(BenchText.percent(change)))."
            )
        }
        return lines.joined(separator: "\n")
    }

    private var provenance: String {
        let origin: PlanProvenance = plan.provenance
        let method: PlanMethod = plan.choice.prediction.method
        var lines: [String] = [
            "\(origin.options) options, \(origin.simulated) simulated; the reported ones with \(method.requests) requests over "
                + "\(method.seeds) seeds. Engine \(origin.engine), seed \(origin.seed), \(origin.generator), \(origin.date)."
        ]
        lines += origin.notes.map { "Note: \($0)" }
        return lines.joined(separator: "\n")
    }

    // MARK: Figures

    static func usd(_ value: Double?) -> String {
        guard let value else { return "-" }
        return value >= 100 || value == 0
            ? BenchText.figure(value) : value >= 0.01 ? Self.cents(value) : BenchText.figure(value)
    }

    private static func cents(_ value: Double) -> String {
        let decimals: Int = value >= 1 ? 100 : 1000
        let whole: Int = Int((value * Double(decimals)).rounded())
        let rest: String = "\(whole % decimals)"
        let zeros: String = String(repeating: "0", count: "\(decimals)".count - 1 - rest.count)
        return "\(whole / decimals).\(zeros)\(rest)"
    }

    /// `812±40 ms`.
    static func interval(_ estimate: PlanEstimate) -> String {
        let isSeconds: Bool = estimate.value >= 1000
        let scale: Double = isSeconds ? 1000 : 1
        let half: Double = max(estimate.high - estimate.value, estimate.value - estimate.low) / scale
        let unit: String = isSeconds ? "s" : "ms"
        return "\(BenchText.figure(estimate.value / scale))±\(BenchText.figure(half)) \(unit)"
    }
}

/// Rejected options by what binds.
enum RejectionText {
    /// A line per kind of reason with how many it rejected, and an example.
    static func grouped(_ rejected: [PlanRejection]) -> String {
        guard !rejected.isEmpty else { return "" }
        var lines: [String] = ["Left out (all of them with their reasons: --json or -o):"]
        for reason in PlanRejection.Reason.allCases {
            let own: [PlanRejection] = rejected.filter { $0.reason == reason }
            guard let first = own.first else { continue }
            lines.append("  \(reason.rawValue) (\(own.count)): \(first.option): \(first.message)")
        }
        return lines.joined(separator: "\n")
    }
}

/// What is said when nothing fits.
struct NothingFits {
    let result: PlanResult
    let question: PlanQuestion

    init(_ result: PlanResult, _ question: PlanQuestion) {
        self.result = result
        self.question = question
    }

    var text: String {
        var lines: [String] = [
            "Nothing meets the demands: \(result.options) options, \(result.simulated) simulated.", "",
        ]
        if !result.nearest.isEmpty {
            lines.append("Nearest within the bounds:")
            var table = TextTable(["option", "$/h", "carries/s", "what binds"], right: [1, 2])
            for one in result.nearest {
                let binding: String = one.binding + (one.remedy.map { "; \($0)" } ?? "")
                table.add([one.option, PlanText.usd(one.usdPerHour), BenchText.figure(one.carries), binding])
            }
            lines += [table.text, ""]
        }
        lines.append(RejectionText.grouped(result.rejected))
        return lines.joined(separator: "\n")
    }

    var json: JSONValue {
        .object(
            JSONObject([
                ("error", "nothing meets the demands"), ("options", .integer(result.options)),
                ("simulated", .integer(result.simulated)),
                ("nearest", (try? JSONValue(encoding: result.nearest)) ?? .null),
                ("rejected", (try? JSONValue(encoding: result.rejected)) ?? .null),
            ]))
    }
}
