// Runs a server on a free port for one test.

import CServeCore
import Logging
import Testing

@testable import CServeServer

/// A running server with a fake engine behind it.
struct TestServer: Sendable {
    let server: Server
    let port: Int
    let engine: FakeEngine

    /// Starts a server, runs the test, stops the server.
    static func with(
        _ engine: FakeEngine, settings change: (inout ServerSettings) -> Void = { _ in }, publish: Bool = true,
        codec: ByteCodec = ByteCodec(), defaults: SamplingDefaults = SamplingDefaults(),
        _ test: (TestServer) async throws -> Void
    ) async throws {
        var settings: ServerSettings = ServerSettings()
        settings.port = 0
        settings.accessLog = false
        change(&settings)
        var logger: Logger = Logger(label: "test")
        logger.logLevel = .critical
        let server: Server = Server(settings: settings, logger: logger, startedAt: 0)
        let (ports, found) = AsyncStream<Int>.makeStream()
        let running: Task<Void, any Error> = Task {
            defer { found.finish() }
            try await server.run { found.yield($0) }
        }
        var iterator = ports.makeAsyncIterator()
        let port: Int = try #require(await iterator.next())
        if publish { server.publish(model(engine, codec, defaults)) }
        do {
            try await test(TestServer(server: server, port: port, engine: engine))
        } catch {
            running.cancel()
            throw error
        }
        running.cancel()
        _ = try? await running.value
    }

    static func model(_ engine: FakeEngine, _ codec: ByteCodec, _ defaults: SamplingDefaults) -> ServedModel {
        ServedModel(
            names: ["test-model", "alias"], root: "test", created: 1, codec: codec, template: LineTemplate(),
            defaults: defaults, engine: engine)
    }

    /// Sends one request on a connection of its own and returns the answer.
    func send(
        _ method: String, _ path: String, body: String? = nil, headers: [String] = []
    ) async throws -> TestResponse {
        let connection: TestConnection = try await .open(port: port)
        try await connection.send(TestServer.request(method, path, body: body, headers: headers))
        let text: String = try await connection.read { TestResponse($0) != nil }
        try? await connection.close()
        return try #require(TestResponse(text), "incomplete: \(text)")
    }

    func post(_ path: String, _ body: String, headers: [String] = []) async throws -> TestResponse {
        try await send("POST", path, body: body, headers: headers)
    }

    func get(_ path: String, headers: [String] = []) async throws -> TestResponse {
        try await send("GET", path, headers: headers)
    }

    /// The bytes of a request.
    static func request(_ method: String, _ path: String, body: String? = nil, headers: [String] = []) -> String {
        var lines: [String] = ["\(method) \(path) HTTP/1.1", "Host: localhost"] + headers
        if let body { lines += ["Content-Type: application/json", "Content-Length: \(body.utf8.count)"] }
        return lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")
    }

    /// Waits for something that another task brings about; fails after a minute or more.
    func eventually(_ what: String, _ isTrue: () -> Bool) async throws {
        for _ in 0..<12_000 {
            if isTrue() { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("never came true: \(what)")
    }
}

/// Expects a status; `#expect` cannot await a throwing argument in every place.
func expectStatus(
    _ status: Int, _ response: TestResponse, _ comment: Comment? = nil, at place: SourceLocation = #_sourceLocation
) {
    #expect(response.status == status, comment, sourceLocation: place)
}
