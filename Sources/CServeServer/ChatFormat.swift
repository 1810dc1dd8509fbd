// The objects of /v1/chat/completions, written by hand.

import CServeCore
import NIOCore

/// Writes chat completions and their chunks.
struct ChatFormat: AnswerFormat {
    static let streamType: String = ServerSentEvents.mediaType

    let head: AnswerHead
    private let chunkPrefix: ByteBuffer

    init(_ head: AnswerHead) {
        self.head = head
        chunkPrefix = ChatFormat.prefix(head, object: "chat.completion.chunk")
    }

    /// Everything from the object's brace to `"choices":`.
    static func prefix(_ head: AnswerHead, object: String) -> ByteBuffer {
        var json: JSONBytes = JSONBytes()
        json.raw("{\"id\":")
        json.string(head.id)
        json.raw(",\"object\":\"\(object)\",\"created\":")
        json.int(head.created)
        json.raw(",\"model\":")
        json.string(head.model)
        json.raw(",\"system_fingerprint\":\"\(ServerVersion.fingerprint)\",\"choices\":")
        return json.buffer
    }

    func open(choice: Int, prompt: AnswerCollector.PromptState, index: Int, to json: inout JSONBytes) {
        ServerSentEvents.event(&json) { json in
            json.raw(chunkPrefix)
            json.raw("[{\"index\":")
            json.int(choice)
            json.raw(",\"delta\":{\"role\":\"assistant\",\"content\":")
            json.string(head.echoes[index])
            json.raw("},\"logprobs\":null,\"finish_reason\":null}]")
            if head.options.returnTokenIDs {
                json.raw(",\"prompt_token_ids\":")
                json.ints(prompt.tokens)
            }
            closeChunk(head.options.continuousUsage ? Usage(opening: prompt) : nil, &json)
        }
    }

    func write(_ piece: AnswerPiece, usage: Usage?, to json: inout JSONBytes) {
        ServerSentEvents.event(&json) { json in
            json.raw(chunkPrefix)
            json.raw("[{\"index\":")
            json.int(piece.choice)
            if piece.text.isEmpty {
                json.raw(",\"delta\":{}")
            } else {
                json.raw(",\"delta\":{\"content\":")
                json.string(piece.text)
                json.raw("}")
            }
            json.raw(",\"logprobs\":")
            writeLogprobs(piece.tokens, &json)
            json.raw(",")
            json.end(piece.end)
            writeIDs(piece.tokens, &json)
            json.raw("}]")
            closeChunk(usage, &json)
        }
    }

    func write(_ usage: Usage, to json: inout JSONBytes) {
        ServerSentEvents.event(&json) { json in
            json.raw(chunkPrefix)
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
        json.raw(ChatFormat.prefix(head, object: "chat.completion"))
        json.list(answer.choices) { json, choice in
            json.raw("{\"index\":")
            json.int(choice.index)
            json.raw(",\"message\":{\"role\":\"assistant\",\"content\":")
            json.string(head.echoes[choice.prompt] + choice.text)
            json.raw(",\"refusal\":null},\"logprobs\":")
            writeLogprobs(choice.tokens, &json)
            json.raw(",")
            json.end(choice.end)
            writeIDs(choice.tokens, &json)
            json.raw("}")
        }
        json.raw(",\"usage\":")
        json.usage(answer.usage)
        json.raw(",\"service_tier\":null,\"prompt_logprobs\":")
        if head.options.sampling.promptLogprobs != nil, let prompt = answer.prompts.first {
            json.promptLogprobs(prompt.scores, names: head.names)
        } else {
            json.raw("null")
        }
        if head.options.returnTokenIDs, let prompt = answer.prompts.first {
            json.raw(",\"prompt_token_ids\":")
            json.ints(prompt.tokens)
        }
        json.raw("}")
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

    private func writeIDs(_ tokens: [AnswerToken], _ json: inout JSONBytes) {
        guard head.options.returnTokenIDs else { return }
        json.raw(",\"token_ids\":")
        json.ints(tokens.lazy.map(\.scored.token))
    }

    private func writeLogprobs(_ tokens: [AnswerToken], _ json: inout JSONBytes) {
        guard head.options.sampling.logprobs != nil, !tokens.isEmpty else { return json.raw("null") }
        json.raw("{\"content\":")
        json.list(tokens) { json, token in
            writeToken(token.scored.token, token.scored.logprob?.logprob ?? -.infinity, &json)
            json.raw(",\"top_logprobs\":")
            json.list(token.scored.top) { json, top in
                writeToken(top.token, top.logprob, &json)
                json.raw("}")
            }
            json.raw("}")
        }
        json.raw(",\"refusal\":null}")
    }

    /// A token without its closing brace.
    private func writeToken(_ token: TokenID, _ logprob: Float, _ json: inout JSONBytes) {
        json.raw("{\"token\":")
        json.string(head.names.name(token))
        json.raw(",\"logprob\":")
        json.logprob(logprob)
        json.raw(",\"bytes\":")
        json.ints(head.names.bytes(token))
    }
}
