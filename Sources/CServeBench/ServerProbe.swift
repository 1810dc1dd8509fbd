// Finds out what a server serves and takes, with a few small requests, so that one command fits every server.
import CServeCore
import NIOHTTP1

/// What is known of a server before it is measured.
public struct ServerDescription: Hashable, Sendable {
    /// The model's name as requests give it.
    public var model: String
    /// Tokens that prompt and answer may have together; nil: it does not say.
    public var maxModelLength: Int?
    /// Where prompts come from: what the server takes best.
    public var source: PromptSource
    /// What a reader of the result should know.
    public var notes: [String] = []
}

/// In which form prompts are sent.
public enum PromptForm: String, Hashable, Sendable, CaseIterable {
    /// Token ids where the server takes them, else text.
    case auto
    /// Token ids.
    case tokens
    /// Text.
    case text
}

/// Asks a server about itself.
public struct ServerProbe: Sendable {
    private let client: StreamingClient
    private let endpoint: BenchEndpoint

    /// Prepares questions to a server.
    public init(_ client: StreamingClient, endpoint: BenchEndpoint) {
        self.client = client
        self.endpoint = endpoint
    }

    /// Finds the model, and in which form it takes prompts.
    ///
    /// - Parameter vocabularySize: token ids are drawn below it; nil: below the largest that the server's tokenizer is seen
    ///   to use.
    /// - Throws: ``BenchSetupError``.
    public func describe(
        model: String?, form: PromptForm, vocabularySize: Int?
    ) async throws(BenchSetupError) -> ServerDescription {
        let list: JSONValue? = try await models(isNeeded: model == nil)
        let entry: JSONValue? = list?["data"]?.arrayValue?.first { model == nil || $0["id"]?.stringValue == model }
        guard let name = model ?? entry?["id"]?.stringValue else { throw .noModels(url: "\(client.server)/v1") }
        let length: Int? = entry?["max_model_len"]?.intValue ?? entry?["meta"]?["n_ctx"]?.intValue
        let tokenizer: ServerTokenizer? = await ServerTokenizer.find(client, model: name)
        let trial = TrialRequest(client: client, endpoint: endpoint, model: name)
        var description = ServerDescription(
            model: name, maxModelLength: length, source: .tokens(vocabularySize: 2))
        if endpoint == .completions, form != .text {
            let refusal: BenchSetupError? = await trial.refusal(of: [1, 1])
            if let refusal, form == .tokens { throw refusal }
            if refusal == nil {
                let size: Int? = vocabularySize ?? entry?["meta"]?["n_vocab"]?.intValue ?? tokenizer?.vocabularySize
                description.source = .tokens(vocabularySize: max(2, size ?? Self.smallVocabulary))
                return description
            }
        }
        let (words, note) = try await WordFinder(tokenizer: tokenizer, trial: trial).find()
        description.source = .words(words)
        if let note { description.notes.append(note) }
        return description
    }

    /// Every model that is in use has more tokens than this.
    private static let smallVocabulary: Int = 1000

    private func models(isNeeded: Bool) async throws(BenchSetupError) -> JSONValue? {
        let path: String = "/v1/models"
        do {
            let answer: PlainAnswer = try await client.fetch(.GET, path)
            guard answer.status == 200 else {
                guard isNeeded || [401, 403, 503].contains(answer.status) else { return nil }
                throw BenchSetupError.refused(
                    path: path, status: answer.status, text: BeginningText.message(answer.body))
            }
            guard let json = answer.json else {
                throw BenchSetupError.unexpectedAnswer(path: path, text: BeginningText.text(answer.body))
            }
            return json
        } catch let error as BenchSetupError {
            throw error
        } catch {
            throw .unreachable(url: "\(client.server)", reason: error.reason)
        }
    }
}

extension Error {
    /// Why nothing came back, in a few words.
    var reason: String {
        guard let failure = (self as? PlainFailure)?.failure else { return "\(self)" }
        return switch failure {
        case .connection(let text): text
        case .malformed(let text): text
        case .timeout: "no answer in time"
        case .closedEarly: "it closed the connection"
        default: "\(failure)"
        }
    }
}

/// Sends one small request and reads what the server counted.
struct TrialRequest: Sendable {
    let client: StreamingClient
    let endpoint: BenchEndpoint
    let model: String

    /// Why the server does not take a prompt; nil: it does.
    func refusal(of prompt: JSONValue) async -> BenchSetupError? {
        do { _ = try await answer(["prompt": prompt]) } catch { return error }
        return nil
    }

    /// The prompt's tokens of a text, or of messages that alternate, as the server counts them; nil: it does not.
    func promptTokens(_ texts: [String]) async throws(BenchSetupError) -> Int? {
        let prompt: JSONValue =
            switch endpoint {
            case .completions: ["prompt": .string(texts.joined(separator: " "))]
            case .chat:
                [
                    "messages": .array(
                        texts.enumerated().map { place, text in
                            ["role": place % 2 == 0 ? "user" : "assistant", "content": .string(text)]
                        })
                ]
            }
        return try await answer(prompt)["usage"]?["prompt_tokens"]?.intValue
    }

    private func answer(_ prompt: JSONValue) async throws(BenchSetupError) -> JSONValue {
        var body: JSONObject = JSONObject([("model", .string(model)), ("max_tokens", 1), ("temperature", 0)])
        for (key, value) in prompt.objectValue?.members ?? [] { body[key] = value }
        let path: String = endpoint.rawValue
        let answer: PlainAnswer
        do { answer = try await client.fetch(.POST, path, .object(body), timeout: 300 * .second) } catch {
            throw .unreachable(url: "\(client.server)\(path)", reason: error.reason)
        }
        guard (200..<300).contains(answer.status) else {
            throw .refused(path: path, status: answer.status, text: BeginningText.message(answer.body))
        }
        guard let json = answer.json else {
            throw .unexpectedAnswer(path: path, text: BeginningText.text(answer.body))
        }
        return json
    }
}
