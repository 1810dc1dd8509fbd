// The flags of speculation, in CServe's form and in vLLM's.

import ArgumentParser
import CServeCore

/// Who drafts tokens, and how many.
struct SpeculationOptions: ParsableArguments {
    @Option(
        help: """
            Draft tokens for the model to check: ngram looks them up in prompt and answer. Answers stay the same; drafts \
            are made where their measured acceptance pays.
            """)
    var specProposer: String?

    @Option(help: "Tokens drafted at once at most (default: 4).")
    var specTokens: Int?

    @Option(help: "Shortest n-gram that is looked up (default: 2).")
    var specPromptLookupMin: Int?

    @Option(help: "Longest n-gram that is looked up (default: 4).")
    var specPromptLookupMax: Int?

    @Option(
        help: "The same in vLLM's form: {\"method\": \"ngram\", \"num_speculative_tokens\": 4}.",
        transform: { try SpeculativeConfig(json: $0) })
    var speculativeConfig: SpeculativeConfig?

    func overlay(_ recipe: inout Recipe) throws {
        if let speculativeConfig {
            recipe.specProposer = speculativeConfig.method
            recipe.specTokens = speculativeConfig.tokens ?? recipe.specTokens
            recipe.specPromptLookupMin = speculativeConfig.lookupMin ?? recipe.specPromptLookupMin
            recipe.specPromptLookupMax = speculativeConfig.lookupMax ?? recipe.specPromptLookupMax
        }
        specProposer.map { recipe.specProposer = $0 }
        specTokens.map { recipe.specTokens = $0 }
        specPromptLookupMin.map { recipe.specPromptLookupMin = $0 }
        specPromptLookupMax.map { recipe.specPromptLookupMax = $0 }
    }
}

/// vLLM's `--speculative-config`; only what n-grams need is taken.
struct SpeculativeConfig: Hashable {
    var method: String
    var tokens: Int?
    var lookupMin: Int?
    var lookupMax: Int?

    init(json: String) throws {
        guard case .object(let fields)? = try? JSONValue(parsing: json) else {
            throw ValidationError("--speculative-config is not a JSON object: \(json)")
        }
        var method: String?
        for (key, value) in fields.members {
            switch (key, value) {
            case ("method", .string(let name)): method = name
            case ("num_speculative_tokens", .integer(let count)): tokens = count
            case ("prompt_lookup_min", .integer(let length)): lookupMin = length
            case ("prompt_lookup_max", .integer(let length)): lookupMax = length
            default:
                throw ValidationError(
                    "--speculative-config: \(key) cannot be \(value.text()). Give method (\"ngram\"), "
                        + "num_speculative_tokens, prompt_lookup_min and prompt_lookup_max.")
            }
        }
        guard let method else {
            throw ValidationError("--speculative-config names no method. Add \"method\": \"ngram\".")
        }
        self.method = method
    }
}
