// The channel handler of every connection: notices clients that go, dawdle or send no HTTP, and tells them so.

import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Sits between the HTTP codec and Hummingbird.
///
/// A client that closes its sending side counts as gone, as in Go's net/http and uvicorn: HTTP clients do not half-close.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let table: ConnectionTable
    private let limits: Limits
    private var state: ConnectionState = ConnectionState()
    private var connection: Connection?
    private var bodyTimer: Scheduled<Void>?
    private var writeTimer: Scheduled<Void>?

    /// Seconds for a refused client to read why before the connection closes.
    private static let lingerSeconds: Int64 = 2

    init(table: ConnectionTable, limits: Limits) {
        self.table = table
        self.limits = limits
    }

    func handlerAdded(context: ChannelHandlerContext) {
        connection = table.open(context.channel)
        let pipeline: ChannelPipeline.SynchronousOperations = context.pipeline.syncOperations
        guard let decoder = try? pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self) else { return }
        try? pipeline.addHandler(ConnectionHeaders(), position: .after(decoder))
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        leave(context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        leave(context)
        context.fireChannelInactive()
    }

    private func leave(_ context: ChannelHandlerContext) {
        guard connection != nil else { return }
        connection = nil
        bodyTimer?.cancel()
        writeTimer?.cancel()
        table.close(context.channel, unanswered: state.owed)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part: HTTPRequestPart = unwrapInboundIn(data)
        let action: ConnectionState.ReadAction
        switch part {
        case .head(let head):
            action = state.readHead()
            if action != .drop {
                table.begin()
                answerExpectation(head, context)
            }
        case .body: action = state.readBody()
        case .end: action = state.readEnd()
        }
        switch action {
        case .drop: return
        case .forward: break
        case .forwardAndStartTimer: startBodyTimer(context)
        case .forwardAndStopTimer: bodyTimer?.cancel()
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        if state.isDiscarding { context.read() }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head): state.writeHead(closes: head.headerFields[.connection] == "close")
        case .body: break
        case .end:
            let owed: Int = state.owed
            let closes: Bool = state.writeEnd()
            if state.owed < owed { table.end() }
            if closes {
                context.writeAndFlush(data, promise: promise)
                return linger(context)
            }
        }
        context.write(data, promise: promise)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent {
            connection?.close()
            if state.isDiscarding { context.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let parserError = error as? HTTPParserError else {
            connection?.close()
            return context.fireErrorCaught(error)
        }
        guard state.parserFailed() else { return context.fireErrorCaught(error) }
        refuse(parserError == .headerOverflow ? .headersTooLarge(limit: limits.headerBytes) : .malformedHTTP, context)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        writeTimer?.cancel()
        writeTimer = nil
        if !context.channel.isWritable {
            let channel: any Channel = context.channel
            writeTimer = context.eventLoop.scheduleTask(in: .seconds(Int64(limits.writeSeconds))) {
                channel.close(promise: nil)
            }
        }
        context.fireChannelWritabilityChanged()
    }
}

extension ConnectionGuard {
    private func answerExpectation(_ head: HTTPRequest, _ context: ChannelHandlerContext) {
        guard head.headerFields[.expect]?.lowercased() == "100-continue", state.owed == 1 else { return }
        let length: Int? = head.headerFields[.contentLength].flatMap { Int($0) }
        if let length, length > limits.bodyBytes { return }
        context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
    }

    private func startBodyTimer(_ context: ChannelHandlerContext) {
        bodyTimer?.cancel()
        let bound: NIOLoopBound<(ConnectionGuard, ChannelHandlerContext)> = NIOLoopBound(
            (self, context), eventLoop: context.eventLoop)
        bodyTimer = context.eventLoop.scheduleTask(in: .seconds(Int64(limits.bodySeconds))) {
            let (handler, context) = bound.value
            handler.bodyTimedOut(context)
        }
    }

    private func bodyTimedOut(_ context: ChannelHandlerContext) {
        guard connection != nil, state.isReading else { return }
        if state.readTimedOut() {
            refuse(.requestTimeout(seconds: limits.bodySeconds), context)
        } else {
            context.close(promise: nil)
        }
    }

    /// Writes an error past Hummingbird, which has not begun an answer, and closes.
    private func refuse(_ error: APIError, _ context: ChannelHandlerContext) {
        var json: JSONBytes = JSONBytes()
        json.error(error)
        let head: HTTPResponse = HTTPResponse(
            status: .init(code: error.status),
            headerFields: [
                .contentType: "application/json", .contentLength: "\(json.buffer.readableBytes)", .connection: "close",
            ])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(json.buffer)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        linger(context)
    }

    /// Sends FIN, reads on for a moment so that the client sees the answer instead of a reset, then closes.
    private func linger(_ context: ChannelHandlerContext) {
        connection?.close()
        let channel: any Channel = context.channel
        context.close(mode: .output, promise: nil)
        context.read()
        channel.eventLoop.scheduleTask(in: .seconds(ConnectionGuard.lingerSeconds)) { channel.close(promise: nil) }
    }
}
