// What all handlers share: settings, the model once it is there, counters, and whether the server is leaving.

import CServeCore
import Logging
import Synchronization

/// How a server listens and whom it answers.
public struct ServerSettings: Sendable {
    /// The address to listen on.
    public var host: String = "127.0.0.1"
    /// The port; 0 takes a free one.
    public var port: Int = 8000
    /// Keys, one of which every request but health checks must bring.
    public var apiKeys: APIKeys = APIKeys([])
    /// Bounds on requests.
    public var limits: Limits = Limits()
    /// A path before all routes, for proxies that do not strip it.
    public var rootPath: String = ""
    /// Origins that browsers may call from; `*` is any, none sends no CORS headers.
    public var allowedOrigins: [String] = []
    /// Whether requests may bring their own chat template.
    public var trustRequestTemplate: Bool = false
    /// Whether requests are logged.
    public var accessLog: Bool = true
    /// Whether prompts and answers may be logged.
    public var logContent: Bool = false
    /// Seconds without a step, with work pending, after which `/livez` fails.
    public var stallSeconds: Int = 120
    /// Seconds that a drain may take before the rest is cut off.
    public var shutdownSeconds: Int = 300
    /// Certificate chain (PEM) for TLS.
    public var certificateFile: String?
    /// Private key (PEM) for TLS.
    public var keyFile: String?

    /// Local, open, without TLS.
    public init() {}
}

/// The shared state of one server.
final class ServerState: Sendable {
    private struct Changing: Sendable {
        var model: ServedModel?
        var isDraining: Bool = false
    }

    let settings: ServerSettings
    let metrics: Metrics = Metrics()
    let connections: ConnectionTable = ConnectionTable()
    let logger: Logger
    /// Seconds since 1970.
    let started: Double
    private let changing: Mutex<Changing> = Mutex(Changing())

    init(settings: ServerSettings, logger: Logger, started: Double) {
        self.settings = settings
        self.logger = logger
        self.started = started
    }

    /// The model, once it is loaded.
    var model: ServedModel? { changing.withLock { $0.model } }
    /// Whether new work is refused.
    var isDraining: Bool { changing.withLock { $0.isDraining } }

    func publish(_ model: ServedModel) {
        metrics.fit(maxModelLength: model.engine.maxModelLength)
        changing.withLock { $0.model = model }
    }

    /// True the first time.
    func beginDraining() -> Bool {
        changing.withLock { changing in
            defer { changing.isDraining = true }
            return !changing.isDraining
        }
    }
}
