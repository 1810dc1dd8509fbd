// What a request may ask of sampling, and how it is told otherwise.

import CServeCore
import Testing

private func refusal(_ change: (inout SamplingParameters) -> Void) -> RequestError? {
    var sampling = SamplingParameters()
    change(&sampling)
    do throws(RequestError) {
        try sampling.validate(vocabularySize: 100, maxBranches: 8)
        return nil
    } catch {
        return error
    }
}

@Test("The defaults are valid")
func defaultsAreValid() {
    #expect(refusal { _ in } == nil)
}

@Test("Values at a range's ends are valid")
func endsAreValid() {
    #expect(
        refusal {
            $0.temperature = 2
            $0.topK = -1
            $0.topP = 1
            $0.minP = 1
            $0.presencePenalty = -2
            $0.frequencyPenalty = 2
            $0.logprobs = 20
            $0.n = 8
            $0.bestOf = 8
            $0.logitBias = [99: -100, 0: 100]
        } == nil)
    #expect(
        refusal {
            $0.maxTokens = 0
            $0.promptLogprobs = 0
        } == nil, "A scored prompt needs no answer.")
}

@Test("Each setting out of its range is refused by its name")
func eachSettingIsChecked() {
    let faults: [(String, (inout SamplingParameters) -> Void)] = [
        ("temperature", { $0.temperature = 2.1 }), ("temperature", { $0.temperature = .nan }),
        ("top_k", { $0.topK = -2 }), ("top_p", { $0.topP = 0 }), ("top_p", { $0.topP = .nan }),
        ("min_p", { $0.minP = -0.1 }), ("repetition_penalty", { $0.repetitionPenalty = 0 }),
        ("repetition_penalty", { $0.repetitionPenalty = .infinity }), ("presence_penalty", { $0.presencePenalty = 3 }),
        ("frequency_penalty", { $0.frequencyPenalty = -3 }), ("logit_bias", { $0.logitBias = [3: 101] }),
        ("logit_bias", { $0.logitBias = [100: 1] }), ("max_tokens", { $0.maxTokens = 0 }),
        ("min_tokens", { $0.minTokens = 17 }), ("logprobs", { $0.logprobs = 21 }),
        ("prompt_logprobs", { $0.promptLogprobs = -1 }), ("n", { $0.n = 0 }), ("n", { $0.n = 9 }),
        ("best_of", { $0.bestOf = 9 }),
        (
            "best_of",
            {
                $0.n = 3; $0.bestOf = 2
            }
        ),
        ("stop_token_ids", { $0.stopTokenIDs = [-1] }), ("allowed_token_ids", { $0.allowedTokenIDs = [] }),
        ("allowed_token_ids", { $0.allowedTokenIDs = [100] }), ("bad_words", { $0.badWords = [[1, 200]] }),
    ]
    for (name, change) in faults {
        #expect(refusal(change)?.parameter == name)
    }
}

@Test("Every request error says what, which numbers, and what to do")
func requestErrorMessages() {
    let messages: [(RequestError, String)] = [
        (
            .outOfRange(parameter: "top_p", value: "0.0", range: "above 0 and at most 1"),
            "top_p is 0.0, but must be above 0 and at most 1."
        ),
        (
            .tokenOutOfVocabulary(parameter: "logit_bias", token: 100, vocabulary: 100),
            "logit_bias names token 100, but this model's tokens are 0 to 99."
        ),
        (
            .bestOfBelowN(bestOf: 2, n: 3),
            "best_of is 2, below n = 3: it is the number of answers from which the best n are returned. "
                + "Raise best_of to at least 3 or leave it out."
        ),
        (
            .emptyPrompt,
            "The prompt is empty: it has no token to continue from. Send at least one character or one token id."
        ),
        (
            .contextExceeded(prompt: 90, maxTokens: 20, maxModelLength: 100),
            "This model's maximum context length is 100 tokens. However, you requested 110 tokens (90 in the prompt, "
                + "20 in the answer). Shorten the prompt or lower max_tokens to 10."
        ),
        (
            .promptExceedsCache(prompt: 90, capacity: 64),
            "The prompt has 90 tokens, but the whole KV cache holds 64. Shorten the prompt, or restart the server with "
                + "more --kv-cache-memory-bytes."
        ),
    ]
    for (error, message) in messages {
        #expect(error.description == message)
    }
}

@Test("Every refusal says what to do next")
func refusalMessages() {
    let messages: [(SubmitRefusal, String)] = [
        (.invalid(.emptyPrompt), RequestError.emptyPrompt.description),
        (
            .overloaded(message: "1024 requests wait already.", retryAfterSeconds: 3),
            "1024 requests wait already. Try again in 3 s."
        ),
        (
            .shuttingDown,
            "The server is shutting down and takes no new requests. Send this one to another replica."
        ),
    ]
    for (refusal, message) in messages {
        #expect(refusal.description == message)
    }
}
