// Where the time of a mean step goes, and what of it prompts and answers take.
import CServeCore
import CServeCost
import CServeSimulator

/// A mean step of some runs, taken apart.
struct StepParts: Sendable {
    /// The parts of one micro-batch on its way through all stages, largest first; idle stages are the bubble.
    let shares: [PlanStepShare]
    /// The share of the time that is there because of prompts: what a step would be shorter without its prompt tokens.
    let inputShare: Double
    /// The share of the time by what its prediction rests on.
    let evidence: [String: Double]

    init(_ replica: FeasibleReplica, _ reports: [SimulationReport]) {
        let step: StepComposition = Self.meanStep(replica, reports)
        var decodes: StepComposition = step
        decodes.prefills = []
        decodes.prefillTokens = 0
        let whole: StepBreakdown = Self.breakdown(replica.cost, step)
        inputShare = whole.seconds > 0 ? 1 - Self.breakdown(replica.cost, decodes).seconds / whole.seconds : 0
        let bubble: Double = Self.mean(reports.flatMap(\.replicas).map(\.bubbleShare))
        shares = Self.shares(whole, bubble: replica.cost.stages > 1 ? bubble : 0)
        var evidence: [String: Double] = [:]
        for part in whole.parts {
            let kind: EvidenceKind = replica.cost.evidence[part.kind] ?? .theoretical
            evidence[kind.name, default: 0] += part.seconds / max(1e-12, whole.seconds)
        }
        self.evidence = evidence
    }

    /// Tokens of prompts and decodes per step, as they were on average; contexts are the workload's.
    private static func meanStep(_ replica: FeasibleReplica, _ reports: [SimulationReport]) -> StepComposition {
        let steps: Double = Double(max(1, reports.reduce(0) { $0 + $1.steps }))
        var computed: Double = 0
        var generated: Double = 0
        var completed: Double = 0
        var prompts: Double = 0
        for report in reports {
            computed += Double(report.replicas.reduce(0) { $0 + $1.computedTokens })
            let seconds: Double = report.duration.seconds
            generated += report.throughput.outputTokensPerSecond * seconds
            prompts += (report.throughput.totalTokensPerSecond - report.throughput.outputTokensPerSecond) * seconds
            completed += Double(report.completed)
        }
        let decodes: Double = max(0, generated - completed) / steps
        let prefill: Double = max(0, computed - max(0, generated - completed)) / steps
        let context: Double = (prompts + generated / 2) / max(1, completed)
        var step = StepComposition()
        step.decodes = Int(decodes.rounded())
        step.decodeContext = Int(decodes * context)
        step.longestDecodeContext = Int(decodes >= 2 ? 1.5 * context : context)
        step.sampledRows = step.decodes
        if prefill >= 1 {
            step.addPrefill(
                tokens: Int(prefill.rounded()), context: Int(prompts / max(1, completed) / 2), samples: true)
        } else if step.decodes == 0 {
            step.addDecode(context: max(1, Int(context)))
        }
        return step
    }

    private static func breakdown(_ cost: StepCost, _ step: StepComposition) -> StepBreakdown {
        var sum = StepBreakdown()
        for stage in 0..<cost.stages { sum.add(cost.breakdown(of: step, stage: stage)) }
        return sum
    }

    private static func shares(_ parts: StepBreakdown, bubble: Double) -> [PlanStepShare] {
        let idle: Double = bubble < 1 ? parts.seconds * bubble / (1 - bubble) : 0
        let whole: Double = parts.seconds + idle
        guard whole > 0 else { return [] }
        var all: [(String, Double)] = parts.parts.map { ($0.kind.name, $0.seconds) }
        if idle > 0 { all.append(("pipeline bubble", idle)) }
        return all.sorted { $0.1 > $1.1 }.map { (name: String, seconds: Double) -> PlanStepShare in
            PlanStepShare(part: name, milliseconds: seconds * 1000, share: seconds / whole)
        }
    }

    private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(1, values.count)) }
}
