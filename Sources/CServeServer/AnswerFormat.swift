// What every endpoint's answers have in common, and the seam that chat, completions and generate implement.

import CServeCore
import NIOCore

/// What is said of a request in every object that answers it.
struct AnswerHead: Sendable {
    var id: String
    var created: Int
    var model: String
    var options: GenerationOptions
    var names: TokenNames
    /// Text that comes before each answer (`echo`), by prompt.
    var echoes: [String]
    /// Prompt scores are part of the echo.
    var echoesScores: Bool
}

/// All there is to say once every answer has ended.
struct WholeAnswer: Sendable {
    /// One answer with all of its text.
    struct Choice: Sendable {
        var prompt: Int
        var index: Int
        var text: String
        var tokens: [AnswerToken]
        var end: AnswerEnd
    }

    var choices: [Choice]
    var prompts: [AnswerCollector.PromptState]
    var usage: Usage
}

/// Writes one endpoint's objects.
protocol AnswerFormat: Sendable {
    /// The response's media type when it is streamed.
    static var streamType: String { get }
    /// Writes what opens an answer, if anything does.
    func open(choice: Int, prompt: AnswerCollector.PromptState, index: Int, to json: inout JSONBytes)
    /// Writes a stretch of an answer.
    func write(_ piece: AnswerPiece, usage: Usage?, to json: inout JSONBytes)
    /// Writes the usage of the whole stream.
    func write(_ usage: Usage, to json: inout JSONBytes)
    /// Writes an error into a running stream.
    func write(_ error: APIError, to json: inout JSONBytes)
    /// Writes the end of a stream.
    func close(to json: inout JSONBytes)
    /// Writes the answer that is not streamed.
    func whole(_ answer: WholeAnswer, to json: inout JSONBytes)
}

/// Writes single server-sent events.
enum ServerSentEvents {
    static let mediaType: String = "text/event-stream; charset=utf-8"
    static let done: String = "data: [DONE]\n\n"

    /// An event whose data the closure writes.
    static func event(_ json: inout JSONBytes, _ write: (inout JSONBytes) -> Void) {
        json.raw("data: ")
        write(&json)
        json.raw("\n\n")
    }
}

extension JSONBytes {
    /// The usage object.
    mutating func usage(_ usage: Usage) {
        raw("{\"prompt_tokens\":")
        int(usage.promptTokens)
        raw(",\"total_tokens\":")
        int(usage.promptTokens + usage.completionTokens)
        raw(",\"completion_tokens\":")
        int(usage.completionTokens)
        raw(",\"prompt_tokens_details\":{\"cached_tokens\":")
        int(usage.cachedTokens)
        raw("}}")
    }

    /// OpenAI's error object; `code` is OpenAI's word, `status` the number that vLLM puts there.
    mutating func error(_ error: APIError) {
        raw("{\"error\":{\"message\":")
        string(error.description)
        raw(",\"type\":")
        string(error.type)
        raw(",\"param\":")
        optional(error.param)
        raw(",\"code\":")
        string(error.code)
        raw(",\"status\":")
        int(error.status)
        raw("}}")
    }

    /// `"finish_reason":…,"stop_reason":…` of an answer that may still go on.
    mutating func end(_ end: AnswerEnd?) {
        raw("\"finish_reason\":")
        optional(end?.reason.rawValue)
        raw(",\"stop_reason\":")
        if let token = end?.stopToken { int(Int(token)) } else { optional(end?.stopString) }
    }

    /// vLLM's `prompt_logprobs`: null for the first token, then objects by token id.
    mutating func promptLogprobs(_ scores: [ScoredToken], names: TokenNames) {
        list(scores) { json, scored in
            guard let own = scored.logprob else { return json.raw("null") }
            let others: [TokenLogprob] = scored.top.filter { $0.token != own.token }
            json.raw("{")
            for (index, entry) in ([own] + others).enumerated() {
                json.raw(index == 0 ? "\"" : ",\"")
                json.int(Int(entry.token))
                json.raw("\":{\"logprob\":")
                json.logprob(entry.logprob)
                json.raw(",\"rank\":")
                json.int(entry.rank)
                json.raw(",\"decoded_token\":")
                json.string(names.name(entry.token))
                json.raw("}")
            }
            json.raw("}")
        }
    }
}
