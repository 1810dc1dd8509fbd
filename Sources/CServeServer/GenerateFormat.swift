// CServe's own generate endpoint: whole answers as {"text": [...]}, streams as raw text.

import CServeCore

/// Writes the answers of `/cserve/v1/generate`.
struct GenerateFormat: AnswerFormat {
    static let streamType: String = "text/plain; charset=utf-8"

    func open(choice: Int, prompt: AnswerCollector.PromptState, index: Int, to json: inout JSONBytes) {}

    func write(_ piece: AnswerPiece, usage: Usage?, to json: inout JSONBytes) {
        json.raw(piece.text)
    }

    func write(_ usage: Usage, to json: inout JSONBytes) {}

    func write(_ error: APIError, to json: inout JSONBytes) {
        json.raw("\n")
        json.error(error)
    }

    func close(to json: inout JSONBytes) {}

    func whole(_ answer: WholeAnswer, to json: inout JSONBytes) {
        json.raw("{\"text\":")
        json.list(answer.choices) { $0.string($1.text) }
        json.raw("}")
    }
}
