// How long a replica's steps take, and what they hold meanwhile: the part of a replica that is not scheduling.
import CServeCore
import CServeCost
import CServeScheduling

/// Times micro-batches, and keeps books about stages and memory.
struct ReplicaClock: Sendable {
    private(set) var stages: StageTimeline
    var memory = MemoryMeter()
    private let timing: any StepTiming
    /// Kept, so that a step costs no allocation.
    private var composition = StepComposition()

    init(_ timing: any StepTiming) {
        self.timing = timing
        stages = StageTimeline(stages: timing.stages)
    }

    /// Starts a micro-batch; returns when it ends.
    mutating func run(_ batch: MicroBatch, at now: Nanoseconds) -> Nanoseconds {
        composition.prefills.removeAll(keepingCapacity: true)
        composition.prefillTokens = 0
        composition.decodes = 0
        composition.decodeContext = 0
        composition.longestDecodeContext = 0
        composition.sampledRows = 0
        for index in batch.entries.indices {
            let start: Int = batch.entries[index].start
            if index < batch.load.decodes {
                composition.addDecode(context: start + 1)
            } else {
                composition.addPrefill(
                    tokens: batch.entries[index].tokens.count, context: start,
                    samples: batch.entries[index].sampledTokens > 0)
            }
        }
        return stages.run(composition, timing, at: now)
    }

    /// Runs one step of a skip ahead; returns when it ends.
    mutating func run(_ step: SteadyStep, at now: Nanoseconds) -> Nanoseconds {
        if !composition.prefills.isEmpty {
            composition.prefills.removeAll(keepingCapacity: true)
            composition.prefillTokens = 0
        }
        composition.decodes = step.load.decodes
        composition.decodeContext = step.load.context
        composition.longestDecodeContext = step.longestContext
        composition.sampledRows = step.load.decodes
        memory.hold(step.usedBlocks, from: now)
        return stages.run(composition, timing, at: now)
    }
}
