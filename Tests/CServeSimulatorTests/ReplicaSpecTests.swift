import CServeCore
import CServeCost
import CServeScheduling
import CServeSimulator
import Testing

/// Every stage takes a millisecond.
struct FixedTiming: StepTiming {
    var stages: Int
    var egressTime: Nanoseconds { 0 }

    func stageTime(of step: StepComposition, stage: Int) -> Nanoseconds { .millisecond }
    func sendTime(of step: StepComposition, after stage: Int) -> Nanoseconds { 0 }
    func hostTime(of step: StepComposition) -> Nanoseconds { 0 }
    func ingressTime(promptTokens: Int) -> Nanoseconds { 0 }
}

@Suite("Replicas")
struct ReplicaSpecTests {
    @Test("a replica keeps as many micro-batches in flight as it has stages")
    func stages() {
        let settings = SchedulerConfiguration(blockCount: 8, maxModelLength: 64)
        #expect(ReplicaSpec(scheduler: settings, timing: FixedTiming(stages: 4)).scheduler.depth == 4)
    }
}
