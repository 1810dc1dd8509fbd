// Single forward passes of a loaded model on chosen compositions, timed operator by operator: what a profile is made of.

import CServeCore

/// The time of one forward pass.
public struct PassTimes: Hashable, Sendable {
    /// By operator, without the head.
    public var operators: [TimedOperator: Double] = [:]
    /// From the inputs to the last layer's end: the operators and what lies between them.
    public var layers: Double = 0
    /// Final norm, head and what follows it, for the sampled rows.
    public var logits: Double = 0

    /// Nothing yet.
    public init() {}

    /// All of the pass.
    public var seconds: Double { layers + logits }
}

/// A decode or a piece of a prompt: so many new tokens behind a context.
public struct ProbeEntry: Hashable, Sendable {
    /// New tokens.
    public var tokens: Int
    /// Positions in the cache before them.
    public var context: Int

    /// Describes an entry.
    public init(tokens: Int, context: Int) {
        self.tokens = tokens
        self.context = context
    }
}

/// A loaded model that runs forward passes on demand, on the caller's thread.
///
/// The cache holds numbers of no meaning, written once so that its pages are real; times do not depend on them.
public final class ModelProbe {
    /// The loaded model.
    public let runner: ModelRunner
    private let clock = OperatorClock()
    private var random: UInt64 = 1

    /// Loads a model on the CPU backend, every operation timed.
    /// - Throws: what ``ModelRunner`` throws.
    public init(
        checkpoint: Checkpoint, recipe: Recipe, availableBytes: Int?, progress: ((LoadProgress) -> Void)? = nil
    ) throws {
        let base = try CPUBackend(threads: recipe.threads, ownsCores: true)
        runner = try ModelRunner(
            checkpoint: checkpoint, recipe: recipe, backend: TimedBackend(base: base, clock: clock),
            availableBytes: availableBytes, progress: progress)
        try fillCache()
    }

    /// Tokens that the cache holds.
    public var capacity: Int { runner.totalBlocks * runner.blockSize }

    /// Runs one pass: entries one after the other, each in blocks of its own; the last `sampled` ones have their logits
    /// computed.
    ///
    /// A pass of less than two milliseconds is repeated at once, and the median taken: an engine's steps follow each other,
    /// while workers are awake and caches warm.
    /// - Throws: ``EngineError`` where the entries do not fit.
    public func pass(_ entries: [ProbeEntry], sampled: Int) throws -> PassTimes {
        let inputs = inputs(entries, sampled: sampled)
        let first = try time(inputs)
        let again = Self.repeats(first.seconds)
        guard again > 0 else { return first }
        let times = try (0..<again).map { _ in try time(inputs) }
        return times.sorted { $0.seconds < $1.seconds }[again / 2]
    }

    private static func repeats(_ seconds: Double) -> Int {
        seconds < 0.002 ? min(11, 3 + Int(0.004 / max(seconds, 1e-6))) : 0
    }

    private func time(_ inputs: BatchInputs) throws -> PassTimes {
        clock.reset()
        var times = PassTimes()
        let spans = try runner.timedPass(inputs, atLayersEnd: { times.operators = clock.times.mapValues(\.seconds) })
        times.layers = spans.layers.seconds
        times.logits = spans.logits.seconds
        return times
    }

    /// Seconds of the attention of all layers alone.
    public func attention(_ entries: [ProbeEntry]) throws -> Double {
        let inputs = inputs(entries, sampled: 0)
        let first = try attention(inputs)
        let again = Self.repeats(first)
        guard again > 0 else { return first }
        return try (0..<again).map { _ in try attention(inputs) }.sorted()[again / 2]
    }

    private func attention(_ inputs: BatchInputs) throws -> Double {
        clock.reset()
        try runner.attend(inputs)
        return clock.times[.attention, default: 0].seconds
    }

    private func inputs(_ entries: [ProbeEntry], sampled: Int) -> BatchInputs {
        var batch = BatchInputs(blockSize: runner.blockSize)
        var block: Int32 = 0
        for (index, entry) in entries.enumerated() {
            let blocks = Int32((entry.tokens + entry.context + runner.blockSize - 1) / runner.blockSize)
            batch.append(
                tokens: (0..<entry.tokens).map { _ in nextToken() }, start: entry.context,
                blockTable: block..<(block + blocks), wanted: index >= entries.count - sampled ? .last : .none)
            block += blocks
        }
        return batch
    }

    private func fillCache() throws {
        let rows = min(runner.maxBatchedTokens, runner.maxModelLength) / runner.blockSize * runner.blockSize
        let step = max(1, rows / runner.blockSize)
        for first in stride(from: 0, to: runner.totalBlocks, by: step) {
            let blocks = Int32(first)..<Int32(min(first + step, runner.totalBlocks))
            var batch = BatchInputs(blockSize: runner.blockSize)
            batch.append(
                tokens: [Int32](repeating: 0, count: blocks.count * runner.blockSize), start: 0, blockTable: blocks,
                wanted: .none)
            try runner.store(batch)
        }
    }

    private func nextToken() -> TokenID {
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return TokenID(Int(random >> 33) % runner.vocabularySize)
    }
}
