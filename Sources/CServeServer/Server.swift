// The HTTP server's public face: its routes on one screen, and its life from the first socket to the last answer.

import CServeCore
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// Answers OpenAI's API over HTTP with the model that it is given.
///
/// `run` listens at once; until `publish` hands the model in, everything but `/livez` and `/` answers 503.
public struct Server: Sendable {
    private let state: ServerState

    /// Prepares a server; nothing listens yet. `startedAt` is in seconds since 1970.
    public init(settings: ServerSettings, logger: Logger, startedAt: Double) {
        state = ServerState(settings: settings, logger: logger, started: startedAt)
    }

    static func routes() -> [Route] {
        [
            .get("/", GenerateCompat.status),
            .post("/cserve/v1/generate", GenerateCompat.generate),
            .post("/v1/chat/completions", ChatCompletions.answer),
            .post("/v1/completions", Completions.answer),
            .get("/v1/models", Models.list),
            .get("/v1/models/*", Models.one),
            .post("/tokenize", Tokenize.tokenize),
            .post("/detokenize", Tokenize.detokenize),
            .get("/health", open: true, Health.health),
            .get("/ping", open: true, Health.health),
            .get("/startupz", open: true, Health.started),
            .get("/readyz", open: true, Health.ready),
            .get("/livez", open: true, Health.live),
            .get("/version", Health.version),
            .get("/load", Health.load),
            .get("/metrics", Health.metrics),
            .get("/debug/steps", StepLog.steps),
            .get("/openapi.json", Documentation.openAPI),
            .get("/docs", Documentation.page),
        ]
    }

    /// Whether a model has been handed in.
    public var hasModel: Bool { state.model != nil }

    /// Makes the model answer.
    public func publish(_ model: ServedModel) {
        state.publish(model)
    }

    /// Listens and answers until the task is cancelled; tells the port once it is bound.
    /// - Throws: ``ServerError`` if the address cannot be used.
    public func run(onListening: @escaping @Sendable (Int) -> Void) async throws {
        var quiet: Logger = state.logger
        // Cancelling the server is how it ends; Hummingbird would log that as an error.
        quiet.logLevel = .critical
        let settings: ServerSettings = state.settings
        let application: Application<Responder> = Application(
            responder: Responder(state: state, routes: RouteTable(Server.routes())),
            server: try transport(),
            configuration: ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port), serverName: "cserve", backlog: 1024,
                availableConnectionsDelegate: .maximum(settings.limits.connections, logger: quiet)),
            onServerRunning: { channel in onListening(channel.localAddress?.port ?? settings.port) },
            logger: quiet)
        do {
            try await application.run()
        } catch let error as IOError {
            throw ServerError.cannotListen(host: settings.host, port: settings.port, reason: error.plainReason)
        }
    }

    /// Refuses new work, lets running requests end within the allowed time, and returns when the last answer has left.
    public func drain() async {
        guard state.beginDraining() else { return }
        let deadline: Nanoseconds = Clock.now() + Nanoseconds(state.settings.shutdownSeconds) * Nanoseconds.second
        let engine: (any ServingEngine)? = state.model?.engine
        let drained: Task<Void, Never> = Task { await engine?.drain() }
        while state.connections.requests > 0, Clock.now() < deadline {
            try? await Task.sleep(for: .milliseconds(20))
        }
        guard Clock.now() < deadline else { return drained.cancel() }
        await drained.value
    }

    /// Plain HTTP/1.1, or TLS where certificates are given and the build has it.
    private func transport() throws -> HTTPServerBuilder {
        let (table, limits): (ConnectionTable, Limits) = (state.connections, state.settings.limits)
        var decoder: HTTP1Channel.Configuration.DecoderConfiguration = .init()
        decoder.maxHeaderFieldSize = limits.headerBytes
        decoder.maxHeaderListSize = limits.headerBytes
        decoder.maxHeaderFieldCount = 200
        let plain: HTTPServerBuilder = .http1(
            configuration: HTTP1Channel.Configuration(
                additionalChannelHandlers: [ConnectionGuard(table: table, limits: limits)],
                idleTimeout: .seconds(Int64(limits.idleSeconds)), httpDecoderConfiguration: decoder))
        return try TransportSecurity.wrap(plain, settings: state.settings)
    }
}

extension IOError {
    /// The reason without NIO's call names.
    fileprivate var plainReason: String {
        errnoCode == 98 || errnoCode == 48 ? "the port is in use" : description
    }
}
