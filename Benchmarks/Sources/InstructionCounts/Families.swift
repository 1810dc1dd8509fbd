// The pieces of work whose instructions are counted.
import CServeCore
import CServeEngine
import CServeScheduling
import CServeText
import Foundation

// MARK: Scheduler

private func scheduler(_ count: Int, prompt: Int) -> Scheduler {
    var configuration = SchedulerConfiguration(
        blockCount: count * ((prompt + 256) / 16 + 1), maxNumSeqs: count, maxNumBatchedTokens: 8192,
        maxModelLength: prompt + 256)
    configuration.policy = .throughput
    configuration.maxQueuedRequests = count
    configuration.maxQueuedTokens = count * prompt
    return Scheduler(configuration)
}

private func request(_ number: Int, prompt: Int) -> Request {
    var request = Request(
        id: RequestID(UInt64(number)), promptTokens: (0..<prompt).map { TokenID(($0 * 31 + number) % 32000) })
    request.sampling.maxTokens = 256
    request.sampling.ignoreEOS = true
    return request
}

/// One step: every branch that samples gets a token.
private func step(_ scheduler: inout Scheduler, _ now: inout Nanoseconds) {
    guard let batch = scheduler.nextMicroBatch(at: now) else { return }
    let outputs = batch.entries.map { EntryOutput(tokens: $0.sampledTokens == 0 ? TokenRun() : TokenRun(TokenID(7))) }
    now += Nanoseconds.millisecond
    _ = scheduler.complete(batch, outputs: outputs, at: now)
}

func schedulerFamilies() -> [Family] {
    [
        Family(name: "scheduler: 64 prompts of 256 come in and start") {
            var scheduler = scheduler(64, prompt: 256)
            let requests = (1...64).map { request($0, prompt: 256) }
            var now: Nanoseconds = 0
            counted {
                for request in requests { _ = scheduler.add(request, at: now) }
                for _ in 0..<3 { step(&scheduler, &now) }
            }
        },
        Family(name: "scheduler: 64 steps of 64 decodes") {
            var scheduler = scheduler(64, prompt: 100)
            var now: Nanoseconds = 0
            for number in 1...64 { _ = scheduler.add(request(number, prompt: 100), at: now) }
            for _ in 0..<8 { step(&scheduler, &now) }
            counted { for _ in 0..<64 { step(&scheduler, &now) } }
        },
    ]
}

// MARK: Tokenizer

/// The built-in model's tokenizer, from the sources.
private func tokenizer() throws -> Tokenizer {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    return try Tokenizer(directory: root.appendingPathComponent("Assets/model"))
}

private let text: String = (0..<40).map {
    "Paragraph \($0): the scheduler's KV cache holds blocks — naïve, isn't it? 日本語 "
}
.joined(separator: "\n")

func tokenizerFamilies() -> [Family] {
    [
        Family(name: "tokenizer: encode 40 lines") {
            let tokenizer = try tokenizer()
            _ = tokenizer.encode("Warm up.")
            counted { _ = tokenizer.encode(text) }
        },
        Family(name: "tokenizer: decode 40 lines") {
            let tokenizer = try tokenizer()
            let tokens = tokenizer.encode(text)
            counted { _ = tokenizer.decode(tokens) }
        },
    ]
}

// MARK: Sampler

/// Hands out one row of logits again and again and counts what the engine does with it.
private final class ReadyMadeLogits: ModelExecutor {
    let vocabularySize = 32_000
    let maxModelLength = 64
    let blockSize = 16
    let totalBlocks = 16
    let maxBatchedTokens = 64
    private let row: [Float]
    private var steps = 0

    init() {
        var state: UInt64 = 1
        row = (0..<32_000).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(state >> 40) / 16_777_216 * 12 - 6
        }
    }

    func execute(_ inputs: BatchInputs, _ body: (LogitsSlice) throws -> Void) throws {
        for index in inputs.logitRows.indices {
            var copy = row
            steps += 1
            copy.withUnsafeMutableBufferPointer { values in
                let slice = LogitsSlice(firstWanted: index, rows: 1, vocabularySize: vocabularySize, values: values)
                // The first steps warm up; the profile is written once.
                if steps == 4 { counted { try? body(slice) } } else { try? body(slice) }
            }
        }
    }
}

private func sample(_ change: (inout SamplingParameters) -> Void) throws {
    let executor = ReadyMadeLogits()
    let scheduler = SchedulerConfiguration(
        blockCount: executor.totalBlocks, maxNumSeqs: 1, maxNumBatchedTokens: executor.maxBatchedTokens,
        maxModelLength: executor.maxModelLength)
    let vocabulary = executor.vocabularySize
    let engine = try Engine(
        EngineConfiguration(scheduler: scheduler, vocabularySize: vocabulary), executor: executor)
    var request = Request(id: RequestID(1), promptTokens: [1, 2, 3])
    request.sampling.maxTokens = 6
    request.sampling.ignoreEOS = true
    request.sampling.seed = 1
    change(&request.sampling)
    let stream = try engine.submit(request)
    let done = DispatchSemaphore(value: 0)
    Task {
        for await _ in stream {}
        done.signal()
    }
    done.wait()
}

func samplerFamilies() -> [Family] {
    [
        Family(name: "sampler: greedy") { try sample { $0.temperature = 0 } },
        Family(name: "sampler: temperature") { try sample { $0.temperature = 0.8 } },
        Family(name: "sampler: top_k 50, top_p 0.9") {
            try sample {
                $0.topK = 50
                $0.topP = 0.9
            }
        },
        Family(name: "sampler: top_p 0.95") { try sample { $0.topP = 0.95 } },
        Family(name: "sampler: penalties, 20 log-probabilities") {
            try sample {
                $0.repetitionPenalty = 1.1
                $0.logprobs = 20
            }
        },
    ]
}

// MARK: Kernels

/// valgrind knows no AVX-512, so the kernels are counted one level below.
private func kernel(_ kernel: KernelCase) -> Family {
    Family(name: "kernel: \(kernel.name)") {
        let level: CPUInstructionSet = CPUInstructionSet.supported.contains(.avx2) ? .avx2 : .portable
        let body = try kernel.prepare(CPUBackend(threads: 1, instructionSet: level))
        body(0)
        counted { body(1) }
    }
}

func kernelFamilies() -> [Family] {
    let heads = KernelCase.Heads(queries: 8, keys: 2, dimension: 64)
    var cases: [KernelCase] = []
    for (name, format) in KernelCase.weightFormats {
        for rows in [1, 8, 33] {
            cases.append(.linear(name, format, rows: rows, inputs: 512, outputs: 256, coldBytes: 0))
        }
        cases.append(.packing(name, format, inputs: 256, outputs: 128))
    }
    for format in CacheFormat.allCases {
        cases.append(.attention(heads, format, requests: 1, rows: 64, context: 64, coldBytes: 0))
        cases.append(.attention(heads, format, requests: 4, rows: 1, context: 200, coldBytes: 0))
        cases.append(.place(heads, rows: 32, storing: format))
    }
    cases += [
        .norm(rows: 8, columns: 2048, adding: false), .norm(rows: 8, columns: 2048, adding: true),
        .activation(rows: 8, columns: 2048), .place(heads, rows: 32, storing: nil),
    ]
    cases += KernelCase.SamplingPass.allCases.map { .sampling($0, vocabulary: 32_000) }
    return cases.map(kernel)
}
