// The bodies of chat and completion requests, decoded field by field.

import CServeCore

/// The body of `/v1/chat/completions`.
struct ChatRequest: Sendable {
    var options: GenerationOptions
    var conversation: ChatMessages

    init(_ fields: FieldReader, defaults: SamplingDefaults, limits: Limits) throws(APIError) {
        options = try GenerationOptions(fields, defaults: defaults, limits: limits)
        let newName: Int? = try fields.int("max_completion_tokens")
        let oldName: Int? = try fields.int("max_tokens")
        options.maxTokens = newName ?? oldName
        let wanted: Bool = try fields.bool("logprobs") ?? false
        let top: Int? = try fields.int("top_logprobs")
        if let top, top > 0, !wanted {
            throw .invalidValue(field: "top_logprobs", reason: "it needs \"logprobs\": true.")
        }
        if let top, !(0...SamplingParameters.mostLogprobs).contains(top) {
            throw .request(.outOfRange(parameter: "top_logprobs", value: "\(top)", range: "from 0 to 20"))
        }
        options.sampling.logprobs = wanted ? top ?? 0 : nil
        conversation = try ChatMessages(fields, limits: limits)
    }
}

/// What a prompt may be in `/v1/completions`.
enum PromptInput: Hashable, Sendable {
    case text(String)
    case tokens([TokenID])
}

/// The body of `/v1/completions`.
struct CompletionRequest: Sendable {
    var options: GenerationOptions
    var prompts: [PromptInput]
    var suffix: String?
    var addSpecialTokens: Bool

    init(_ fields: FieldReader, defaults: SamplingDefaults, limits: Limits) throws(APIError) {
        options = try GenerationOptions(fields, defaults: defaults, limits: limits)
        options.maxTokens = try fields.int("max_tokens")
        options.defaultLength = min(16, defaults.maxNewTokens ?? 16)
        options.sampling.logprobs = try CompletionRequest.logprobs(fields)
        addSpecialTokens = try fields.bool("add_special_tokens") ?? true
        suffix = try fields.string("suffix").flatMap { $0.isEmpty ? nil : $0 }
        prompts = try CompletionRequest.prompts(fields, limits: limits)
        try checkTogether(limits)
    }

    private func checkTogether(_ limits: Limits) throws(APIError) {
        let sampling: SamplingParameters = options.sampling
        if options.echo, suffix != nil {
            throw .invalidValue(field: "echo", reason: "it cannot be combined with suffix.")
        }
        if sampling.branches > limits.answers / prompts.count {
            throw .tooMany(
                field: "n", count: sampling.branches * prompts.count, limit: limits.answers, unit: "answers in all")
        }
    }

    private static func logprobs(_ fields: FieldReader) throws(APIError) -> Int? {
        guard let count = try fields.int("logprobs") else { return nil }
        guard (0...SamplingParameters.mostLogprobs).contains(count) else {
            throw .request(.outOfRange(parameter: "logprobs", value: "\(count)", range: "from 0 to 20"))
        }
        return count
    }

    /// A string, a list of strings, a list of token ids, or a list of such lists.
    static func prompts(_ fields: FieldReader, limits: Limits) throws(APIError) -> [PromptInput] {
        guard let value = fields.value("prompt") else { throw .missingField(field: "prompt") }
        if let text = value.stringValue { return [.text(text)] }
        guard let array = value.arrayValue else {
            throw fields.wrong("prompt", "a string, a list of strings, or lists of token ids", value)
        }
        guard let first = array.first else { throw .request(.emptyPrompt) }
        if first.intValue != nil { return [.tokens(try FieldReader.tokens(array, field: "prompt"))] }
        guard array.count <= limits.prompts else {
            throw .tooMany(field: "prompt", count: array.count, limit: limits.prompts, unit: "prompts")
        }
        var prompts: [PromptInput] = []
        for (index, element) in array.enumerated() {
            if let text = element.stringValue {
                prompts.append(.text(text))
            } else if let ids = element.arrayValue {
                prompts.append(.tokens(try FieldReader.tokens(ids, field: "prompt[\(index)]")))
            } else {
                throw .wrongType(
                    field: "prompt[\(index)]", expected: "a string or a list of token ids", found: element.described)
            }
        }
        return prompts
    }
}
