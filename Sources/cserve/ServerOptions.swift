// The flags of the HTTP server, named as vLLM names them.

import ArgumentParser
import CServeServer
import Foundation

/// How the server listens, whom it answers and what it bounds.
struct ServerOptions: ParsableArguments {
    @Option(help: "The address to listen on; 0.0.0.0 for every network.")
    var host: String = "127.0.0.1"

    @Option(help: "The port; 0 takes a free one.")
    var port: Int = 8000

    @Option(parsing: .upToNextOption, help: "Names under which the model answers (default: --model).")
    var servedModelName: [String] = []

    @Option(parsing: .upToNextOption, help: "Keys, one of which every request but health checks must bring.")
    var apiKey: [String] = []

    @Option(help: "A path before all routes, for proxies that do not strip it.")
    var rootPath: String = ""

    @Option(parsing: .upToNextOption, help: "Origins that browsers may call from; * is any.")
    var allowedOrigins: [String] = []

    @Option(help: "TLS certificate chain (PEM); needs a build with --traits TLS.", completion: .file())
    var sslCertfile: String?

    @Option(help: "TLS private key (PEM).", completion: .file())
    var sslKeyfile: String?

    @Flag(help: "Let requests bring their own chat template.")
    var trustRequestChatTemplate: Bool = false

    @Flag(
        name: [.customLong("disable-access-log"), .customLong("disable-uvicorn-access-log")], help: "Log no requests.")
    var disableAccessLog: Bool = false

    @Flag(help: "Log prompts and answers.")
    var logContent: Bool = false

    @Option(help: "Largest request body in bytes; larger ones get 413.")
    var maxBodyBytes: Int = 16 << 20

    @Option(help: "Largest request header in bytes; larger ones get 431.")
    var maxHeaderBytes: Int = 32 << 10

    @Option(help: "Stop strings that a request may have.")
    var maxStopStrings: Int = 16

    @Option(name: [.customLong("timeout-keep-alive")], help: "Seconds for a connection to send its next request.")
    var timeoutKeepAlive: Int = 75

    @Option(help: "Seconds for a request's body to arrive; later ones get 408.")
    var timeoutRequestBody: Int = 60

    @Option(help: "Seconds without a step, with work pending, after which /livez fails.")
    var stallTimeout: Int = 120

    @Option(help: "Keep the last so many engine steps for cserve calibrate --url (GET /debug/steps); 0: none.")
    var stepLog: Int = 0

    @Option(help: "Seconds that running requests get after SIGTERM.")
    var shutdownTimeout: Int = 300

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port is \(port). Choose 0 to 65535.") }
        let positives: [(String, Int)] = [
            ("max-body-bytes", maxBodyBytes), ("max-header-bytes", maxHeaderBytes),
            ("timeout-keep-alive", timeoutKeepAlive), ("timeout-request-body", timeoutRequestBody),
            ("stall-timeout", stallTimeout), ("shutdown-timeout", shutdownTimeout),
        ]
        for (name, value) in positives where value < 1 {
            throw ValidationError("--\(name) is \(value). Choose at least 1.")
        }
        guard (0...1_000_000).contains(stepLog) else {
            throw ValidationError("--step-log is \(stepLog). Choose 0 to 1000000.")
        }
        guard apiKey.allSatisfy({ key in !key.isEmpty && key.utf8.allSatisfy { (0x21...0x7E).contains($0) } }) else {
            throw ValidationError(
                "--api-key has an empty key, or one with spaces or characters that no header can carry. Give printable "
                    + "ASCII, or leave the flag out to answer everyone.")
        }
        guard rootPath.isEmpty || rootPath.hasPrefix("/") else {
            throw ValidationError("--root-path is \(rootPath). It begins with a slash, such as /llm.")
        }
    }

    /// The server's settings; keys also come from the environment.
    func settings() throws -> ServerSettings {
        var settings: ServerSettings = ServerSettings()
        settings.host = host
        settings.port = port
        let environment: [String: String] = ProcessInfo.processInfo.environment
        settings.apiKeys = APIKeys(apiKey + ["CSERVE_API_KEY", "VLLM_API_KEY"].compactMap { environment[$0] })
        settings.rootPath = rootPath.hasSuffix("/") ? String(rootPath.dropLast()) : rootPath
        settings.allowedOrigins = allowedOrigins
        settings.trustRequestTemplate = trustRequestChatTemplate
        settings.accessLog = !disableAccessLog
        settings.logContent = logContent
        settings.certificateFile = sslCertfile
        settings.keyFile = sslKeyfile
        settings.stallSeconds = stallTimeout
        settings.shutdownSeconds = shutdownTimeout
        settings.limits.bodyBytes = maxBodyBytes
        settings.limits.headerBytes = maxHeaderBytes
        settings.limits.stopStrings = maxStopStrings
        settings.limits.idleSeconds = timeoutKeepAlive
        settings.limits.bodySeconds = timeoutRequestBody
        return settings
    }
}
