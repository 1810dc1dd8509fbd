// A small HTTP client for `cserve chat`: one POST, server-sent events back. No TLS, no redirects, no dependencies.

import CServeCore
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// Why a chat cannot go on.
enum ChatError: Error, Hashable, CustomStringConvertible {
    case badAddress(String)
    case refused(String)
    case status(Int, String)

    var description: String {
        switch self {
        case .badAddress(let url):
            "\(url) cannot be used. Give http://HOST:PORT/v1 (https needs a proxy or curl: this client has no TLS)."
        case .refused(let message): message
        case .status(let code, let text): "The server answered \(code): \(text)"
        }
    }
}

/// Where a server answers.
struct Endpoint: Hashable, Sendable {
    var host: String
    var port: Int
    var path: String

    init(host: String, port: Int, path: String) {
        self.host = host
        self.port = port
        self.path = path
    }

    /// Reads an address such as `http://127.0.0.1:8000/v1`.
    init(url: String) throws {
        guard let parts = URLComponents(string: url), parts.scheme == "http", let host = parts.host, !host.isEmpty
        else {
            throw ChatError.badAddress(url)
        }
        let path: String = parts.path.hasSuffix("/") ? String(parts.path.dropLast()) : parts.path
        self.init(host: host, port: parts.port ?? 80, path: path.isEmpty ? "/v1" : path)
    }

    func adding(_ suffix: String) -> Endpoint { Endpoint(host: host, port: port, path: path + suffix) }
}

/// Posts and reads events.
enum ChatClient {
    typealias Client = NIOAsyncChannel<HTTPClientResponsePart, HTTPPart<HTTPRequestHead, ByteBuffer>>

    /// Sends a body and calls the closure with the data of each event; an error status throws with its body.
    static func post(
        _ endpoint: Endpoint, key: String?, body: [UInt8], _ onEvent: (String) throws -> Void
    ) async throws {
        try await connect(endpoint).executeThenClose { inbound, outbound in
            try await outbound.write(.head(head(endpoint, .POST, key: key, length: body.count)))
            try await outbound.write(.body(ByteBuffer(bytes: body)))
            try await outbound.write(.end(nil))
            try await read(inbound, onEvent)
        }
    }

    /// Fetches a page; its status and bytes.
    static func get(_ endpoint: Endpoint, key: String?) async throws -> (status: Int, body: [UInt8]) {
        try await connect(endpoint).executeThenClose { inbound, outbound in
            try await outbound.write(.head(head(endpoint, .GET, key: key, length: 0)))
            try await outbound.write(.end(nil))
            var answer: (status: Int, body: [UInt8]) = (0, [])
            for try await part in inbound {
                switch part {
                case .head(let head): answer.status = Int(head.status.code)
                case .body(let buffer): answer.body.append(contentsOf: buffer.readableBytesView)
                case .end: return answer
                }
            }
            return answer
        }
    }

    private static func connect(_ endpoint: Endpoint) async throws -> Client {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: endpoint.host, port: endpoint.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(RequestPartHandler())
                    return try Client(wrappingChannelSynchronously: channel)
                }
            }
    }

    private static func head(
        _ endpoint: Endpoint, _ method: HTTPMethod, key: String?, length: Int
    ) -> HTTPRequestHead {
        var headers: HTTPHeaders = [
            "Host": "\(endpoint.host):\(endpoint.port)", "Content-Type": "application/json",
            "Content-Length": "\(length)", "Accept": "text/event-stream",
        ]
        if let key { headers.add(name: "Authorization", value: "Bearer \(key)") }
        return HTTPRequestHead(version: .http1_1, method: method, uri: endpoint.path, headers: headers)
    }

    private static func read(
        _ inbound: NIOAsyncChannelInboundStream<HTTPClientResponsePart>, _ onEvent: (String) throws -> Void
    ) async throws {
        var status: Int = 0
        var pending: [UInt8] = []
        for try await part in inbound {
            switch part {
            case .head(let head): status = Int(head.status.code)
            case .body(let buffer):
                pending.append(contentsOf: buffer.readableBytesView)
                if status == 200 { try takeEvents(&pending, onEvent) }
            case .end:
                guard status == 200 else { throw failure(status, pending) }
                return
            }
        }
    }

    private static func takeEvents(_ pending: inout [UInt8], _ onEvent: (String) throws -> Void) throws {
        while let end = pending.firstRange(of: [10, 10]) {
            let line: String = String(decoding: pending[..<end.lowerBound], as: UTF8.self)
            pending.removeSubrange(..<end.upperBound)
            guard line.hasPrefix("data: "), line != "data: [DONE]" else { continue }
            try onEvent(String(line.dropFirst(6)))
        }
    }

    private static func failure(_ status: Int, _ body: [UInt8]) -> ChatError {
        let message: String? = (try? JSONValue(parsing: body))?["error"]?["message"]?.stringValue
        return .status(status, message ?? String(decoding: body.prefix(200), as: UTF8.self))
    }
}

/// NIO's client parts wrap bodies in IOData; this lets buffers through.
private final class RequestPartHandler: ChannelOutboundHandler, Sendable {
    typealias OutboundIn = HTTPPart<HTTPRequestHead, ByteBuffer>
    typealias OutboundOut = HTTPClientRequestPart

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head): context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body(let buffer): context.write(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: promise)
        case .end(let trailers): context.write(wrapOutboundOut(.end(trailers)), promise: promise)
        }
    }
}
