// `cserve health`: asks a server's probe, for health checks in images that have no shell and no curl.

import ArgumentParser
import CServeDeploy

/// Asks a probe.
struct HealthCommand: AsyncParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        commandName: "health", abstract: "Ask a server's probe: exit 0 if it answers 200, else 1.",
        discussion: "Paths: /readyz (takes requests), /livez (makes steps), /startupz (has loaded), /health.")

    @Option(help: "The probe's address.")
    var url: String = "http://127.0.0.1:8000/readyz"

    @Option(help: "Seconds to wait for the answer.")
    var timeout: Int = 3

    func run() async throws {
        var status: Int = 0
        do {
            try await HubConnection(patience: max(1, timeout)).get(url, headers: []) {
                status = $0.status
            } body: { _ in
            }
        } catch {
            Console.complain("Error: \(error)")
            throw ExitCode(1)
        }
        Console.say("\(url) \(status)")
        if status != 200 { throw ExitCode(1) }
    }
}
