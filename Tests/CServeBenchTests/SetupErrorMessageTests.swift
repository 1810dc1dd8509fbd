// Every reason why a benchmark does not start, with the message that a user reads.
import Testing

@testable import CServeBench

@Test("Every setup error says what happened and what to do")
func setupErrorMessages() {
    let messages: [(BenchSetupError, String)] = [
        (.badURL("x y"), "\"x y\" is no address of a server. Write http://HOST:PORT."),
        (
            .needsTLS("https://h"),
            "https://h asks for TLS, which this client has not. Put a local proxy before the server, or use its http:// "
                + "address."
        ),
        (.badHeader("X"), "The header \"X\" has no colon. Write NAME:VALUE, for example X-Team:red."),
        (.badExtraBody("["), "The extra body \"[\" is no JSON object. Write for example '{\"temperature\": 0.7}'."),
        (
            .unreachable(url: "http://h:1", reason: "connection refused"),
            "Nothing answers at http://h:1: connection refused. Start the server first (cserve serve), or give its address "
                + "with --url."
        ),
        (.noModels(url: "http://h:1/v1"), "http://h:1/v1/models lists no model. Name one with --model."),
        (
            .refused(path: "/v1/models", status: 401, text: "who?"),
            "The server answered a trial request to /v1/models with 401: who? Give the key with --api-key or OPENAI_API_KEY."
        ),
        (
            .unexpectedAnswer(path: "/v1/models", text: "<html>"),
            "The server answered /v1/models with what is no JSON of the API: \"<html>\". Is it an OpenAI-style server?"
        ),
        (.badPrompt(file: "p", line: 3, reason: "it is no JSON"), "p, line 3: it is no JSON."),
        (
            .noPrompts(file: "p"),
            "p has no prompts. Each line is an object with prompt or messages, as for vllm bench serve."
        ),
        (
            .wrongEndpoint(file: "p", line: 1, path: "/v1/chat/completions"),
            "p, line 1: token ids cannot be sent to /v1/chat/completions. Use --endpoint /v1/completions."
        ),
        (
            .tooLong(tokens: 5000, limit: 4096),
            "A request has 5000 tokens with its answer, but the model takes 4096. Choose shorter lengths, or serve with a "
                + "larger --max-model-len."
        ),
        (.nothingToSend, "The workload has no request. Give --requests or a longer --duration."),
    ]
    for (error, message) in messages { #expect(error.description == message) }
}
