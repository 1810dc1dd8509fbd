// `cserve chat`: a conversation in the terminal, with a server that is already there or with one of its own.

import ArgumentParser
import CServeCore
import CServeServer
import Foundation
import Logging

/// Talks to a model.
struct Chat: AsyncParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        abstract: "Talk to a model in the terminal.",
        discussion: """
            EXAMPLES
              cserve chat
              cserve chat --model ./Llama-3.2-1B-Instruct --system "Answer briefly."
              cserve chat --url http://127.0.0.1:8000/v1
              echo "What is a KV cache?" | cserve chat

            /reset begins anew, /exit or Ctrl-D ends, Ctrl-C stops an answer.
            """)

    @Option(help: "A server's address, such as http://127.0.0.1:8000/v1; without it a model is loaded here.")
    var url: String?

    @Option(help: "The key for --url.")
    var apiKey: String?

    @Option(help: "What the model is told first.")
    var system: String?

    @Option(help: "Tokens per answer at most.")
    var maxTokens: Int?

    @Option(help: "0 takes the likeliest token every time.")
    var temperature: Double?

    @OptionGroup(title: "Model and engine") var engine: EngineOptions
    @OptionGroup(title: "Text") var text: TextOptions

    func run() async throws {
        try await Failure.explained {
            guard let url else { return try await converseLocally() }
            let endpoint: Endpoint = try Endpoint(url: url)
            try await converse(endpoint, key: apiKey, model: engine.model)
        }
    }

    /// Serves on a free port of this machine, to nobody who lacks the key, and talks to that.
    private func converseLocally() async throws {
        let loader: ModelLoader = ModelLoader(recipe: try engine.resolved(), text: text, servedNames: [])
        try loader.check()
        let key: String = String(UInt64.random(in: 0...UInt64.max), radix: 36)
        var settings: ServerSettings = ServerSettings()
        settings.port = 0
        settings.apiKeys = APIKeys([key])
        settings.accessLog = false
        var logger: Logger = Logger(label: "cserve", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = .error
        let server: Server = Server(settings: settings, logger: logger, startedAt: Date().timeIntervalSince1970)
        let (ports, continuation) = AsyncStream<Int>.makeStream()
        let running: Task<Void, any Error> = Task {
            defer { continuation.finish() }
            try await server.run { continuation.yield($0) }
        }
        defer { running.cancel() }
        server.publish(try await Loading.onThread { try loader.load { _ in } })
        for await port in ports {
            try await converse(Endpoint(host: "127.0.0.1", port: port, path: "/v1"), key: key, model: nil)
            return
        }
        try await running.value
    }

    private func converse(_ endpoint: Endpoint, key: String?, model: String?) async throws {
        var messages: [JSONValue] = opening
        let interactive: Bool = isatty(0) == 1
        let interruption: Interruption? = interactive ? Interruption() : nil
        while true {
            if interactive { Console.say("> ", end: "") }
            guard let line = readLine() else { return }
            switch line.trimmingCharacters(in: .whitespaces) {
            case "": continue
            case "/exit", "/quit": return
            case "/reset": messages = opening
            default:
                messages.append(["role": "user", "content": .string(line)])
                let sent: [JSONValue] = messages
                let task: Task<String, any Error> = Task { try await ask(endpoint, key, model, sent) }
                interruption?.watch(task)
                let answer: String = try await task.value
                interruption?.watch(nil)
                Console.say("")
                messages.append(["role": "assistant", "content": .string(answer)])
            }
        }
    }

    private var opening: [JSONValue] {
        system.map { [["role": "system", "content": .string($0)]] } ?? []
    }

    /// Sends the conversation and prints the answer as it comes.
    private func ask(
        _ endpoint: Endpoint, _ key: String?, _ model: String?, _ messages: [JSONValue]
    ) async throws -> String {
        var body: JSONObject = JSONObject([("messages", .array(messages)), ("stream", true)])
        if let model { body["model"] = .string(model) }
        if let maxTokens { body["max_tokens"] = .integer(maxTokens) }
        if let temperature { body["temperature"] = .double(temperature) }
        var answer: String = ""
        let bytes: [UInt8] = JSONValue.object(body).serialized()
        do {
            try await ChatClient.post(endpoint.adding("/chat/completions"), key: key, body: bytes) { event in
                let json: JSONValue? = try? JSONValue(parsing: event)
                if let message = json?["error"]?["message"]?.stringValue { throw ChatError.refused(message) }
                guard let piece = json?["choices"]?[0]?["delta"]?["content"]?.stringValue else { return }
                answer += piece
                Console.say(piece, end: "")
            }
        } catch {
            // Whoever stops an answer keeps what there is of it.
            guard Task.isCancelled else { throw error }
        }
        return answer
    }
}
