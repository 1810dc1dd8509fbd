// What a scheduler's step costs: the median time of nextMicroBatch + complete while so many requests decode.
import CServeCore
import CServeScheduling
import Foundation

/// A scheduler whose requests have all computed their prompts.
func decoding(_ count: Int, context: Int) -> Scheduler {
    let most: Int = context + 16 + 4096
    var configuration = SchedulerConfiguration(
        blockCount: count * (most / 16 + 1), maxNumSeqs: count, maxNumBatchedTokens: max(8192, count),
        maxModelLength: most)
    configuration.policy = .throughput
    configuration.eosTokenIDs = [2, 3]
    configuration.maxQueuedRequests = count
    configuration.maxQueuedTokens = count * context
    var scheduler = Scheduler(configuration)
    for number in 1...count {
        // Lengths differ, so that blocks fill up evenly over the steps.
        let prompt: [TokenID] = (0..<(context + number % 16)).map { TokenID(($0 * 31 + number) % 32000) }
        var request = Request(id: RequestID(UInt64(number)), promptTokens: prompt)
        request.sampling.maxTokens = 4096
        _ = scheduler.add(request, at: 0)
    }
    var now: Nanoseconds = 0
    while scheduler.statistics.waiting > 0 || scheduler.steadySteps() == 0 {
        _ = step(&scheduler, now: &now)
    }
    return scheduler
}

/// One step; returns the nanoseconds spent in the scheduler.
func step(_ scheduler: inout Scheduler, now: inout Nanoseconds) -> Int {
    let clock = ContinuousClock()
    var batch: MicroBatch?
    let making = clock.measure { batch = scheduler.nextMicroBatch(at: now) }
    guard let batch else { return 0 }
    let token = TokenRun(TokenID(5 + now % 1000))
    let outputs: [EntryOutput] = batch.entries.map { (entry: MicroBatch.Entry) -> EntryOutput in
        EntryOutput(tokens: entry.sampledTokens == 0 ? TokenRun() : token)
    }
    now += 20 * Nanoseconds.millisecond
    var events: [SchedulerEvent] = []
    let ending = clock.measure { events = scheduler.complete(batch, outputs: outputs, at: now) }
    precondition(events.count >= batch.entries.count / 2)
    return Int((making + ending) / .nanoseconds(1))
}

print("branches  context  p10 ns/step  median ns/step  p99 ns/step  median ns/branch")
for (count, context) in [(64, 512), (256, 512), (1024, 512), (256, 4096)] {
    var scheduler = decoding(count, context: context)
    var now: Nanoseconds = 1_000_000_000_000
    for _ in 0..<200 { _ = step(&scheduler, now: &now) }
    let times: [Int] = (0..<2000).map { _ in step(&scheduler, now: &now) }.sorted()
    let median: Int = times[times.count / 2]
    let quiet: Int = times[times.count / 10]
    print("\(count)  \(context)  \(quiet)  \(median)  \(times[times.count * 99 / 100])  \(median / count)")
}
