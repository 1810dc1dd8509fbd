// `cserve fetch`: a model from a hub, resumed where it stopped, every file checked by its digest.

import ArgumentParser
import CServeCore
import CServeDeploy
import Foundation

/// Fetches a model.
struct Fetch: AsyncParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        abstract: "Fetch a model from a hub, resuming what began, and check every file.",
        discussion: """
            EXAMPLES
              cserve fetch Qwen/Qwen2.5-0.5B-Instruct                 into the cache that huggingface_hub shares
              cserve fetch meta-llama/Llama-3.1-8B-Instruct@0e9e39f2… --to ./model --token-file token
              HF_ENDPOINT=http://mirror:8080 cserve fetch Qwen/Qwen2.5-0.5B-Instruct
              cserve fetch Qwen/Qwen2.5-0.5B-Instruct --offline       is it complete? Where?

            The folder is printed on standard output. Without --include, other formats of weights that are there as
            safetensors are left out. https needs a build with --traits TLS.

            ENVIRONMENT
              HF_ENDPOINT          the hub (default https://huggingface.co)
              HF_TOKEN             a token; HF_TOKEN_PATH or ~/.cache/huggingface/token: its file
              HF_HUB_CACHE         the cache; else HF_HOME/hub, else ~/.cache/huggingface/hub
              HF_HUB_OFFLINE=1     as --offline

            EXIT STATUS
              0  complete                     3  the hub cannot be reached    5  offline (or waited), and not complete
              2  no such model, or no access  4  bytes are damaged            1  the disk refused
            """)

    @Argument(help: "OWNER/NAME@REVISION; without a revision: main.")
    var model: String

    @Option(help: "A folder for the files; without it, the cache.", completion: .directory)
    var to: String?

    @Option(help: "Only files that match: *.json (may be given several times).")
    var include: [String] = []

    @Option(help: "No file that matches.")
    var exclude: [String] = []

    @Option(help: "A file that holds the token.", completion: .file())
    var tokenFile: String?

    @Flag(help: "Fetch nothing: say whether the model is complete.")
    var offline: Bool = false

    @Option(help: "Seconds to wait until another process has fetched the model; fetches nothing itself.")
    var wait: Int?

    @Option(help: "Files at once.")
    var workers: Int = 4

    @Flag(help: "Show no progress.")
    var quiet: Bool = false

    func run() async throws {
        do {
            Console.say(try await fetched())
        } catch let error as HubError {
            Console.complain("Error: \(error)")
            throw ExitCode(error.exitCode)
        } catch let error as DeployError {
            Console.complain("Error: \(error)")
            throw ExitCode(1)
        }
    }

    private func fetched() async throws -> String {
        let model = try HubModel(parsing: model)
        let environment = HubEnvironment()
        let place: HubPlace = to.map { .folder($0) } ?? .cache(environment.cache)
        let folder: String = to ?? environment.cache
        if let wait { return try await awaited(model, place, folder, seconds: wait) }
        if offline || environment.isOffline {
            guard let there = place.complete(model) else {
                throw HubError.incomplete(model: model.description, folder: folder)
            }
            return there
        }
        let hub = Hub(
            endpoint: environment.endpoint, token: try environment.token(file: tokenFile), transport: HubConnection())
        let bar = FetchBar(isShown: !quiet)
        defer { bar.clear() }
        return try await HubFetch(
            hub: hub, place: place, selection: HubSelection(include: include, exclude: exclude), workers: workers,
            report: { bar.show($0) }
        ).run(model)
    }

    /// Looks once a second.
    private func awaited(_ model: HubModel, _ place: HubPlace, _ folder: String, seconds: Int) async throws -> String {
        for _ in 0...max(0, seconds) {
            if let there = place.complete(model) { return there }
            try await Task.sleep(for: .seconds(1))
        }
        throw HubError.waited(seconds: seconds, folder: folder)
    }
}

/// What the environment says of the hub, by huggingface_hub's names.
struct HubEnvironment {
    private let variables: [String: String] = ProcessInfo.processInfo.environment.filter { !$0.value.isEmpty }

    var endpoint: String { variables["HF_ENDPOINT"] ?? Hub.standard }
    var isOffline: Bool { ["1", "ON", "YES", "TRUE"].contains((variables["HF_HUB_OFFLINE"] ?? "").uppercased()) }

    private var home: String {
        variables["HF_HOME"] ?? (variables["XDG_CACHE_HOME"] ?? (variables["HOME"] ?? ".") + "/.cache") + "/huggingface"
    }

    var cache: String { variables["HF_HUB_CACHE"] ?? home + "/hub" }

    /// The token: of the file that is named, of HF_TOKEN, of the usual file; nil where there is none.
    /// - Throws: ``HubError/unwritable(path:reason:)`` never; a file that was named must be readable.
    func token(file: String?) throws -> String? {
        if let file {
            guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
                throw ValidationError("--token-file \(file) cannot be read.")
            }
            return text.trimmingBlanks.trimmingCharacters(in: .newlines)
        }
        if let token = variables["HF_TOKEN"] { return token }
        let path: String = variables["HF_TOKEN_PATH"] ?? home + "/token"
        let text: String? = try? String(contentsOfFile: path, encoding: .utf8)
        return text.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }.flatMap { $0.isEmpty ? nil : $0 }
    }
}
