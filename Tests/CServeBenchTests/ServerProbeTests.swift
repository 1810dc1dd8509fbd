// One command fits servers of different habits: what they take is found out.
import CServeCore
import Testing

@testable import CServeBench

@Suite("Asking servers about themselves")
struct ServerProbeTests {
    /// A server whose tokenizer has a token a word, above 100; what it takes is the test's choice.
    private func server(
        takesTokens: Bool, hasTokenizer: Bool, models: String = "{\"data\":[{\"id\":\"m1\",\"max_model_len\":99}]}"
    ) async throws -> ScriptedServer {
        try await ScriptedServer { request in
            let json: JSONValue = request.json
            switch request.path {
            case "/v1/models": return [Wire.text(Wire.whole("200 OK", models))]
            case "/tokenize" where hasTokenizer:
                let words: [Substring] = (json["content"]?.stringValue ?? "").split(separator: " ")
                // One word is two tokens here.
                let ids: [String] = words.flatMap { $0 == "water" ? ["101", "102"] : ["\(100 + $0.count)"] }
                return [Wire.text(Wire.whole("200 OK", "{\"tokens\":[\(ids.joined(separator: ","))]}"))]
            case "/v1/completions", "/v1/chat/completions":
                if json["prompt"]?.arrayValue != nil, !takesTokens {
                    return [Wire.text(Wire.whole("400 Bad", "{\"error\":{\"message\":\"prompt must be text\"}}"))]
                }
                let texts: [String] =
                    json["messages"]?.arrayValue?.compactMap { $0["content"]?.stringValue }
                    ?? [json["prompt"]?.stringValue ?? ""]
                let words: Int = texts.reduce(0) { $0 + $1.split(separator: " ").count }
                // A template of 4 tokens around each message.
                let count: Int = words + (json["messages"] != nil ? 4 * texts.count : 1)
                return [Wire.text(Wire.whole("200 OK", "{\"usage\":{\"prompt_tokens\":\(count)}}"))]
            default: return [Wire.text(Wire.whole("404 No", "{}"))]
            }
        }
    }

    private func describe(
        _ server: ScriptedServer, _ endpoint: BenchEndpoint = .completions, model: String? = nil,
        form: PromptForm = .auto
    ) async throws -> ServerDescription {
        try await server.withClient {
            try await ServerProbe($0, endpoint: endpoint).describe(model: model, form: form, vocabularySize: nil)
        }
    }

    @Test("Token ids are sent where they are taken, below the largest that the tokenizer shows")
    func tokens() async throws {
        let found = try await describe(try await server(takesTokens: true, hasTokenizer: true))
        guard case .tokens(let size) = found.source else {
            Issue.record("\(found.source)")
            return
        }
        #expect(size > 100 && size < 200 && found.model == "m1" && found.maxModelLength == 99)
        let blind = try await describe(try await server(takesTokens: true, hasTokenizer: false))
        #expect(blind.source == .tokens(vocabularySize: 1000))
    }

    @Test("Else prompts are words of one token each, and what the server adds is known")
    func words() async throws {
        let found = try await describe(try await server(takesTokens: false, hasTokenizer: true))
        guard case .words(let list) = found.source else {
            Issue.record("\(found.source)")
            return
        }
        #expect(!list.words.contains("water") && list.words.contains("the") && list.overhead == 1)
        #expect(found.notes.isEmpty)
        let chat = try await describe(try await server(takesTokens: true, hasTokenizer: false), .chat)
        guard case .words(let list) = chat.source else {
            Issue.record("\(chat.source)")
            return
        }
        #expect(list.overhead == 4 && list.pairOverhead == 8)
    }

    @Test("What keeps a run from starting is told before anything is sent")
    func refusals() async throws {
        await #expect(
            throws: BenchSetupError.refused(
                path: "/v1/completions", status: 400, text: "prompt must be text")
        ) { try await describe(try await server(takesTokens: false, hasTokenizer: true), form: .tokens) }
        let empty = try await server(takesTokens: true, hasTokenizer: true, models: "{\"data\":[]}")
        await #expect(throws: BenchSetupError.noModels(url: "\(empty.url)/v1")) { try await describe(empty) }
        let locked = try await ScriptedServer { _ in [Wire.text(Wire.whole("401 No", "{\"detail\":\"who?\"}"))] }
        await #expect(throws: BenchSetupError.refused(path: "/v1/models", status: 401, text: "who?")) {
            try await describe(locked)
        }
        let page = try await ScriptedServer { _ in [Wire.text(Wire.whole("200 OK", "<html>"))] }
        await #expect(throws: BenchSetupError.unexpectedAnswer(path: "/v1/models", text: "<html>")) {
            try await describe(page)
        }
    }
}
