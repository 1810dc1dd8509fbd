// A loaded model and the machine's peaks: the measurements of `cserve bench offline` and how they are told.

import CServeCore
import CServeEngine
import Foundation

/// One line of the table.
enum OfflineTest: Hashable {
    case prefill(tokens: Int)
    case decode(batch: Int, depth: Int, steps: Int)

    /// As llama-bench names it.
    var name: String {
        switch self {
        case .prefill(let tokens): "pp\(tokens)"
        case .decode(let batch, let depth, let steps):
            "tg\(steps)" + (batch > 1 ? " b\(batch)" : "") + (depth > 1 ? " @ d\(depth)" : "")
        }
    }
}

/// What a test gave.
struct OfflineResult {
    var test: OfflineTest
    var tokensPerSecond: Samples = Samples()
    /// Bytes or operations per second that the test reached.
    var rate: Samples = Samples()
    /// What the machine could do at most, beside each repeat.
    var peak: Samples = Samples()
    var overhead: Samples = Samples()
    var limit: Peak
    var steps: Int = 0
}

/// Why a test cannot be run.
enum BenchError: Error, Hashable, CustomStringConvertible {
    case tooLong(test: String, tokens: Int, limit: Int)
    case batchAboveSeqs(batch: Int, maxNumSeqs: Int)
    case cacheTooSmall(test: String, tokens: Int, capacity: Int)
    case nothingMatches(filter: String, families: [String])
    case needsModel(device: String)

    var description: String {
        switch self {
        case .tooLong(let test, let tokens, let limit):
            "\(test) needs \(tokens) tokens per request but the model takes \(limit). Use smaller -p, -n or -d, or a "
                + "larger --max-model-len."
        case .batchAboveSeqs(let batch, let maxNumSeqs):
            "A batch of \(batch) needs as many running requests, but --max-num-seqs is \(maxNumSeqs). Leave it out."
        case .cacheTooSmall(let test, let tokens, let capacity):
            "\(test) needs a KV cache of \(tokens) tokens but it has \(capacity). Use a smaller -b, or more "
                + "--kv-cache-memory-bytes."
        case .nothingMatches(let filter, let families):
            "No kernel's name contains \"\(filter)\". Families: \(families.joined(separator: ", "))."
        case .needsModel(let device):
            "--device \(device) computes nothing that could be measured. Use cpu or reference."
        }
    }
}

/// Runs tests on a model.
final class OfflineSession {
    private let recipe: Recipe
    private let shape: ModelShape
    private let plans: [MemoryPlan]
    private let formats: MemoryPlan.Formats
    private let capacity: Int
    private let maxModelLength: Int
    private let run: OfflineRun
    private let backend: CPUBackend
    private let meter: PeakMeter
    private let quiet: Bool
    private var readPeaks: Samples = Samples()

    init(_ recipe: Recipe, quiet: Bool) throws {
        guard recipe.device != "null" else { throw BenchError.needsModel(device: recipe.device) }
        self.recipe = recipe
        self.quiet = quiet
        let checkpoint: Checkpoint = try ModelLoader.checkpoint(recipe.model)
        let progress: ProgressMeter = ProgressMeter(quiet: quiet)
        let runner: ModelRunner = try ModelRunner(
            checkpoint: checkpoint, recipe: recipe, backend: BackendTable.make(recipe.device, threads: recipe.threads),
            availableBytes: MachineMemory.available(), progress: { progress.show($0.bytes, of: $0.totalBytes) })
        runner.populateCache(waiting: true)
        shape = runner.shape
        (plans, formats) = (runner.plans, runner.formats)
        maxModelLength = runner.maxModelLength
        let scheduler = try recipe.schedulerConfiguration(
            blockCount: runner.totalBlocks, modelLength: shape.lengthLimit(asked: recipe.maxModelLen), endTokens: [])
        capacity = scheduler.capacity
        run = OfflineRun(
            EngineConfiguration(scheduler: scheduler, vocabularySize: shape.vocabularySize, seed: recipe.seed),
            executor: runner)
        backend = try CPUBackend(threads: recipe.threads)
        meter = try PeakMeter(backend)
    }

    /// Refuses what does not fit before anything is timed.
    func check(_ test: OfflineTest) throws(BenchError) {
        let (batch, length): (Int, Int) =
            switch test {
            case .prefill(let tokens): (1, tokens + 1)
            case .decode(let batch, let depth, let steps): (batch, depth + steps + 1)
            }
        guard length <= maxModelLength else {
            throw .tooLong(test: test.name, tokens: length, limit: maxModelLength)
        }
        guard batch <= recipe.maxNumSeqs else {
            throw .batchAboveSeqs(batch: batch, maxNumSeqs: recipe.maxNumSeqs)
        }
        guard batch * (length + recipe.blockSize) <= capacity else {
            throw .cacheTooSmall(test: test.name, tokens: batch * (length + recipe.blockSize), capacity: capacity)
        }
    }

