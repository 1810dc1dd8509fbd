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
              cserve serve --model ./Llama-3.2-1B-Instruct-Q4_K_M.gguf
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
        var loader: ModelLoader = ModelLoader(recipe: recipe, text: text, servedNames: server.servedModelName)
        loader.loggedSteps = server.stepLog
        let checked: ModelLoader = loader
        try Failure.explained { try checked.check() }
        let logger: Logger = try Logs.logger(logs)
        let server: Server = Server(settings: try self.server.settings(), logger: logger, startedAt: started)
        Console.say("cserve \(ServerVersion.number)")
        try await Self.serve(server, checked, self.server, signals)
    }

    /// Runs the server until a signal or a failure ends it.
    static func serve(
        _ server: Server, _ loader: ModelLoader, _ options: ServerOptions, _ signals: Signals
    ) async throws {
        let scheme: String = options.sslCertfile == nil ? "http" : "https"
        let (ports, bound) = AsyncStream<Int>.makeStream()
        let running: Task<Void, any Error> = Task {
            defer { bound.finish() }
            try await server.run { bound.yield($0) }
        }
        let ending: Task<Void, Never> = Task { await end(server, running, signals) }
        defer { ending.cancel() }
        try await Failure.explained {
            for await port in ports {
                Console.say("Listening on \(scheme)://\(options.host):\(port)")
                let model: ServedModel = try await Loading.onThread { try loader.load { Console.say($0) } }
                server.publish(model)
                Console.say("Ready: \(model.names.joined(separator: ", "))")
                break
            }
            do {
                try await running.value
            } catch is CancellationError {}
        }
        Console.say("Stopped.")
    }

    /// The first signal drains and ends the server, the second one ends the process.
    private static func end(_ server: Server, _ running: Task<Void, any Error>, _ signals: Signals) async {
        var count: Int = 0
        for await number in signals.stream {
            count += 1
            if count > 1 || !server.hasModel { _exit(count > 1 ? 128 + number : 0) }
            Console.say("Finishing running requests; the same signal again stops at once.")
            Task {
                await server.drain()
                running.cancel()
            }
        }
    }
}

/// Long work on a thread of its own, so that probes are answered meanwhile.
enum Loading {
    static func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let thread: Thread = Thread { continuation.resume(with: Result { try work() }) }
            thread.stackSize = 8 << 20
            thread.start()
        }
    }
}

/// Failures as people read them.
enum Failure {
    /// Runs the work; an error becomes one line on standard error and exit code 1.
    static func explained<Value>(_ work: () throws -> Value) throws -> Value {
        try explained(asJSON: false, work)
    }

    /// The same; programs that read JSON on standard output get `{"error": …}` there.
    static func explained<Value>(asJSON: Bool, _ work: () throws -> Value) throws -> Value {
        do {
            return try work()
        } catch {
            if asJSON { Console.say(JSONValue.object(JSONObject([("error", .string("\(error)"))])).text(.pretty)) }
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
