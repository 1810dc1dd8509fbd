// One HTTP/1.1 connection that is kept between requests; bytes are stamped before anything looks at them.
import CServeCore
import NIOCore
import NIOHTTP1
import NIOPosix

/// Notes when bytes arrive. First in the pipeline: HTTP is decoded, and JSON read, after the time is taken.
/// Unchecked: touched on its connection's event loop only.
final class ArrivalStamp: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private(set) var last: NIODeadline = .now()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        last = .now()
        context.fireChannelRead(data)
    }
}

/// A connection. Unchecked: touched on its event loop only.
final class Connection: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    /// What the connection tells its owner.
    struct Callbacks {
        var isIdle: (Connection) -> Void
        var isClosed: (Connection) -> Void
        var repeats: (Exchange) -> Void
    }

    private let stamp: ArrivalStamp
    private let callbacks: Callbacks
    private let headers: HTTPHeaders
    private var channel: (any Channel)?
    private var exchange: Exchange?
    private var keepsAlive: Bool = true
    private var isReused: Bool = false
    private var failure: BenchFailure?

    init(_ stamp: ArrivalStamp, headers: HTTPHeaders, _ callbacks: Callbacks) {
        self.stamp = stamp
        self.headers = headers
        self.callbacks = callbacks
    }

    var isOpen: Bool { channel?.isActive == true }

    func handlerAdded(context: ChannelHandlerContext) { channel = context.channel }

    /// Sends a request; the response goes to the exchange.
    func start(_ exchange: Exchange) {
        guard let channel else { return }
        self.exchange = exchange
        exchange.connection = self
        var head = HTTPRequestHead(version: .http1_1, method: exchange.request.method, uri: exchange.request.path)
        head.headers = headers
        if let body = exchange.request.body {
            head.headers.add(name: "Content-Type", value: "application/json")
            head.headers.add(name: "Content-Length", value: "\(body.readableBytes)")
            channel.write(HTTPClientRequestPart.head(head), promise: nil)
            channel.write(HTTPClientRequestPart.body(.byteBuffer(body)), promise: nil)
        } else {
            channel.write(HTTPClientRequestPart.head(head), promise: nil)
        }
        channel.writeAndFlush(HTTPClientRequestPart.end(nil)).whenSuccess { exchange.sent(at: .now()) }
    }

    /// Gives the exchange up and closes: what still comes belongs to nobody.
    func abandon() {
        exchange = nil
        close()
    }

    func close() { channel?.close(mode: .all, promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            keepsAlive = head.isKeepAlive
            exchange?.takeHead(head, at: stamp.last)
        case .body(let bytes): exchange?.take(bytes, at: stamp.last)
        case .end:
            let ended: Exchange? = exchange
            exchange = nil
            isReused = true
            ended?.takeEnd(at: stamp.last)
            if keepsAlive { callbacks.isIdle(self) } else { context.close(promise: nil) }
            ended?.end()
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // `[DONE]` may come before HTTP's own end: nobody waits for that.
        if let exchange, exchange.isComplete {
            exchange.end()
            if !isOpen || exchange.hasFailed { abandon() }
        }
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        failure = ConnectionFailure.response(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        callbacks.isClosed(self)
        guard let exchange else { return }
        self.exchange = nil
        if isReused, !exchange.hasBegun, !exchange.isRepeated, failure == nil {
            // The server gave the idle connection up at the moment when it was used again.
            exchange.isRepeated = true
            return callbacks.repeats(exchange)
        }
        exchange.fail(failure ?? .closedEarly, at: .now())
        exchange.end()
    }
}

/// What errors of connections mean.
enum ConnectionFailure {
    /// No connection came about.
    static func connecting(_ error: any Error) -> BenchFailure {
        switch error {
        case let error as NIOConnectionError:
            guard let first = error.connectionErrors.first else { return .connection("unknown host \(error.host)") }
            return connecting(first.error)
        case ChannelError.connectTimeout: return .connection("no connection in time")
        case let error as IOError where error.errnoCode == ECONNREFUSED: return .connection("connection refused")
        case let error as IOError where error.errnoCode == EMFILE || error.errnoCode == ENFILE:
            return .connection("too many open files here; raise ulimit -n, or bound --max-concurrency")
        default: return .connection("\(error)")
        }
    }

    /// A response broke off.
    static func response(_ error: any Error) -> BenchFailure {
        switch error {
        case HTTPParserError.invalidEOFState, is ChannelError, is IOError: .closedEarly
        case let error as HTTPParserError: .malformed("no HTTP: \(error)")
        default: .malformed("\(error)")
        }
    }
}
