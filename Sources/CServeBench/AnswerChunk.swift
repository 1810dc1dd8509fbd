// One event of a streamed answer, in the forms that completions and chats have.
import CServeCore

/// What an event says.
struct AnswerChunk {
    let usage: JSONObject?
    let finishReason: String?
    let text: String
    let tokens: [TokenID]
    let isError: Bool
    private let hasChoice: Bool
    /// A chat's first event, which only says who speaks.
    private let isOpening: Bool

    init(_ json: JSONValue) {
        isError = json["error"].map { !$0.isNull } ?? false
        usage = json["usage"]?.objectValue
        let choice: JSONValue? = json["choices"]?[0]
        hasChoice = choice != nil
        let delta: JSONValue? = choice?["delta"]
        finishReason = choice?["finish_reason"]?.stringValue
        tokens = choice?["token_ids"]?.arrayValue?.compactMap { $0.intValue.flatMap { TokenID(exactly: $0) } } ?? []
        let said: String? = choice?["text"]?.stringValue ?? delta?["content"]?.stringValue
        // Models that think aloud stream that apart; both are tokens.
        let thought: String? = delta?["reasoning_content"]?.stringValue ?? delta?["reasoning"]?.stringValue
        text = (thought ?? "") + (said ?? "")
        let calls: Bool = delta?["tool_calls"]?.arrayValue?.isEmpty == false
        isOpening = delta?["role"] != nil && text.isEmpty && !calls
    }

    /// Whether a token came with it. One without visible text (half a character, a special token) counts, too, unless the
    /// event only says who speaks or why the answer ends.
    func carriesToken(isFirst: Bool) -> Bool {
        guard hasChoice else { return false }
        if !text.isEmpty || !tokens.isEmpty { return true }
        return !isOpening && (finishReason == nil || isFirst)
    }
}
