// Small clusters, workloads and clocks for the simulator's tests.
import CServeCore
import CServeCost
import CServeScheduling
import CServeSimulator
import CServeWorkload

/// Times that are linear in the work: enough to tell a wrong composition from a right one.
struct LinearTiming: StepTiming {
    var stages: Int = 1
    var fixed: Nanoseconds = 5_000_000
    var perToken: Nanoseconds = 20_000
    var perContext: Nanoseconds = 30
    var perLongest: Nanoseconds = 11
    var send: Nanoseconds = 0
    var host: Nanoseconds = 0
    var ingress: Nanoseconds = 0
    var egressTime: Nanoseconds = 0

    func stageTime(of step: StepComposition, stage: Int) -> Nanoseconds {
        var span: Nanoseconds = fixed + Nanoseconds(step.tokens) * perToken
        span += Nanoseconds(step.decodeContext) * perContext + Nanoseconds(step.longestDecodeContext) * perLongest
        for chunk in step.prefills { span += Nanoseconds(chunk.tokens * (chunk.context + chunk.tokens / 2) / 100) }
        return span + Nanoseconds(stage)
    }
    func sendTime(of step: StepComposition, after stage: Int) -> Nanoseconds { send }
    func hostTime(of step: StepComposition) -> Nanoseconds { host + Nanoseconds(step.sampledRows) * host / 64 }
    func ingressTime(promptTokens: Int) -> Nanoseconds { ingress * Nanoseconds(promptTokens) }
}

/// Random requests, by a seed.
struct TestWorkload {
    var count: Int
    /// Mean gap between arrivals; they come as a Poisson process would, by inverse transform of a coarse grid.
    var meanGap: Nanoseconds
    var prompts: ClosedRange<Int> = 8...300
    var outputs: ClosedRange<Int> = 1...120
    /// Texts that prompts may begin with; 0 for none.
    var sharedTexts: Int = 0
    /// Whether every third request is a turn of a conversation.
    var hasTurns: Bool = false

    func requests(seed: UInt64) -> [WorkloadRequest] {
        var random = SeededGenerator(seed: seed, stream: 7)
        var time: Nanoseconds = 0
        return (0..<count).map { (index: Int) -> WorkloadRequest in
            time += Nanoseconds(random.next() % UInt64(2 * meanGap + 1))
            var request = WorkloadRequest(
                index: index, arrival: time, promptLength: prompts.pick(&random), outputLength: outputs.pick(&random))
            if sharedTexts > 0 {
                let text: UInt64 = random.next() % UInt64(sharedTexts)
                request.segments = [PromptSegment(.text(text), tokens: request.promptLength * 2 / 3)]
                request.session = Int(text)
            }
            if hasTurns, index % 3 == 2 {
                request.arrival = nil
                request.after = index - 2
                request.session = index - 2
                request.thinkTime = Nanoseconds(random.next() % 300_000_000)
            }
            return request
        }
    }
}

extension ClosedRange<Int> {
    func pick(_ random: inout SeededGenerator) -> Int {
        lowerBound + Int(random.next() % UInt64(upperBound - lowerBound + 1))
    }
}

/// Settings of a small replica.
func smallScheduler(blocks: Int = 400, seqs: Int = 16) -> SchedulerConfiguration {
    SchedulerConfiguration(
        blockCount: blocks, blockSize: 16, maxNumSeqs: seqs, maxNumBatchedTokens: 256, maxModelLength: 1024)
}
