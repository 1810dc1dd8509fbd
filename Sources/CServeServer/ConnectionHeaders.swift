// HTTP/1.0 clients (ab, old proxies) and every spelling of `Connection: close`, which Hummingbird does not know.

import NIOCore
import NIOHTTP1

/// Sits below the HTTP types, where a message's version is still known: who does not keep the connection is marked so,
/// and HTTP/1.0 clients are answered in HTTP/1.0, whose bodies end with the connection instead of in chunks.
final class ConnectionHeaders: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private var isOld: Bool = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        isOld = head.version != .http1_1
        if isOld || !head.isKeepAlive { head.headers.replaceOrAdd(name: "Connection", value: "close") }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard isOld, case .head(var head) = unwrapOutboundIn(data) else {
            return context.write(data, promise: promise)
        }
        head.version = .http1_0
        head.headers.remove(name: "Transfer-Encoding")
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }
}
