// When each stage of a replica works: the pipeline's arithmetic, and what it adds up to.
import CServeCore
import CServeCost

/// The stages of one replica in virtual time. Micro-batches pass them in the order in which they were made.
struct StageTimeline: Sendable {
    /// When each stage has finished what it was given.
    private var free: [Nanoseconds]
    /// How long each stage has worked.
    private(set) var busy: [Nanoseconds]
    /// How long any stage has worked, or activations were on their way.
    private(set) var active: Nanoseconds = 0
    private var activeUntil: Nanoseconds = .min
    private var hostFree: Nanoseconds = .min

    init(stages: Int) {
        free = Array(repeating: .min, count: stages)
        busy = Array(repeating: 0, count: stages)
    }

    /// Sends a micro-batch through; returns when it leaves the last stage.
    ///
    /// The host prepares micro-batches one after another, and delays one only where stage 0 would be free earlier.
    mutating func run(_ step: StepComposition, _ timing: any StepTiming, at now: Nanoseconds) -> Nanoseconds {
        hostFree = max(now, hostFree) + timing.hostTime(of: step)
        var ready: Nanoseconds = hostFree
        let start: Nanoseconds = max(ready, free[0])
        for stage in free.indices {
            if stage > 0 { ready += timing.sendTime(of: step, after: stage - 1) }
            let span: Nanoseconds = timing.stageTime(of: step, stage: stage)
            ready = max(ready, free[stage]) + span
            free[stage] = ready
            busy[stage] += span
        }
        active += max(0, ready - max(start, activeUntil))
        activeUntil = max(activeUntil, ready)
        return ready
    }
}
