// A first guess without a simulation: what a replica does in a steady state, if every request were the mean one.
import CServeCore
import CServeCost

/// The mean-field estimate from which the search of the capacity starts, and at which a mean step's parts are shown.
struct FluidModel: Sendable {
    let cost: StepCost
    let sample: RequestSample
    let recipe: Recipe
    let kvTokens: Int
    /// Prompt tokens per request that have to be computed.
    let prompt: Double

    init(_ replica: FeasibleReplica, _ sample: RequestSample) {
        cost = replica.cost
        self.sample = sample
        recipe = replica.placement.recipe
        kvTokens = replica.budget.kvTokens
        prompt = recipe.usePrefixCaching ? sample.meanOwn : sample.meanPrompt
    }

    /// A steady state.
    struct State: Sendable {
        /// Requests per second.
        var rate: Double
        /// Seconds between a request's tokens.
        var tokenTime: Double
        /// The micro-batch that repeats itself.
        var step: StepComposition
    }

    /// The state of the highest rate whose tokens come no slower than a limit (seconds); nil if even one request alone is
    /// slower.
    func fastest(tokenTime limit: Double) -> State? {
        let most: Int = concurrency
        guard state(running: 1).tokenTime <= limit else { return nil }
        var low: Int = 1
        var high: Int = most
        while low < high {
            let middle: Int = (low + high + 1) / 2
            if state(running: middle).tokenTime <= limit { low = middle } else { high = middle - 1 }
        }
        return state(running: low)
    }

    /// The fewest requests running at once that give a rate; all that can where none do.
    func running(atRate rate: Double) -> Int {
        var low: Int = 1
        var high: Int = concurrency
        while low < high {
            let middle: Int = (low + high) / 2
            if state(running: middle).rate >= rate { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// Requests that can run at once: by the setting, and by the room for their keys and values.
    var concurrency: Int {
        let held: Double = prompt + sample.meanOutput / 2
        return max(1, min(recipe.maxNumSeqs, Int(Double(kvTokens) / max(1, held))))
    }

    /// What happens while so many requests run at once, each for its answer's length.
    func state(running: Int) -> State {
        let stages: Double = Double(cost.stages)
        var decodes: Double = max(1, Double(running) / stages)
        let perDecode: Double = prompt / sample.meanOutput
        let room: Double = Double(recipe.maxNumBatchedTokens)
        if decodes * (1 + perDecode) > room { decodes = room / (1 + perDecode) }
        let step: StepComposition = composition(decodes: decodes, prefill: decodes * perDecode)
        var slowest: Nanoseconds = 0
        var whole: Nanoseconds = 0
        for stage in 0..<cost.stages {
            let own: Nanoseconds = cost.stageTime(of: step, stage: stage) + (stage == 0 ? cost.hostTime(of: step) : 0)
            slowest = max(slowest, own)
            whole += own + cost.sendTime(of: step, after: stage)
        }
        let filled: Double = min(stages, Double(running))
        let time: Double = max(Double(slowest) * filled, Double(whole)) / 1e9
        return State(rate: decodes * filled / sample.meanOutput / time, tokenTime: time, step: step)
    }

    private func composition(decodes: Double, prefill: Double) -> StepComposition {
        var step = StepComposition()
        let count: Int = max(1, Int(decodes.rounded()))
        let context: Double = sample.meanPrompt + sample.meanOutput / 2
        step.decodes = count
        step.decodeContext = Int(Double(count) * context)
        step.longestDecodeContext = count == 1 ? Int(context) : Int(1.5 * context)
        step.sampledRows = count
        let tokens: Int = Int(prefill.rounded())
        if tokens > 0 {
            let before: Double = (sample.meanPrompt - prompt) + prompt / 2
            step.addPrefill(tokens: tokens, context: Int(max(0, before)), samples: true)
        }
        return step
    }
}
