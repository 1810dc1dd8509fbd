// The objects of /v1/completions, written by hand.

import CServeCore
import NIOCore

/// Writes text completions and their chunks, which have one shape.
struct CompletionFormat: AnswerFormat {
    static let streamType: String = ServerSentEvents.mediaType

    let head: AnswerHead
    private let prefix: ByteBuffer

    init(_ head: AnswerHead) {
        self.head = head
        prefix = ChatFormat.prefix(head, object: "text_completion")
    }

    func open(choice: Int, prompt: AnswerCollector.PromptState, index: Int, to json: inout JSONBytes) {
        guard head.options.echo || head.options.returnTokenIDs else { return }
        ServerSentEvents.event(&json) { json in
            json.raw(prefix)
            json.raw("[")
            let echo: String = head.echoes[index]
            writeChoice(choice, echo, echoed(prompt), [], offset: echo.unicodeScalars.count, end: nil, &json)
            if head.options.returnTokenIDs {
                json.raw(",\"prompt_token_ids\":")
                json.ints(prompt.tokens)
            }
            json.raw("}]")
            closeChunk(head.options.continuousUsage ? Usage(opening: prompt) : nil, &json)
        }
    }

    func write(_ piece: AnswerPiece, usage: Usage?, to json: inout JSONBytes) {
        ServerSentEvents.event(&json) { json in
            json.raw(prefix)
            json.raw("[")
            let prompt: Int = head.echoes.count > 1 ? piece.choice / head.options.sampling.branches : 0
            let offset: Int = head.echoes[prompt].unicodeScalars.count
            writeChoice(piece.choice, piece.text, [], piece.tokens, offset: offset, end: piece.end, &json)
            json.raw("}]")
            closeChunk(usage, &json)
        }
    }

    func write(_ usage: Usage, to json: inout JSONBytes) {
        ServerSentEvents.event(&json) { json in
            json.raw(prefix)
            json.raw("[],\"usage\":")
            json.usage(usage)
            json.raw("}")
        }
    }

    func write(_ error: APIError, to json: inout JSONBytes) {
        ServerSentEvents.event(&json) { $0.error(error) }
    }

    func close(to json: inout JSONBytes) {
        json.raw(ServerSentEvents.done)
    }

    func whole(_ answer: WholeAnswer, to json: inout JSONBytes) {
        json.raw(prefix)
        json.list(answer.choices) { json, choice in
            let prompt: AnswerCollector.PromptState = answer.prompts[choice.prompt]
            let echo: String = head.echoes[choice.prompt]
            writeChoice(
                choice.index, echo + choice.text, echoed(prompt), choice.tokens, offset: echo.unicodeScalars.count,
                end: choice.end, &json)
            json.raw(",\"prompt_logprobs\":")
            if head.options.sampling.promptLogprobs != nil, !head.echoesScores {
                json.promptLogprobs(prompt.scores, names: head.names)
            } else {
                json.raw("null")
            }
            if head.options.returnTokenIDs {
                json.raw(",\"prompt_token_ids\":")
                json.ints(prompt.tokens)
            }
            json.raw("}")
        }
        json.raw(",\"usage\":")
        json.usage(answer.usage)
        json.raw("}")
    }

    private func echoed(_ prompt: AnswerCollector.PromptState) -> [ScoredToken] {
        head.echoesScores ? prompt.scores : []
    }

    private func closeChunk(_ usage: Usage?, _ json: inout JSONBytes) {
        if let usage {
            json.raw(",\"usage\":")
            json.usage(usage)
            json.raw("}")
        } else {
            json.raw(head.options.includeUsage ? ",\"usage\":null}" : "}")
        }
    }

    /// A choice without its closing brace.
    private func writeChoice(
        _ index: Int, _ text: String, _ prompt: [ScoredToken], _ tokens: [AnswerToken], offset: Int, end: AnswerEnd?,
        _ json: inout JSONBytes
    ) {
        json.raw("{\"index\":")
        json.int(index)
        json.raw(",\"text\":")
        json.string(text)
        json.raw(",\"logprobs\":")
        let echo: String = prompt.isEmpty ? "" : String(text.unicodeScalars.prefix(offset))
        writeLogprobs(prompt, tokens, echo: echo, offset: offset, &json)
        json.raw(",")
        json.end(end)
        if head.options.returnTokenIDs {
            json.raw(",\"token_ids\":")
            json.ints(tokens.lazy.map(\.scored.token))
        }
    }

    private func writeLogprobs(
        _ prompt: [ScoredToken], _ tokens: [AnswerToken], echo: String, offset: Int, _ json: inout JSONBytes
    ) {
        guard head.options.sampling.logprobs != nil, !(prompt.isEmpty && tokens.isEmpty) else {
            return json.raw("null")
        }
        let all: [ScoredToken] = prompt + tokens.map(\.scored)
        json.raw("{\"text_offset\":")
        let echoed: [Int] = EchoOffsets.offsets(of: prompt.map(\.token), in: echo, head.names.codec)
        json.ints(echoed + tokens.map { $0.textOffset + offset })
        json.raw(",\"token_logprobs\":")
        json.list(all) { json, token in
            if let own = token.logprob { json.logprob(own.logprob) } else { json.raw("null") }
        }
        json.raw(",\"tokens\":")
        json.list(all) { $0.string(head.names.key($1.token)) }
        json.raw(",\"top_logprobs\":")
        json.list(all) { writeTop($1, &$0) }
        json.raw("}")
    }

    /// The likeliest tokens by name; the token itself is always among them, as in vLLM.
    private func writeTop(_ token: ScoredToken, _ json: inout JSONBytes) {
        guard let own = token.logprob else { return json.raw("null") }
        let missing: Bool = !token.top.contains { $0.token == own.token }
        json.raw("{")
        for (index, entry) in (token.top + (missing ? [own] : [])).enumerated() {
            if index > 0 { json.raw(",") }
            json.string(head.names.key(entry.token))
            json.raw(":")
            json.logprob(entry.logprob)
        }
        json.raw("}")
    }
}
