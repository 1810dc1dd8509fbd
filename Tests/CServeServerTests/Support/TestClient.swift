// A small HTTP client on loopback that can misbehave: it sends raw bytes and hangs up when told.

import CServeCore
import NIOCore
import NIOPosix
import Synchronization
import Testing

/// One connection, byte by byte.
final class TestConnection: Sendable {
    private let channel: any Channel
    private let inbox: Inbox

    private init(channel: any Channel, inbox: Inbox) {
        self.channel = channel
        self.inbox = inbox
    }

    static func open(port: Int) async throws -> TestConnection {
        let inbox: Inbox = Inbox()
        let channel: any Channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(inbox: inbox))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return TestConnection(channel: channel, inbox: inbox)
    }

    func send(_ text: String) async throws {
        try await channel.writeAndFlush(ByteBuffer(string: text))
    }

    func close() async throws {
        try await channel.close()
    }

    /// Everything until the text that has come satisfies the condition or the server closes; fails after a minute or more.
    func read(until isEnough: @Sendable (String) -> Bool) async throws -> String {
        for _ in 0..<12_000 {
            let (text, closed) = inbox.contents
            if closed || isEnough(text) { return text }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw TestTimeout(seen: inbox.contents.text)
    }

    /// Takes what was read out of the inbox.
    func forget() { inbox.clear() }

    var isClosed: Bool { inbox.contents.closed }

    private final class Inbox: Sendable {
        private let state: Mutex<(bytes: [UInt8], closed: Bool)> = Mutex(([], false))
        var contents: (text: String, closed: Bool) {
            state.withLock { (String(decoding: $0.bytes, as: UTF8.self), $0.closed) }
        }
        func append(_ buffer: ByteBuffer) { state.withLock { $0.bytes.append(contentsOf: buffer.readableBytesView) } }
        func close() { state.withLock { $0.closed = true } }
        func clear() { state.withLock { $0.bytes = [] } }
    }

    private final class Collector: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        private let inbox: Inbox
        init(inbox: Inbox) { self.inbox = inbox }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) { inbox.append(unwrapInboundIn(data)) }
        func channelInactive(context: ChannelHandlerContext) { inbox.close() }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

/// What was waited for did not come.
struct TestTimeout: Error, CustomStringConvertible {
    var seen: String
    var description: String { "nothing more came after: \(seen)" }
}

/// A parsed answer.
struct TestResponse: Sendable {
    var status: Int
    var headers: [String: String]
    var body: String

    /// The body as JSON.
    func json() throws -> JSONValue { try JSONValue(parsing: body) }

    /// The data of each server-sent event.
    var events: [String] {
        body.components(separator: "\n\n").filter { $0.hasPrefix("data: ") }.map { String($0.dropFirst(6)) }
    }

    /// The events but the last, as JSON.
    func chunks() throws -> [JSONValue] {
        try events.filter { $0 != "[DONE]" }.map { try JSONValue(parsing: $0) }
    }

    /// Parses one answer from the beginning of a text; nil if it is not complete.
    init?(_ text: String) {
        guard let split = text.firstRange(of: "\r\n\r\n") else { return nil }
        let lines: [String] = String(text[..<split.lowerBound]).components(separator: "\r\n")
        status = Int(lines[0].split(separator: " ")[1]) ?? 0
        headers = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmed
        }
        let rest: String = String(text[split.upperBound...])
        if headers["transfer-encoding"] == "chunked" {
            guard let whole = TestResponse.unchunk(Array(rest.utf8)) else { return nil }
            body = whole
        } else {
            let length: Int = headers["content-length"].flatMap { Int($0) } ?? 0
            guard rest.utf8.count >= length else { return nil }
            body = String(decoding: Array(rest.utf8).prefix(length), as: UTF8.self)
        }
    }

    private static func unchunk(_ bytes: [UInt8]) -> String? {
        var body: [UInt8] = []
        var rest: ArraySlice<UInt8> = bytes[...]
        while let end = rest.firstIndex(of: 13) {
            guard let size = Int(String(decoding: rest[..<end], as: UTF8.self), radix: 16) else { return nil }
            if size == 0 { return String(decoding: body, as: UTF8.self) }
            guard rest.endIndex >= end + 2 + size + 2 else { return nil }
            body += rest[(end + 2)..<(end + 2 + size)]
            rest = rest[(end + 2 + size + 2)...]
        }
        return nil
    }
}

extension String {
    func components(separator: String) -> [String] {
        var parts: [String] = []
        var rest: Substring = self[...]
        while let range = rest.firstRange(of: separator) {
            parts.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        return parts + [String(rest)]
    }
}

extension Substring {
    var trimmed: String { String(drop { $0 == " " }) }
}
