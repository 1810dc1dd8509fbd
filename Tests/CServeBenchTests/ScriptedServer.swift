// A server that does what a test tells it, byte by byte, and writes down when it did.
import CServeCore
import NIOCore
import NIOPosix
import Synchronization

@testable import CServeBench

/// A request as it came.
struct ScriptedRequest: Sendable {
    var path: String
    var headers: String
    var body: [UInt8]
    /// Counts the server's requests from 0.
    var number: Int
    /// Counts its connection's requests from 0.
    var place: Int

    var json: JSONValue { (try? JSONValue(parsing: body)) ?? .null }
}

/// What happens so long after a request arrived.
struct ScriptedStep: Sendable {
    var after: Nanoseconds = 0
    /// What is sent; nil: the connection is closed.
    var bytes: [UInt8]?
}

/// When a request arrived, and when each of its pieces was sent, in the clock of `NIODeadline`.
struct ScriptedRecord: Sendable {
    var request: ScriptedRequest
    var arrived: NIODeadline
    var sent: [NIODeadline] = []
}

/// What a server saw.
final class ScriptedLog: Sendable {
    private let state: Mutex<[ScriptedRecord]> = Mutex([])

    var records: [ScriptedRecord] { state.withLock { $0 } }

    func add(_ path: String, _ headers: String, _ body: [UInt8], place: Int) -> ScriptedRequest {
        state.withLock { records in
            let request = ScriptedRequest(
                path: path, headers: headers, body: body, number: records.count, place: place)
            records.append(ScriptedRecord(request: request, arrived: .now()))
            return request
        }
    }

    func sent(_ number: Int) { state.withLock { $0[number].sent.append(.now()) } }
}

/// Listens on a free port of the loopback interface.
final class ScriptedServer: Sendable {
    typealias Answer = @Sendable (ScriptedRequest) -> [ScriptedStep]

    let log = ScriptedLog()
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let channel: any Channel

    init(_ answer: @escaping Answer) async throws {
        channel = try await ServerBootstrap(group: group)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { [log] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ScriptedConnection(answer, log))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    var url: String { "http://127.0.0.1:\(channel.localAddress?.port ?? 0)" }

    func stop() async {
        try? await channel.close()
        try? await group.shutdownGracefully()
    }

    /// Runs work with a client of this server.
    func withClient<Value: Sendable>(
        headers: [(name: String, value: String)] = [], _ work: (StreamingClient) async throws -> Value
    ) async throws -> Value {
        let client = StreamingClient(try ServerAddress(parsing: url), headers: headers)
        do {
            let value: Value = try await work(client)
            await client.shutDown()
            await stop()
            return value
        } catch {
            await client.shutDown()
            await stop()
            throw error
        }
    }
}

/// Reads requests with a Content-Length, and follows the script. Unchecked: touched on its event loop only.
private final class ScriptedConnection: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let answer: ScriptedServer.Answer
    private let log: ScriptedLog
    private var pending: [UInt8] = []
    private var place: Int = 0

    init(_ answer: @escaping ScriptedServer.Answer, _ log: ScriptedLog) {
        self.answer = answer
        self.log = log
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        pending.append(contentsOf: unwrapInboundIn(data).readableBytesView)
        guard let end = pending.firstRange(of: Array("\r\n\r\n".utf8)) else { return }
        let head: String = String(decoding: pending[..<end.lowerBound], as: UTF8.self)
        let lines: [Substring] = head.split(separator: "\r\n")
        let length: Int =
            lines.first { $0.lowercased().hasPrefix("content-length:") }
            .flatMap { Int($0.dropFirst(15).filter { $0 != " " }) } ?? 0
        guard pending.count >= end.upperBound + length else { return }
        let body: [UInt8] = Array(pending[end.upperBound..<end.upperBound + length])
        pending.removeFirst(end.upperBound + length)
        let path: String = String(lines[0].split(separator: " ")[1])
        let request: ScriptedRequest = log.add(path, head, body, place: place)
        place += 1
        follow(answer(request), of: request.number, context.channel)
    }

    private func follow(_ steps: [ScriptedStep], of number: Int, _ channel: any Channel) {
        let start: NIODeadline = .now()
        for step in steps {
            let act: @Sendable () -> Void = { [log] in
                guard let bytes = step.bytes else { return channel.close(promise: nil) }
                log.sent(number)
                channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
            }
            if step.after == 0 {
                act()
            } else {
                channel.eventLoop.scheduleTask(deadline: start + .nanoseconds(step.after), act)
            }
        }
    }
}

/// Responses in pieces.
enum Wire {
    static let close = ScriptedStep(bytes: nil)

    static func text(_ text: String, after: Nanoseconds = 0) -> ScriptedStep {
        ScriptedStep(after: after, bytes: Array(text.utf8))
    }

    /// The head of an event stream that is sent in chunks.
    static let eventsHead: String =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"

    static func chunk(_ text: String) -> String { String(text.utf8.count, radix: 16) + "\r\n" + text + "\r\n" }
    static let lastChunk: String = "0\r\n\r\n"

    /// A response that is sent at once.
    static func whole(_ status: String, _ body: String, type: String = "application/json", more: String = "") -> String
    {
        "HTTP/1.1 \(status)\r\ncontent-type: \(type)\r\n\(more)content-length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    static func event(_ text: String, finish: String? = nil) -> String {
        let end: String = finish.map { "\"\($0)\"" } ?? "null"
        return "data: {\"choices\":[{\"index\":0,\"text\":\"\(text)\",\"finish_reason\":\(end)}]}\n\n"
    }

    static func usage(prompt: Int, output: Int) -> String {
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":\(prompt),\"completion_tokens\":\(output)}}\n\n"
    }

    static let done: String = "data: [DONE]\n\n"

    /// A whole good answer of so many tokens, sent at once.
    static func answer(tokens: Int, prompt: Int = 5) -> String {
        let events: String = (0..<tokens).map { event("t", finish: $0 == tokens - 1 ? "length" : nil) }.joined()
        return eventsHead + chunk(events + usage(prompt: prompt, output: tokens) + done) + lastChunk
    }

    /// A good answer whose tokens come at these times, head and end with the first and last.
    static func answer(at times: [Nanoseconds], tokensPerEvent: Int = 1) -> [ScriptedStep] {
        var steps: [ScriptedStep] = []
        for (place, time) in times.enumerated() {
            let isLast: Bool = place == times.count - 1
            var text: String = place == 0 ? eventsHead : ""
            text += chunk(event("t", finish: isLast ? "length" : nil))
            if isLast { text += chunk(usage(prompt: 5, output: times.count * tokensPerEvent) + done) + lastChunk }
            steps.append(Self.text(text, after: time))
        }
        return steps
    }
}
