// Why a benchmark cannot begin. What happens to single requests afterwards is a BenchFailure, and part of the result.
import CServeCore

/// What keeps a benchmark from starting.
public enum BenchSetupError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The address is none.
    case badURL(String)
    /// The address asks for TLS.
    case needsTLS(String)
    /// A header without a colon.
    case badHeader(String)
    /// What is to be merged into bodies is no JSON object.
    case badExtraBody(String)
    /// Nothing answers there.
    case unreachable(url: String, reason: String)
    /// The server lists no model.
    case noModels(url: String)
    /// The server refuses a request that every benchmark sends.
    case refused(path: String, status: Int, text: String)
    /// The server answers with something else than its API says.
    case unexpectedAnswer(path: String, text: String)
    /// A line of a prompts file.
    case badPrompt(file: String, line: Int, reason: String)
    /// A prompts file without prompts.
    case noPrompts(file: String)
    /// Recorded prompts of a kind that the chosen endpoint does not take.
    case wrongEndpoint(file: String, line: Int, path: String)
    /// A request that cannot fit the model at all.
    case tooLong(tokens: Int, limit: Int)
    /// There is no request.
    case nothingToSend

    /// What happened, with which numbers, and what to do.
    public var description: String {
        switch self {
        case .badURL(let text): "\"\(text)\" is no address of a server. Write http://HOST:PORT."
        case .needsTLS(let text):
            "\(text) asks for TLS, which this client has not. Put a local proxy before the server, or use its http:// address."
        case .badHeader(let text): "The header \"\(text)\" has no colon. Write NAME:VALUE, for example X-Team:red."
        case .badExtraBody(let text):
            "The extra body \"\(text)\" is no JSON object. Write for example '{\"temperature\": 0.7}'."
        case .unreachable(let url, let reason):
            "Nothing answers at \(url): \(reason). Start the server first (cserve serve), or give its address with --url."
        case .noModels(let url): "\(url)/models lists no model. Name one with --model."
        case .refused(let path, let status, let text):
            "The server answered a trial request to \(path) with \(status): \(text)" + Self.advice(status)
        case .unexpectedAnswer(let path, let text):
            "The server answered \(path) with what is no JSON of the API: \"\(text)\". Is it an OpenAI-style server?"
        case .badPrompt(let file, let line, let reason): "\(file), line \(line): \(reason)."
        case .noPrompts(let file):
            "\(file) has no prompts. Each line is an object with prompt or messages, as for vllm bench serve."
        case .wrongEndpoint(let file, let line, let path):
            "\(file), line \(line): token ids cannot be sent to \(path). Use --endpoint /v1/completions."
        case .tooLong(let tokens, let limit):
            "A request has \(tokens) tokens with its answer, but the model takes \(limit). Choose shorter lengths, or serve "
                + "with a larger --max-model-len."
        case .nothingToSend: "The workload has no request. Give --requests or a longer --duration."
        }
    }

    private static func advice(_ status: Int) -> String {
        switch status {
        case 401, 403: " Give the key with --api-key or OPENAI_API_KEY."
        case 404: " Check --model and --endpoint."
        case 503: " Is the model still loading?"
        default: ""
        }
    }
}
