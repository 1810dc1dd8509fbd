// `cserve serve`: listens, loads, answers, drains.

import ArgumentParser
import CServeCore
import CServeServer
import Foundation
import Logging

/// Serves a model over HTTP.
struct Serve: AsyncParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        abstract: "Serve a model with an OpenAI-compatible API.",
        discussion: """
            EXAMPLES
              cserve serve
              cserve serve --model ./Qwen2.5-0.5B-Instruct --port 9000 --max-model-len 4096
              cserve serve --host 0.0.0.0 --api-key $KEY --max-num-seqs 64
              cserve serve --recipe recipe.yaml

            ENVIRONMENT
              CSERVE_API_KEY, VLLM_API_KEY   further keys, as --api-key

            SIGNALS
              The first SIGTERM or Ctrl-C finishes running requests and exits 0; the second exits at once.
            """)

    @Argument(help: "The model, as in --model.")
    var modelArgument: String?

    @OptionGroup(title: "Model and engine") var engine: EngineOptions
    @OptionGroup(title: "Text") var text: TextOptions
    @OptionGroup(title: "Server") var server: ServerOptions
    @OptionGroup(title: "Logging") var logs: LogOptions

    func run() async throws {
        let started: Double = Date().timeIntervalSince1970
        let signals: Signals = Signals()
        var recipe: Recipe = try Failure.explained { try engine.resolved() }
        if let modelArgument { recipe.model = modelArgument }
        let loader: ModelLoader = ModelLoader(recipe: recipe, text: text, servedNames: server.servedModelName)
        try Failure.explained { try loader.check() }
        let logger: Logger = try Logs.logger(logs)
        let server: Server = Server(settings: try self.server.settings(), logger: logger, startedAt: started)
        Console.say("cserve \(ServerVersion.number)")
        try await Self.serve(server, loader, self.server, signals)
    }

    /// Runs the server until a signal or a failure ends it.
    static func serve(
        _ server: Server, _ loader: ModelLoader, _ options: ServerOptions, _ signals: Signals
    ) async throws {
        let scheme: String = options.sslCertfile == nil ? "http" : "https"
        let host: String = options.host
        let running: Task<Void, any Error> = Task {
            try await server.run { port in Console.say("Listening on \(scheme)://\(host):\(port)") }
        }
        let ending: Task<Void, Never> = Task {
            var count: Int = 0
            for await number in signals.stream {
                count += 1
                if count > 1 { _exit(128 + number) }
                Console.say("Finishing running requests; the same signal again stops at once.")
                Task {
                    await server.drain()
                    running.cancel()
                }
            }
        }
        defer { ending.cancel() }
        try await Failure.explained {
            let model: Task<ServedModel, any Error> = Task { try await loader.load { Console.say($0) } }
            do {
                let model: ServedModel = try await model.value
                server.publish(model)
                Console.say("Ready: \(model.names.joined(separator: ", "))")
            } catch {
                running.cancel()
                throw error
            }
            do {
                try await running.value
            } catch is CancellationError {}
        }
        Console.say("Stopped.")
    }
}

/// Failures as people read them.
enum Failure {
    /// Runs the work; an error becomes one line on standard error and exit code 1.
    static func explained<Value>(_ work: () throws -> Value) throws -> Value {
        do {
            return try work()
        } catch {
            throw explain(error)
        }
    }

    /// The same for asynchronous work.
    static func explained<Value>(_ work: () async throws -> Value) async throws -> Value {
        do {
            return try await work()
        } catch {
            throw explain(error)
        }
    }

    private static func explain(_ error: any Error) -> any Error {
        if error is ValidationError || error is ExitCode || error is CleanExit { return error }
        Console.complain("Error: \(error)")
        return ExitCode.failure
    }
}
