// Sockets for `cserve fetch` and `cserve health`: one GET per connection, https where the package was built with the trait TLS.

import CServeDeploy
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

#if TLS
    import NIOSSL
#endif

/// Sends GET requests over NIO.
struct HubConnection: HubTransport {
    private typealias Client = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

    /// Seconds to connect, and without a byte.
    var patience: Int = 60

    func get(
        _ url: String, headers: [(name: String, value: String)], head: (HubHead) throws -> Void,
        body: (ArraySlice<UInt8>) throws -> Void
    ) async throws {
        let place = try Place(url)
        let client: Client = try await connect(place)
        do {
            try await client.executeThenClose { inbound, outbound in
                try await outbound.write(.head(request(place, headers)))
                try await outbound.write(.end(nil))
                try await Self.read(inbound, url, head, body)
            }
        } catch let error as HubError {
            throw error
        } catch let error as any NIOFault {
            throw HubError.unreachable(url: url, reason: "\(error)")
        }
    }

    /// Where a URL leads.
    private struct Place {
        var url: String
        var host: String
        var port: Int
        var target: String
        var isSecure: Bool

        init(_ url: String) throws {
            guard let parts = URLComponents(string: url), let scheme = parts.scheme?.lowercased(),
                ["http", "https"].contains(scheme), let host = parts.host, !host.isEmpty
            else { throw HubError.badAddress(url) }
            self.url = url
            self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
            isSecure = scheme == "https"
            port = parts.port ?? (isSecure ? 443 : 80)
            let path: String = parts.percentEncodedPath.isEmpty ? "/" : parts.percentEncodedPath
            target = path + (parts.percentEncodedQuery.map { "?" + $0 } ?? "")
        }
    }

    private func request(_ place: Place, _ headers: [(name: String, value: String)]) -> HTTPRequestHead {
        let usual: Int = place.isSecure ? 443 : 80
        let host: String = place.host.contains(":") ? "[\(place.host)]" : place.host
        var fields: HTTPHeaders = ["Host": place.port == usual ? host : "\(host):\(place.port)", "Connection": "close"]
        for field in headers { fields.add(name: field.name, value: field.value) }
        return HTTPRequestHead(version: .http1_1, method: .GET, uri: place.target, headers: fields)
    }

    private func connect(_ place: Place) async throws -> Client {
        let wait: TimeAmount = .seconds(Int64(patience))
        do {
            return try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connectTimeout(wait)
                .connect(host: place.host, port: place.port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try Self.secure(channel, place)
                        let pipeline = channel.pipeline.syncOperations
                        try pipeline.addHandler(IdleStateHandler(readTimeout: wait))
                        try pipeline.addHandler(SilenceEnds())
                        try pipeline.addHTTPClientHandlers()
                        return try Client(wrappingChannelSynchronously: channel)
                    }
                }
        } catch let error as HubError {
            throw error
        } catch {
            throw HubError.unreachable(url: place.url, reason: "\(error)")
        }
    }

    #if TLS
        private static let context: Result<NIOSSLContext, any Error> = Result {
            try NIOSSLContext(configuration: .makeClientConfiguration())
        }

        private static func secure(_ channel: any Channel, _ place: Place) throws {
            guard place.isSecure else { return }
            let handler = try NIOSSLClientHandler(context: context.get(), serverHostname: place.host)
            try channel.pipeline.syncOperations.addHandler(handler)
        }
    #else
        private static func secure(_ channel: any Channel, _ place: Place) throws {
            if place.isSecure { throw HubError.noTLS(url: place.url) }
        }
    #endif

    /// An answer that ends before its body does is a connection lost.
    private static func read(
        _ inbound: NIOAsyncChannelInboundStream<HTTPClientResponsePart>, _ url: String,
        _ head: (HubHead) throws -> Void, _ body: (ArraySlice<UInt8>) throws -> Void
    ) async throws {
        for try await part in inbound {
            switch part {
            case .head(let answer):
                let fields: [(name: String, value: String)] = answer.headers.map { ($0.name, $0.value) }
                try head(HubHead(status: Int(answer.status.code), headers: fields))
            case .body(let buffer): try body([UInt8](buffer.readableBytesView)[...])
            case .end: return
            }
        }
        throw HubError.unreachable(url: url, reason: "the connection was closed before the answer ended")
    }
}

/// What NIO throws when a connection fails: trouble that may pass.
private protocol NIOFault: Error {}
extension IOError: NIOFault {}
extension ChannelError: NIOFault {}
extension HTTPParserError: NIOFault {}
extension NIOConnectionError: NIOFault {}
#if TLS
    extension NIOSSLError: NIOFault {}
#endif

/// Closes a connection that has been silent for too long.
private final class SilenceEnds: ChannelInboundHandler, Sendable {
    typealias InboundIn = NIOAny

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}
