// What an option cannot beat: found from the cost model alone, so that hopeless options are never simulated.
import CServeCore
import CServeCost

/// Optimistic limits of one replica. Everything that a simulation adds (queues, company, unlike lengths) makes latencies
/// longer and rates lower, so what these limits exclude no simulation reaches.
struct RooflineBound: Sendable {
    /// Tabulated times may dip by some percent where a table has a step; a limit excludes only what it misses by more.
    static let slack: Double = 1.1

    let replica: FeasibleReplica
    let sample: RequestSample

    init(_ replica: FeasibleReplica, _ sample: RequestSample) {
        self.replica = replica
        self.sample = sample
    }

    private var cost: StepCost { replica.cost }
    private var recipe: Recipe { replica.placement.recipe }

    // MARK: Latencies

    /// The least figures of a latency: those of requests that are alone.
    func least(_ metric: LatencyMetric) -> LatencySummary {
        switch metric {
        case .ttft: LatencySummary(of: sample.kept.map { firstToken(of: $0) })
        case .tpot: LatencySummary(of: sample.kept.filter { $0.output > 1 }.map { tokenGap(context: $0.prompt + 1) })
        case .itl:
            LatencySummary(of: sample.kept.map(\.prompt).min().map { [tokenGap(context: $0 + 1)] } ?? [])
        case .e2e:
            LatencySummary(
                of: sample.kept.map { (one: RequestSample.Lengths) -> Nanoseconds in
                    firstToken(of: one) + Nanoseconds(one.output - 1) * tokenGap(context: one.prompt + 1)
                })
        }
    }

    /// The target that not even requests alone keep, with the least figure in milliseconds.
    func impossible(_ objective: ServiceLevelObjective) -> (target: LatencyTarget, least: Double)? {
        for target in objective.targets {
            // The worst of a sample says nothing of the worst of all.
            if target.statistic == .max { continue }
            guard let value = least(target.metric).value(target.statistic) else { continue }
            if value > Double(target.limit) / 1e6 * Self.slack { return (target, value) }
        }
        return nil
    }

    /// A request alone: its pieces one after the other on the first stage, the last one through the others.
    private func firstToken(of one: RequestSample.Lengths) -> Nanoseconds {
        let computed: Int = recipe.usePrefixCaching ? one.own : one.prompt
        let piece: Int = recipe.useChunkedPrefill ? recipe.chunkedPrefillSize ?? recipe.maxNumBatchedTokens : computed
        var context: Int = one.prompt - computed
        var left: Int = computed
        var time: Nanoseconds = cost.ingressTime(promptTokens: one.prompt) + cost.egressTime
        while left > 0 {
            let tokens: Int = min(left, piece)
            var step = StepComposition()
            step.addPrefill(tokens: tokens, context: context, samples: tokens == left)
            time += cost.hostTime(of: step) + cost.stageTime(of: step, stage: 0)
            left -= tokens
            context += tokens
            guard left == 0 else { continue }
            for stage in 1..<max(1, cost.stages) {
                time += cost.sendTime(of: step, after: stage - 1) + cost.stageTime(of: step, stage: stage)
            }
        }
        return time
    }

    private func tokenGap(context: Int) -> Nanoseconds {
        var step = StepComposition()
        step.addDecode(context: context)
        var time: Nanoseconds = cost.hostTime(of: step)
        for stage in 0..<cost.stages {
            time += cost.stageTime(of: step, stage: stage) + cost.sendTime(of: step, after: stage)
        }
        return time
    }

    // MARK: Rate

    /// Requests per second that one replica cannot exceed, whatever the latencies.
    var mostRate: Double {
        let slowest: Double = (0..<cost.stages).map { secondsPerRequest(stage: $0) }.max() ?? 0
        return slowest > 0 ? Self.slack / slowest : .infinity
    }

    /// The least seconds that a request takes from a stage: its tokens at the best size of a step, its decodes' reading of
    /// keys and values at the best size of a batch; and no less than its share of the steps' reading of the weights.
    private func secondsPerRequest(stage: Int) -> Double {
        let tokens: Double = (recipe.usePrefixCaching ? sample.meanOwn : sample.meanPrompt) + sample.meanOutput - 1
        let work: Double = tokens * secondsPerToken(stage) + sample.meanPromptOutput * secondsPerPosition(stage)
        var one = StepComposition()
        one.addDecode(context: 1)
        let held: Double = recipe.usePrefixCaching ? sample.meanOutput : sample.meanPromptOutput
        let steps: Double = max(
            sample.meanOutput / Double(recipe.maxNumSeqs), held / Double(max(1, replica.budget.kvTokens)))
        return max(work, steps * Double(cost.stageTime(of: one, stage: stage)) / 1e9)
    }

    /// Matrices and sums across ranks alone, at the best size of a step, of prompts or of decodes.
    private func secondsPerToken(_ stage: Int) -> Double {
        var least: Double = .infinity
        var tokens: Int = 1
        while tokens <= recipe.maxNumBatchedTokens {
            var prompt = StepComposition()
            prompt.addPrefill(tokens: tokens, context: 0, samples: false)
            least = min(least, weightWork(prompt, stage) / Double(tokens))
            if tokens <= recipe.maxNumSeqs {
                var decodes = StepComposition()
                decodes.decodes = tokens
                decodes.decodeContext = tokens
                decodes.longestDecodeContext = 1
                least = min(least, weightWork(decodes, stage) / Double(tokens))
            }
            tokens *= 2
        }
        return least
    }

    private func weightWork(_ step: StepComposition, _ stage: Int) -> Double {
        let parts: StepBreakdown = cost.breakdown(of: step, stage: stage)
        return parts[.dense] + parts[.elementwise] + parts[.mixture] + parts[.allReduce]
    }

    private func secondsPerPosition(_ stage: Int) -> Double {
        let decodes: Int = recipe.maxNumSeqs
        let context: Int = max(2, Int(sample.meanPrompt))
        let near: Nanoseconds = time(decodes: decodes, context: 1, stage)
        let far: Nanoseconds = time(decodes: decodes, context: context, stage)
        return max(0, Double(far - near) / 1e9 / Double(decodes) / Double(context))
    }

    private func time(decodes: Int, context: Int, _ stage: Int) -> Nanoseconds {
        var step = StepComposition()
        step.decodes = decodes
        step.decodeContext = decodes * context
        step.longestDecodeContext = context
        return cost.stageTime(of: step, stage: stage)
    }
}
