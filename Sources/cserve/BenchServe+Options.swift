// The flags of `cserve bench` against a server, by the names that users of vLLM's and CentML's load generators know.

import ArgumentParser
import CServeBench
import CServeCore
import CServeWorkload
import Foundation

/// Which server, and how it is asked.
struct BenchServerOptions: ParsableArguments {
    @Option(name: [.long, .customLong("base-url")], help: "The server's address.")
    var url: String = "http://127.0.0.1:8000"

    @Option(name: [.long, .customShort("m")], help: "The model's name there (default: the first of /v1/models).")
    var model: String?

    @Option(help: "completions or chat, or the path of one.")
    var endpoint: String = "completions"

    @Option(help: "The key that the server asks for (default: OPENAI_API_KEY).")
    var apiKey: String?

    @Option(parsing: .singleValue, help: "A header of every request: NAME:VALUE. May be repeated.")
    var header: [String] = []

    @Option(help: "A JSON object whose members every request gets: '{\"temperature\": 0.7}'.")
    var extraBody: String?

    @Option(
        help: ArgumentHelp(
            "How prompts are sent: \(PromptForm.allCases.map(\.rawValue).joined(separator: ", "))."))
    var promptForm: PromptForm = .auto

    @Option(help: "Token ids are drawn below this (default: as the server's tokenizer shows).")
    var vocabSize: Int?

    @Flag(inversion: .prefixedNo, help: "Whether answers go on to their length past an end token.")
    var ignoreEos: Bool = true

    func api() throws -> BenchEndpoint {
        let name: String = endpoint.hasPrefix("/") ? String(endpoint.dropFirst()) : endpoint
        switch name {
        case "completions", "v1/completions", "openai": return .completions
        case "chat", "chat/completions", "v1/chat/completions", "openai-chat": return .chat
        default:
            throw WorkloadOptionError.badValue(
                flag: "--endpoint", value: endpoint, expected: "completions or chat")
        }
    }

    func headers() throws -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        if let key = apiKey ?? ProcessInfo.processInfo.environment["OPENAI_API_KEY"], !key.isEmpty {
            headers.append(("Authorization", "Bearer \(key)"))
        }
        for header in header {
            guard let colon = header.firstIndex(where: { $0 == ":" || $0 == "=" }), colon > header.startIndex else {
                throw BenchSetupError.badHeader(header)
            }
            let value: Substring = header[header.index(after: colon)...].drop { $0 == " " }
            headers.append((String(header[..<colon]), String(value)))
        }
        return headers
    }

    func extra() throws -> JSONObject {
        guard let extraBody else { return JSONObject() }
        guard let object = (try? JSONValue(parsing: Array(extraBody.utf8)))?.objectValue else {
            throw BenchSetupError.badExtraBody(extraBody)
        }
        return object
    }
}

extension PromptForm: ExpressibleByArgument {}

/// How a run is bounded.
struct BenchLoadOptions: ParsableArguments {
    @Option(help: "A trace file whose requests are replayed: as --workload FILE.", completion: .file())
    var trace: String?

    @Option(
        help: "Prompts whose texts are sent: JSON lines with prompt or messages, or ShareGPT's JSON.",
        completion: .file())
    var prompts: String?

    @Option(help: "Requests that wait for answers at most; further ones wait here.")
    var maxConcurrency: Int?

    @Option(help: "Requests that are sent first and not measured.")
    var numWarmups: Int = 1

    @Option(help: "Leaves out requests of the first span of the run: 10s.")
    var warmup: String?

    @Option(help: "Leaves out requests of the last span in which requests are sent.")
    var cooldown: String?

    @Option(help: "How long a request may take.")
    var timeout: String = "300s"

    @Option(help: "When the run ends, whoever still waits for an answer.")
    var maxRunTime: String?

    func settings() throws -> LoadSettings {
        var settings = LoadSettings()
        settings.timeout = try SpanFlag.span("--timeout", timeout)
        settings.maxRunTime = try maxRunTime.map { try SpanFlag.span("--max-run-time", $0) }
        if let maxConcurrency, maxConcurrency < 1 {
            throw WorkloadOptionError.badValue(
                flag: "--max-concurrency", value: "\(maxConcurrency)", expected: "1 or more")
        }
        settings.maxConcurrency = maxConcurrency
        return settings
    }

    func window() throws -> BenchWindows {
        BenchWindows(
            warmup: try warmup.map { try SpanFlag.span("--warmup", $0) } ?? 0,
            cooldown: try cooldown.map { try SpanFlag.span("--cooldown", $0) } ?? 0)
    }

    /// How long requests arrive where nothing else ends the run.
    private static let defaultDuration: Nanoseconds = 60 * .second

    /// A workload that would have no end gets one.
    static func bounded(_ workload: Workload) -> Workload {
        var workload: Workload = workload
        if workload.isEndless { workload.duration = defaultDuration }
        return workload
    }

    /// The workload of the flags, which needs no server; nil for recorded prompts.
    func workload(_ options: WorkloadOptions) throws -> Workload? {
        if prompts != nil, trace != nil || options.workload != nil {
            throw WorkloadOptionError.conflict("--prompts", "--workload or --trace")
        }
        guard prompts == nil else { return nil }
        if trace != nil, options.workload != nil { throw WorkloadOptionError.conflict("--trace", "--workload") }
        var options: WorkloadOptions = options
        if let trace { options.workload = trace }
        return try options.resolved()
    }

    /// What is sent.
    func work(
        _ workload: Workload?, _ options: WorkloadOptions, _ target: BenchTarget
    ) async throws -> BenchWork {
        var work: BenchWork
        if let workload {
            work = BenchWork(workload: workload, source: target.description.source)
        } else {
            work = try await recorded(prompts ?? "", options, target)
        }
        work.workload = Self.bounded(work.workload)
        try check(work.workload, target)
        return work
    }

    private func recorded(_ path: String, _ options: WorkloadOptions, _ target: BenchTarget) async throws -> BenchWork {
        guard let bytes = InputFiles.current.contents(path) else {
            throw WorkloadOptionError.unreadable(file: path, reason: "there is no such file, or it is a folder")
        }
        let name: String = URL(filePath: path).lastPathComponent
        var file: PromptFile = try PromptFile(name: name, bytes: bytes)
        try await file.count(by: target.client, model: target.description.model, first: options.requests)
        try file.check(target.endpoint)
        let repeats: Bool = options.requests != nil || options.duration != nil
        let trace: Trace = try file.trace(outputTokens: options.outputLen ?? 128)
        let base = Workload(name: name, replaying: TraceReplay(trace, repeats: repeats))
        var bounds: WorkloadOptions = options
        bounds.outputLen = nil
        return BenchWork(workload: try bounds.applied(to: base), source: .recorded(file.prompts))
    }

    /// Refuses a workload of which no request fits.
    private func check(_ workload: Workload, _ target: BenchTarget) throws {
        var shortest: Int?
        for request in workload.stream().prefix(1000) {
            shortest = min(shortest ?? .max, request.promptLength + request.outputLength)
        }
        guard let shortest else { throw BenchSetupError.nothingToSend }
        if let limit = target.description.maxModelLength, shortest > limit {
            throw BenchSetupError.tooLong(tokens: shortest, limit: limit)
        }
    }
}

extension Workload {
    /// Whether only its runner ends it.
    fileprivate var isEndless: Bool {
        guard requests == nil, duration == nil else { return false }
        guard case .trace(let replay) = content else { return true }
        return replay.repeats
    }
}
