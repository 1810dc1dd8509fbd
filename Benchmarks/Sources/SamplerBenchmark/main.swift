// What sampling one row costs, setting by setting: a running engine whose model hands out ready-made logits and times
// what the engine does with them. SamplerBenchmark [VOCABULARY]
import CServeCore
import CServeEngine
import CServeScheduling
import Foundation
import Synchronization

/// Nanoseconds that every row took, filled by the engine's thread.
final class Record: Sendable {
    private let times = Mutex<[Double]>([])

    func add(_ time: Double) { times.withLock { $0.append(time) } }

    /// The median and the 99th percentile in microseconds.
    var summary: (median: Double, high: Double) {
        let sorted: [Double] = times.withLock { $0.sorted() }
        guard !sorted.isEmpty else { return (0, 0) }
        return (sorted[sorted.count / 2] / 1000, sorted[sorted.count * 99 / 100] / 1000)
    }
}

/// How a model's logits may lie.
enum Rows: String, CaseIterable {
    /// A few likely tokens far above the rest, as in most steps of a trained model.
    case peaked
    /// Bell-shaped with no likely token: the widest nuclei.
    case wide
    /// All equal.
    case equal

    func make(_ count: Int, seed: UInt64) -> [Float] {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
        func unit() -> Float {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Float(state >> 40) / 16_777_216
        }
        var row: [Float] = (0..<count).map { _ in
            self == .equal ? 0 : (unit() + unit() + unit() + unit() - 2) * 3.5
        }
        if self == .peaked { for rank in 0..<20 { row[Int(unit() * Float(count - 1))] = 16 - Float(rank) * 0.4 } }
        return row
    }
}

/// Hands out logits, one row at a time.
final class ReadyMadeLogits: ModelExecutor {
    let vocabularySize: Int
    let maxModelLength = 4096
    let blockSize = 16
    let totalBlocks = 4096
    let maxBatchedTokens = 4096
    private let record: Record
    private var rows: [[Float]]
    private var next = 0

    init(_ kind: Rows, vocabularySize: Int, record: Record) {
        self.vocabularySize = vocabularySize
        self.record = record
        rows = (1...8).map { kind.make(vocabularySize, seed: $0) }
    }

    func execute(_ inputs: BatchInputs, _ body: (LogitsSlice) throws -> Void) throws {
        for index in inputs.logitRows.indices {
            next = (next + 1) % rows.count
            try rows[next].withUnsafeMutableBufferPointer { values in
                let slice = LogitsSlice(firstWanted: index, rows: 1, vocabularySize: vocabularySize, values: values)
                let time: Duration = try ContinuousClock().measure { try body(slice) }
                record.add(time / .nanoseconds(1))
            }
        }
    }
}

/// Samples some hundred rows with one setting.
func measure(_ kind: Rows, _ vocabulary: Int, _ change: (inout SamplingParameters) -> Void) async throws -> Record {
    let record = Record()
    let executor = ReadyMadeLogits(kind, vocabularySize: vocabulary, record: record)
    var scheduler = SchedulerConfiguration(
        blockCount: executor.totalBlocks, maxNumSeqs: 8, maxNumBatchedTokens: executor.maxBatchedTokens,
        maxModelLength: executor.maxModelLength)
    scheduler.maxQueuedRequests = 8
    let configuration = EngineConfiguration(scheduler: scheduler, vocabularySize: vocabulary)
    let engine = try Engine(configuration, executor: executor)
    var request = Request(id: RequestID(1), promptTokens: [1])
    request.sampling.maxTokens = 400
    request.sampling.seed = 1
    change(&request.sampling)
    for await _ in try engine.submit(request) {}
    return record
}

let settings: [(String, (inout SamplingParameters) -> Void)] = [
    ("greedy", { $0.temperature = 0 }),
    (
        "greedy, logprobs 0",
        {
            $0.temperature = 0; $0.logprobs = 0
        }
    ),
    (
        "greedy, logprobs 20",
        {
            $0.temperature = 0; $0.logprobs = 20
        }
    ),
    ("temperature 0.8", { $0.temperature = 0.8 }),
    ("temperature, min_p 0.05", { $0.minP = 0.05 }),
    (
        "temperature, penalties",
        {
            $0.repetitionPenalty = 1.1; $0.presencePenalty = 0.1
        }
    ),
    ("top_k 50", { $0.topK = 50 }),
    (
        "top_k 50, top_p 0.9",
        {
            $0.topK = 50; $0.topP = 0.9
        }
    ),
    ("top_p 0.9", { $0.topP = 0.9 }),
    ("top_p 0.99", { $0.topP = 0.99 }),
]
let vocabulary: Int = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 128_256
print("µs per row of \(vocabulary) logits: median (99th percentile)")
for (name, change) in settings {
    var line: String = name.padding(toLength: 26, withPad: " ", startingAt: 0)
    for kind in Rows.allCases {
        let (median, high) = try await measure(kind, vocabulary, change).summary
        line += "  \(kind.rawValue) \(Int(median.rounded())) (\(Int(high.rounded())))"
    }
    print(line)
}
