// Loading: the text side from the checkpoint's files, the engine from the recipe.

import CServeCore
import CServeEngine
import CServeServer
import CServeText
import Foundation

extension ModelLoader {
    /// Loads the model; `say` gets lines for people.
    func load(_ say: @escaping @Sendable (String) -> Void) throws -> ServedModel {
        let checkpoint: Checkpoint = try Self.checkpoint(recipe.model)
        let tokenizer: Tokenizer = try tokenizer(checkpoint)
        let (engine, labels) = try engine(checkpoint, tokenizer, say)
        return ServedModel(
            names: names, root: recipe.model, created: Int(Date().timeIntervalSince1970),
            codec: TokenizerCodec(tokenizer), template: try template(tokenizer, checkpoint),
            defaults: try defaults(checkpoint),
            engine: engine, cacheLabels: labels)
    }

    /// Opens the built-in model, a GGUF file or a folder.
    static func checkpoint(_ model: String) throws -> Checkpoint {
        if model == Recipe.builtInModel { return try BuiltInModel.checkpoint(name: model) }
        return try isGGUF(model) ? Checkpoint(gguf: model) : Checkpoint(directory: model)
    }

    func tokenizer(_ checkpoint: Checkpoint) throws -> Tokenizer {
        if let metadata = checkpoint.metadata { return try Tokenizer(gguf: metadata) }
        guard isBuiltIn else { return try Tokenizer(directory: URL(fileURLWithPath: recipe.model)) }
        return try Tokenizer(json: BuiltInModel.tokenizer, configuration: BuiltInModel.tokenizerConfiguration)
    }

    private func defaults(_ checkpoint: Checkpoint) throws -> SamplingDefaults {
        guard text.generationConfig == "auto", let bytes = checkpoint.generationConfiguration else {
            return SamplingDefaults()
        }
        return SamplingDefaults(generationConfig: try JSONValue(parsing: bytes))
    }

    private func engine(
        _ checkpoint: Checkpoint, _ tokenizer: Tokenizer, _ say: @escaping @Sendable (String) -> Void
    ) throws -> (Engine, [(name: String, value: String)]) {
        let shape: ModelShape = try checkpoint.shape()
        _ = try recipe.servedLength(modelLength: shape.lengthLimit(asked: recipe.maxModelLen))
        say(ModelReport.headline(recipe.model, shape))
        // Before memory is planned for a length that the model does not have.
        _ = try recipe.servedLength(modelLength: shape.maxPositionEmbeddings)
        guard recipe.device != "null" else { return (try nullEngine(shape, tokenizer, say), []) }
        let meter: ProgressMeter = ProgressMeter(quiet: isBuiltIn)
        let runner: ModelRunner = try ModelRunner(
            checkpoint: checkpoint, recipe: recipe, backend: BackendTable.make(recipe.device, threads: recipe.threads),
            availableBytes: MachineMemory.available(), progress: { meter.show($0.bytes, of: $0.totalBytes) })
        say("Weights: \(ModelReport.weights(runner.formats.weights))")
        for plan in runner.plans { say(ModelReport.memory(plan, backend: runner.backendTitle)) }
        let labels: [(name: String, value: String)] = [
            ("cache_dtype", runner.formats.cache.rawValue), ("gpu_memory_utilization", "\(recipe.gpuMemUtil)"),
            ("weights", ModelReport.weights(runner.formats.weights)),
            ("enable_prefix_caching", recipe.usePrefixCaching ? "True" : "False"),
        ]
        return (try start(runner, shape), labels)
    }

    private func start(_ runner: sending ModelRunner, _ shape: ModelShape) throws -> Engine {
        var configuration: EngineConfiguration = EngineConfiguration(
            scheduler: try recipe.schedulerConfiguration(
                blockCount: runner.totalBlocks, modelLength: shape.lengthLimit(asked: recipe.maxModelLen),
                endTokens: shape.eosTokenIDs),
            vocabularySize: shape.vocabularySize, seed: recipe.seed)
        configuration.loggedSteps = loggedSteps
        return try Engine(configuration, executor: runner)
    }

    /// The model's text side around an engine that computes nothing: words of its vocabulary come out.
    private func nullEngine(
        _ shape: ModelShape, _ tokenizer: Tokenizer, _ say: (String) -> Void
    ) throws -> Engine {
        let words: [TokenID] = (0..<TokenID(tokenizer.vocabularySize)).filter { token in
            let bytes: [UInt8] = tokenizer.tokenBytes(token)
            return bytes.count > 1 && bytes.dropFirst().allSatisfy { (97...122).contains($0) } && bytes[0] < 128
        }
        say("Backend: null (no arithmetic; answers are words of the vocabulary)")
        return try Engine.null(
            recipe: recipe, vocabularySize: shape.vocabularySize,
            tokens: words.isEmpty ? [0] : Array(words.prefix(512)),
            endTokens: shape.eosTokenIDs)
    }
}

/// Says on standard error how far loading has come, when someone watches.
final class ProgressMeter {
    private let isShown: Bool
    private var lastPercent: Int = -1

    init(quiet: Bool) {
        isShown = !quiet && isatty(2) == 1
    }

    func show(_ bytes: Int, of total: Int) {
        guard isShown, total > 0 else { return }
        let percent: Int = bytes * 100 / total
        guard percent != lastPercent else { return }
        lastPercent = percent
        let bar: String = String(repeating: "#", count: percent / 4) + String(repeating: ".", count: 25 - percent / 4)
        let line: String = "\rLoading [\(bar)] \(percent)%" + (percent == 100 ? "\n" : "")
        try? FileHandle.standardError.write(contentsOf: Data(line.utf8))
    }
}

/// The machine's memory.
enum MachineMemory {
    /// Bytes that can be allocated without swapping; nil where the system does not tell.
    static func available() -> Int? {
        guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8) else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
            return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
        }
        return nil
    }
}
