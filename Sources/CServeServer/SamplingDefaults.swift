// What a model's authors recommend for sampling: used where a request says nothing, as vLLM does.

import CServeCore

/// Sampling defaults of a model (`generation_config.json`); nil leaves the API's default.
public struct SamplingDefaults: Hashable, Sendable {
    /// `temperature`.
    public var temperature: Float?
    /// `top_k`.
    public var topK: Int?
    /// `top_p`.
    public var topP: Float?
    /// `min_p`.
    public var minP: Float?
    /// `repetition_penalty`.
    public var repetitionPenalty: Float?
    /// `max_new_tokens`: bounds answers that name no length.
    public var maxNewTokens: Int?

    /// No recommendation: the API's defaults (`--generation-config vllm`).
    public init() {}

    /// Reads the fields that a `generation_config.json` has; other fields and wrong types are left alone.
    public init(generationConfig: JSONValue) {
        temperature = generationConfig["temperature"]?.doubleValue.map { Float($0) }
        topK = generationConfig["top_k"]?.intValue
        topP = generationConfig["top_p"]?.doubleValue.map { Float($0) }
        minP = generationConfig["min_p"]?.doubleValue.map { Float($0) }
        repetitionPenalty = generationConfig["repetition_penalty"]?.doubleValue.map { Float($0) }
        maxNewTokens = generationConfig["max_new_tokens"]?.intValue
    }

    /// The settings of a request that says nothing.
    var parameters: SamplingParameters {
        var parameters: SamplingParameters = SamplingParameters()
        if let temperature { parameters.temperature = temperature }
        if let topK { parameters.topK = topK }
        if let topP { parameters.topP = topP }
        if let minP { parameters.minP = minP }
        if let repetitionPenalty { parameters.repetitionPenalty = repetitionPenalty }
        return parameters
    }
}
