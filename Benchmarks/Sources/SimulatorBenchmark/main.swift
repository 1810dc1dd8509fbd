// How many requests a second are simulated on one core: step by step, and with steady decode skipped ahead.
import CServeCore
import CServeCost
import CServeScheduling
import CServeSimulator
import CServeWorkload
import Foundation

/// Step times that are linear in the work, near those of a model of 7 to 8 billion parameters in bf16 on one A100-80: weights and
/// cache read at 0.7 of 2.0 TB/s, prompts computed at 0.6 of 312 TFLOP/s.
struct LinearTiming: StepTiming {
    /// 13.5 to 16 GB of weights.
    var weights: Double
    /// Per cached position.
    var context: Double
    var stages: Int { 1 }
    var egressTime: Nanoseconds { 200_000 }

    func stageTime(of step: StepComposition, stage: Int) -> Nanoseconds {
        var span: Double = max(weights, Double(step.tokens) * 72_000) + Double(step.decodeContext) * context
        for chunk in step.prefills { span += Double(chunk.tokens) * Double(chunk.context + chunk.tokens / 2) * 1.4 }
        return Nanoseconds(span)
    }
    func sendTime(of step: StepComposition, after stage: Int) -> Nanoseconds { 0 }
    func hostTime(of step: StepComposition) -> Nanoseconds { 300_000 + Nanoseconds(step.sampledRows) * 5_000 }
    func ingressTime(promptTokens: Int) -> Nanoseconds { 200_000 + Nanoseconds(promptTokens) * 300 }
}

/// Chat: lognormal lengths with the means and medians of LMSYS-Chat-1M as vidur's paper has them (in 686/417, out 197/139),
/// Poisson arrivals.
func chat(_ count: Int, rate: Double?, seed: UInt64) -> [WorkloadRequest] {
    var random = SeededGenerator(seed: seed)
    func lognormal(mean: Double, median: Double, most: Int) -> Int {
        let normal: Double = (-2 * log(1 - random.unit())).squareRoot() * cos(2 * .pi * random.unit())
        let value: Double = median * exp((2 * log(mean / median)).squareRoot() * normal)
        return min(most, max(1, Int(value.rounded())))
    }
    var time: Double = 0
    return (0..<count).map { (index: Int) -> WorkloadRequest in
        if let rate { time += -log(1 - random.unit()) / rate }
        return WorkloadRequest(
            index: index, arrival: Nanoseconds(time * 1e9), promptLength: lognormal(mean: 686, median: 417, most: 3072),
            outputLength: lognormal(mean: 197, median: 139, most: 1024))
    }
}

/// This process's time on a core, in seconds.
func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

struct Scenario {
    var name: String
    var requests: [WorkloadRequest]
    var blocks: Int
    var timing: LinearTiming
    var load: LoadPattern = .openLoop
    var policy: SchedulingPolicy = .auto
    /// Whether prompts get texts although they share nothing.
    var texts: Bool = false

    func run(skips: Bool) -> (rate: Double, report: SimulationReport) {
        var settings = SchedulerConfiguration(
            blockCount: blocks, maxNumSeqs: 256, maxNumBatchedTokens: 2048, maxModelLength: 4096)
        settings.maxQueuedRequests = .max
        settings.maxQueuedTokens = .max / 2
        settings.policy = policy
        var options = SimulationOptions()
        options.load = load
        options.skipsSteadySteps = skips
        let simulator = Simulator(ClusterSpec(ReplicaSpec(scheduler: settings, timing: timing)), options)
        var best: Double = .infinity
        var report: SimulationReport?
        for _ in 0..<repeats {
            let start: Double = processorTime()
            report = texts ? simulator.run(IteratorSequence(requests.makeIterator())) : simulator.run(requests)
            best = min(best, processorTime() - start)
        }
        return (Double(requests.count) / best, report ?? simulator.run([]))
    }
}

let arguments: [String] = CommandLine.arguments
let count: Int = arguments.count > 1 ? Int(arguments[1]) ?? 20_000 : 20_000
let only: String? = arguments.count > 2 ? arguments[2] : nil
let repeats: Int = arguments.count > 3 ? Int(arguments[3]) ?? 3 : 3
// Llama-2-7B: 13.5 GB, 524 kB a position, 107,000 positions; Llama-3-8B: 16 GB, 131 kB, 412,000 positions.
let seven = LinearTiming(weights: 9_600_000, context: 374)
let eight = LinearTiming(weights: 11_400_000, context: 94)
let scenarios: [Scenario] = [
    Scenario(
        name: "saturation, 256 running", requests: chat(count, rate: nil, seed: 1), blocks: 25_700, timing: eight,
        load: .closedLoop(clients: 300)),
    Scenario(name: "6.45 requests/s", requests: chat(count, rate: 6.45, seed: 1), blocks: 6_700, timing: seven),
    Scenario(name: "4 requests/s", requests: chat(count, rate: 4, seed: 1), blocks: 6_700, timing: seven),
    Scenario(name: "2 requests/s", requests: chat(count, rate: 2, seed: 1), blocks: 6_700, timing: seven),
    Scenario(
        name: "6.45 requests/s, prompts with texts", requests: chat(count, rate: 6.45, seed: 1), blocks: 6_700,
        timing: seven, texts: true),
    Scenario(
        name: "6.45 requests/s, throughput policy", requests: chat(count, rate: 6.45, seed: 1), blocks: 6_700,
        timing: seven, policy: .throughput),
]
print("\(count) chat requests, one replica, best of \(repeats) by processor time")
print("scenario | mean running | steps | step by step, requests/s | skipping, requests/s | ratio")
for scenario in scenarios where only.map({ scenario.name.hasPrefix($0) }) ?? true {
    let full = scenario.run(skips: false)
    let skipped = scenario.run(skips: true)
    precondition(full.report == skipped.report, "skipping changed the report")
    let report: SimulationReport = full.report
    let running: Double = report.throughput.requestsPerSecond * (report.e2e.mean - report.queueTime.mean) / 1000
    print(
        "\(scenario.name) | \(Int(running.rounded())) | \(report.steps) | \(Int(full.rate)) | \(Int(skipped.rate)) | "
            + "\((skipped.rate / full.rate * 10).rounded() / 10)")
}
