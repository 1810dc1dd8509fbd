// `cserve perplexity`: what a weight format or a cache type costs on a text, against the same model as it is stored.

import ArgumentParser
import CServeCore
import CServeEngine
import CServeText
import Foundation

/// Measures a model on a text.
struct Perplexity: ParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        abstract: "Measure a model's perplexity on a text, and what quantisation costs.",
        discussion: """
            With --quantization, --dtype or --kv-cache-dtype the same model as stored runs beside it: the mean
            KL divergence and the share of equal likeliest tokens say what the setting costs.

            EXAMPLES
              cserve perplexity --file README.md
              cserve perplexity --model ./Llama-3.2-1B --file text.txt --quantization int4
              cserve perplexity --model ./Llama-3.2-1B-GPTQ --file text.txt --reference-model ./Llama-3.2-1B
            """)

    @Option(help: "A text in UTF-8; its first --tokens tokens are measured.", completion: .file())
    var file: String

    @Option(help: "Tokens of the text at most.")
    var tokens: Int = 16_384

    @Option(help: "Tokens that see each other; the text is cut into such windows.")
    var window: Int = 512

    @Option(help: "The checkpoint to compare with (default: --model as it is stored).", completion: .directory)
    var referenceModel: String?

    @Flag(help: "Print one JSON object.")
    var json: Bool = false

    @OptionGroup(title: "Model and engine") var engine: EngineOptions

    func validate() throws {
        guard window >= 2, tokens >= 2 else { throw ValidationError("--window and --tokens must be at least 2.") }
    }

    func run() throws {
        try Failure.explained(asJSON: json) {
            let recipe: Recipe = try engine.resolved()
            let loader: ModelLoader = ModelLoader(recipe: recipe, text: TextOptions(), servedNames: [])
            try loader.check()
            let tokenizer: Tokenizer = try loader.tokenizer(ModelLoader.checkpoint(loader.recipe.model))
            let ids: [TokenID] = try Array(tokenizer.encode(text()).prefix(tokens))
            guard ids.count >= 2 else { throw MeasureError.tooShort(file: file, tokens: ids.count) }
            let model: ModelRunner = try runner(recipe)
            let reference: ModelRunner? = try stored(recipe).map { try runner($0) }
            guard reference.map({ $0.vocabularySize == model.vocabularySize }) ?? true else {
                throw MeasureError.otherVocabulary(
                    model: model.vocabularySize, reference: reference?.vocabularySize ?? 0)
            }
            let loss: TextLoss = try TextLoss.measure(
                ids, model: model, reference: reference, window: min(window, model.maxModelLength))
            report(loss, hasReference: reference != nil, model)
        }
    }

    private func text() throws -> String {
        do {
            return try String(contentsOfFile: file, encoding: .utf8)
        } catch {
            throw MeasureError.unreadable(file: file, reason: error.localizedDescription)
        }
    }

    /// The recipe to compare with; nil where it would be the same.
    private func stored(_ recipe: Recipe) -> Recipe? {
        var other: Recipe = recipe
        other.quantization = nil
        other.dtype = "auto"
        other.cacheDtype = "auto"
        if let referenceModel { other.model = referenceModel }
        return other == recipe ? nil : other
    }

    private func runner(_ recipe: Recipe) throws -> ModelRunner {
        var recipe: Recipe = recipe
        try ModelLoader.checkFolder(recipe.model)
        let checkpoint: Checkpoint = try ModelLoader.checkpoint(recipe.model)
        recipe.maxModelLen = min(recipe.maxModelLen ?? window, window, try checkpoint.shape().maxPositionEmbeddings)
        recipe.maxNumSeqs = 1
        recipe.maxNumBatchedTokens = 64
        return try ModelRunner(
            checkpoint: checkpoint, recipe: recipe,
            backend: BackendTable.make(recipe.device, threads: recipe.threads))
    }

    private func report(_ loss: TextLoss, hasReference: Bool, _ model: ModelRunner) {
        var facts: [(name: String, value: JSONValue)] = [
            ("weights", .string(ModelReport.weights(model.formats.weights))),
            ("tokens", .integer(loss.tokens)), ("perplexity", .double(loss.perplexity)),
        ]
        if hasReference {
            facts += [
                ("reference_perplexity", .double(loss.referencePerplexity)),
                ("increase_percent", .double((loss.perplexity / loss.referencePerplexity - 1) * 100)),
                ("kl_mean_nats", .double(loss.meanDivergence)),
                ("same_likeliest_percent", .double(loss.agreement * 100)),
            ]
        }
        guard !json else {
            return Console.say(JSONValue.object(JSONObject(facts.map { ($0.name, $0.value) })).text(.pretty))
        }
        for fact in facts {
            let value: String = fact.value.stringValue ?? fact.value.text()
            Console.say("\(fact.name.replacing("_", with: " ")): \(value)")
        }
    }
}

/// Why a text cannot be measured.
enum MeasureError: Error, Hashable, CustomStringConvertible {
    case unreadable(file: String, reason: String)
    case tooShort(file: String, tokens: Int)
    case otherVocabulary(model: Int, reference: Int)

    var description: String {
        switch self {
        case .unreadable(let file, let reason): "The text \(file) cannot be read: \(reason)"
        case .tooShort(let file, let tokens):
            "The text \(file) has \(tokens) tokens, and the first is not predicted. Use a text of two or more."
        case .otherVocabulary(let model, let reference):
            "The model has a vocabulary of \(model), the reference one of \(reference). Compare with the same model's "
                + "checkpoint."
        }
    }
}
