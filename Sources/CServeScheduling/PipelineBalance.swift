// Shares the work out among the micro-batches in flight, so that no stage waits for a longer one.
import CServeCore

/// The part of all decodes that one micro-batch takes: an even share of the predicted time, or of the number.
///
/// Source: vLLM PR 57433 and gLLM (decodes capped at demand / stages); by predicted time where a model is known, since
/// long contexts cost more.
struct DecodeShare {
    var most: Int = Int.max
    var target: Nanoseconds?
    var predictor: StepTimePredictor = StepTimePredictor(function: nil, linear: nil)

    var isLimited: Bool { most != Int.max }

    /// Whether one more decode belongs into a micro-batch: if it brings the time nearer to the even share.
    ///
    /// A branch that was passed over is taken as long as the share is not reached, even if it leads far beyond: as the
    /// shares add up to everything, it cannot be passed over for ever.
    @inline(__always)
    func hasRoom(_ load: BatchLoad, start: Int, wasPassedOver: Bool) -> Bool {
        if load.decodes == 0 { return true }
        guard let target, let now = predictor.predict(load) else { return load.decodes < most }
        if wasPassedOver { return now < target }
        var more = load
        more.addDecode(start: start)
        guard let then = predictor.predict(more) else { return now < target }
        return then - target <= target - now
    }
}

extension Scheduler {
    /// The model that predicts stage times, fixed for one decision.
    var predictor: StepTimePredictor {
        StepTimePredictor(function: stepTime.function, linear: stepTime.function == nil ? estimator.model : nil)
    }

    /// With one stage everything; with several an even share of all running decodes, those in flight included.
    func decodeShare() -> DecodeShare {
        let stages: Int = configuration.stages
        guard stages > 1, configuration.balancesStages else { return DecodeShare() }
        var all = BatchLoad()
        for slot in running where branches[slot].scheduled + 1 >= branches[slot].prompt.count {
            all.addDecode(start: branches[slot].scheduled)
        }
        let most: Int = max(1, (all.decodes + stages - 1) / stages)
        let part = BatchLoad(
            tokens: (all.tokens + stages - 1) / stages, prefillTokens: 0, decodes: most,
            context: (all.context + stages - 1) / stages)
        let predictor = self.predictor
        return DecodeShare(most: most, target: predictor.predict(part), predictor: predictor)
    }

    /// The prompt tokens that may join a pass of decodes.
    func promptBudget(beside pass: Pass) -> Int {
        let situation = PromptSituation(
            decodes: pass.load, room: pass.budget, waitingTokens: promptBacklog(pass),
            batchedTokens: configuration.maxNumBatchedTokens, blockSize: configuration.blockSize)
        let policy: Int = configuration.policy.promptTokens(situation, predictor)
        guard configuration.stages > 1, configuration.balancesStages else { return policy }
        let free: Double = Double(memory.freeCount) / Double(configuration.blockCount)
        let even: Int = PromptThrottle.tokens(
            waiting: situation.waitingTokens, freeShare: free, most: configuration.maxNumBatchedTokens)
        return min(policy, even)
    }

    private func promptBacklog(_ pass: Pass) -> Int {
        pass.prompts.reduce(waiting.promptTokens) { (sum: Int, slot: Int) -> Int in
            sum + branches[slot].known - branches[slot].scheduled
        }
    }

    /// Seconds until the waiting prompts are about computed, from 1 to 60.
    var drainSeconds: Int {
        let perPass: Int = configuration.maxNumBatchedTokens
        let full = BatchLoad(tokens: perPass, prefillTokens: perPass, decodes: 0, context: perPass * perPass / 2)
        guard let time = predictor.predict(full) else { return 1 }
        let passes: Int = (waiting.promptTokens + perPass - 1) / perPass
        return max(1, min(60, Int((Double(passes) * time.seconds).rounded(.up))))
    }
}

/// gLLM's token throttling: an eighth of what waits, less as the cache fills, so that passes in flight stay alike.
enum PromptThrottle {
    static let passes: Int = 8
    static let least: Int = 32
    static let keptFree: Double = 0.05

    static func tokens(waiting: Int, freeShare: Double, most: Int) -> Int {
        let ratio: Double = max(0, (freeShare - keptFree) / (1 - keptFree))
        let byMemory: Int = Int((ratio * Double(most)).rounded())
        let byQueue: Int = (waiting + passes - 1) / passes
        return max(min(least, most), min(byMemory, byQueue))
    }
}