    /// Of the matrices that most of a pass's products are made with. A file of codes has them as exceptions.
    private var mainLayout: WeightLayout {
        let places: [WeightLayouts.Place] = [.init(.gateUp, layer: 0), .init(.expertGateUp, layer: 0)]
        return places.lazy.compactMap { self.formats.weights.exceptions[$0] }.first ?? formats.weights.standard
    }

    /// Warms up once, then repeats, the peak measured before every repeat.
    func measure(_ test: OfflineTest, repeats: Int) -> OfflineResult {
        let arithmetic: Peak = mainLayout.format.arithmetic
        let limit: Peak =
            switch test {
            case .prefill: meter.measure(arithmetic) == nil ? .float32 : arithmetic
            case .decode: .read
            }
        var result: OfflineResult = OfflineResult(test: test, limit: limit)
        _ = times(test)
        for _ in 0..<repeats {
            readPeaks.add(meter.measure(.read) ?? 0)
            result.peak.add(meter.measure(limit) ?? 0)
            let times: StepTimes = times(test)
            result.tokensPerSecond.add(times.tokensPerSecond)
            result.overhead.add(times.overhead)
            result.rate.add(work(test, times) / times.seconds)
            result.steps = times.steps
        }
        return result
    }

    private func times(_ test: OfflineTest) -> StepTimes {
        switch test {
        case .prefill(let tokens): run.prefill(tokens: tokens)
        case .decode(let batch, let depth, let steps): run.decode(batch: batch, depth: depth, steps: steps)
        }
    }

    /// Operations of a prefill, bytes of weights read by a decode.
    private func work(_ test: OfflineTest, _ times: StepTimes) -> Double {
        switch test {
        case .prefill(let tokens): traffic(tokens).operations(tokens: tokens, sampled: 1)
        case .decode(let batch, _, _): traffic(batch).bytes * Double(times.steps)
        }
    }

    private func traffic(_ tokens: Int) -> WeightTraffic {
        WeightTraffic(shape: shape, plans: plans, layouts: formats.weights, tokens: tokens)
    }
}

extension OfflineSession {
    private static let columns: [String] = [
        "test", "tok/s", "range", "reaches", "of peak", "measured peak", "overhead",
    ]
    private static let widths: [Int] = [16, 7, 15, 12, 7, 20, 8]

    /// The table's head.
    static var head: String { BenchText.head(columns, widths) }

    private var weightBytes: Int { plans.reduce(0) { $0 + $1.weightBytes } }
    private var weightFormat: String { ModelReport.weights(formats.weights) }

    /// What is measured, on what.
    var headline: String {
        ModelReport.headline(recipe.model, shape)
            + "\nWeights: \(ByteCount(weightBytes)) as \(weightFormat); KV cache as "
            + "\(formats.cache.rawValue); \(backend.threads) threads, \(backend.instructionSet.rawValue)"
    }

    /// The machine's read bandwidth over the whole run.
    var peaks: String {
        "Read bandwidth beside the tests: median \(BenchText.rate(readPeaks.median, .read)), "
            + "\(BenchText.figure(readPeaks.least / 1e9)) to \(BenchText.figure(readPeaks.greatest / 1e9))"
    }

    /// One row of the table.
    func line(_ result: OfflineResult) -> String {
        let speed: Samples = result.tokensPerSecond
        return BenchText.row(
            [
                result.test.name, BenchText.figure(speed.median),
                "\(BenchText.figure(speed.least)) to \(BenchText.figure(speed.greatest))",
                BenchText.rate(result.rate.median, result.limit),
                BenchText.percent(result.rate.median / result.peak.median),
                BenchText.rate(result.peak.median, result.limit)
                    + (result.limit == .read ? "" : " \(result.limit.rawValue)"),
                BenchText.figure(result.overhead.median * 100) + "%",
            ], Self.widths)
    }

    /// Everything, for programs.
    func json(_ results: [OfflineResult]) -> JSONValue {
        .object(
            JSONObject([
                ("model", .string(recipe.model)), ("parameters", .integer(shape.parameterCount)),
                ("weight_bytes", .integer(weightBytes)), ("weights", .string(weightFormat)),
                ("kv_cache", .string(formats.cache.rawValue)), ("threads", .integer(backend.threads)),
                ("instruction_set", .string(backend.instructionSet.rawValue)),
                ("read_bytes_per_second", BenchText.json(readPeaks)), ("tests", .array(results.map(json))),
            ]))
    }

    private func json(_ result: OfflineResult) -> JSONValue {
        .object(
            JSONObject([
                ("test", .string(result.test.name)), ("steps", .integer(result.steps)),
                ("tokens_per_second", BenchText.json(result.tokensPerSecond)),
                ("limit", .string(result.limit.rawValue)), ("rate", BenchText.json(result.rate)),
                ("peak", BenchText.json(result.peak)),
                ("share_of_peak", .double(result.rate.median / result.peak.median)),
                ("overhead", BenchText.json(result.overhead)),
            ]))
    }

    /// Says on a terminal what is being measured; an empty line wipes it.
    func progress(_ text: String) {
        guard !quiet, isatty(2) == 1 else { return }
        try? FileHandle.standardError.write(contentsOf: Data("\r\u{1B}[K\(text)".utf8))
    }
}
