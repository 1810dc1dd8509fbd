// The engine's own step, timed without thread, text or HTTP: what `cserve bench offline` measures.

import CServeCore
import CServeScheduling

/// What some steps took.
public struct StepTimes: Hashable, Sendable {
    /// Steps.
    public var steps: Int = 0
    /// Tokens computed or generated, whichever the run counts.
    public var tokens: Int = 0
    /// Seconds of all steps: scheduling, inputs, the forward pass, sampling, events.
    public var seconds: Double = 0
    /// Seconds of these inside the model's forward pass (logits included, sampling not).
    public var forwardSeconds: Double = 0

    /// Tokens per second.
    public var tokensPerSecond: Double { Double(tokens) / seconds }
    /// The share of the time outside the forward pass.
    public var overhead: Double { 1 - forwardSeconds / seconds }
}

/// Drives a loaded model step by step on the caller's thread, as the engine's loop does on its own.
///
/// Included: the scheduler, the paged cache, the inputs, the forward pass, greedy sampling and the requests' events.
/// Left out: the loop's inbox, detokenisation, HTTP.
public final class OfflineRun {
    private let core: EngineCore
    private let configuration: EngineConfiguration
    private var lastID: UInt64 = 0
    private var random: UInt64

    /// Prepares a run. The executor is used by this object alone from now on.
    public init(_ configuration: EngineConfiguration, executor: any ModelExecutor) {
        self.configuration = configuration
        random = configuration.seed &+ 1
        core = EngineCore(
            configuration.scheduler, runner: ModelStepRunner(executor), clock: { MonotonicClock.now() })
    }

    /// Computes one prompt of so many random tokens and samples one token; ``StepTimes/tokens`` are the prompt's.
    public func prefill(tokens: Int) -> StepTimes {
        let id = submit(prompt: tokens, answer: 1)
        var times = StepTimes()
        while core.isBusy { step(&times) }
        end([id])
        times.tokens = tokens
        return times
    }

    /// Decodes so many steps of a full batch; ``StepTimes/tokens`` are those generated in them.
    /// - Parameters:
    ///   - batch: Requests that run together.
    ///   - depth: Tokens of each prompt, at least 1: they are computed before the time starts.
    ///   - steps: Steps that are timed.
    public func decode(batch: Int, depth: Int, steps: Int) -> StepTimes {
        // Prompts may take several steps; requests that began early must not end before the time does.
        let slack = batch * depth + batch
        let limit = configuration.scheduler.maxModelLength - depth
        let ids = (0..<batch).map { _ in submit(prompt: depth, answer: min(limit, steps + slack)) }
        var before = StepTimes()
        while core.isBusy, core.snapshot().waiting > 0 || starting > 0 { step(&before) }
        var times = StepTimes()
        let first = core.snapshot().generationTokens
        for _ in 0..<steps where core.isBusy { step(&times) }
        times.tokens = core.snapshot().generationTokens - first
        end(ids)
        return times
    }

    private var live: [LiveRequest] = []
    private var starting: Int { live.count { $0.timings.firstToken == nil } }

    private func submit(prompt: Int, answer: Int) -> RequestID {
        lastID += 1
        let id = RequestID(lastID)
        var request = Request(id: id, promptTokens: (0..<prompt).map { _ in nextToken() })
        request.sampling.temperature = 0
        request.sampling.maxTokens = answer
        request.sampling.ignoreEOS = true
        let (_, continuation) = AsyncStream<[RequestEvent]>.makeStream()
        live.append(
            LiveRequest(request, arrival: MonotonicClock.now(), configuration: configuration, stream: continuation))
        core.add(live[live.count - 1])
        return id
    }

    private func end(_ ids: [RequestID]) {
        for id in ids { core.cancel(id, branch: nil, reason: .abort) }
        _ = core.step()
        live.removeAll()
    }

    private func step(_ times: inout StepTimes) {
        let before = core.snapshot()
        let hasRun = core.step()
        let after = core.snapshot()
        times.seconds += (after.stepTime - before.stepTime).seconds
        times.forwardSeconds += (after.forwardTime - before.forwardTime).seconds
        times.steps += hasRun ? 1 : 0
    }

    /// Random ids, so that no prompt finds another's blocks in the prefix cache.
    private func nextToken() -> TokenID {
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return TokenID(Int(random >> 33) % configuration.vocabularySize)
    }
}
