// Between Hummingbird and the handlers: names the request, checks the key, finds the route, turns errors into JSON.

import CServeCore
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// What Hummingbird hands to the responder besides the request.
struct Call: InitializableFromSource {
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        channel = source.channel
    }
}

/// Answers every request of a server.
struct Responder: HTTPResponder {
    typealias Context = Call

    let state: ServerState
    let routes: RouteTable

    @Sendable func respond(to request: HTTPRequestIn, context: Call) async throws -> HTTPResponseOut {
        let offered: String? = request.headers[.xRequestID].flatMap { RequestName.valid($0) }
        let path: String = path(of: request)
        let exchange: Exchange = Exchange(
            request: request, connection: state.connections.connection(of: context.channel), state: state,
            id: offered ?? RequestName.random(), arrival: Clock.now(), path: path,
            routeName: routes.name(of: path))
        var reply: Reply = preflight(exchange) ?? Reply(status: 204)
        if request.method != .options { reply = await answer(exchange) }
        reply.response.headers[.xRequestID] = exchange.id
        crossOrigin(exchange, &reply)
        if request.headers[.connection] == "close" { reply.response.headers[.connection] = "close" }
        if request.method == .head { reply.dropBody() }
        if !reply.isStream { exchange.answered(status: Int(reply.response.status.code)) }
        return reply.response
    }

    private func answer(_ exchange: Exchange) async -> Reply {
        do {
            let route: Route = try routes.find(exchange.request.method, exchange.path)
            let authorization: String? = exchange.request.headers[.authorization]
            guard route.isOpen || state.settings.apiKeys.admit(authorization: authorization) else {
                throw APIError.unauthorized
            }
            return try await route.handler(exchange)
        } catch let error as APIError {
            state.metrics.refused(error.code)
            return Reply(error)
        } catch {
            state.logger.error("A handler failed.", metadata: ["request_id": "\(exchange.id)", "error": "\(error)"])
            return Reply(.engineFailed(message: "an internal error; the server's log has it under \(exchange.id)."))
        }
    }

    /// The path below the root path, with percent escapes undone.
    private func path(of request: HTTPRequestIn) -> String {
        var path: String = request.uri.path
        path = path.removingPercentEncoding ?? path
        let root: String = state.settings.rootPath
        if !root.isEmpty, path == root || path.hasPrefix(root + "/") { path = String(path.dropFirst(root.count)) }
        if path.count > 1, path.hasSuffix("/") { path = String(path.dropLast()) }
        return RouteTable.canonical(path.isEmpty ? "/" : path)
    }

    /// A browser asks what it may send.
    private func preflight(_ exchange: Exchange) -> Reply? {
        guard exchange.request.method == .options else { return nil }
        var reply: Reply = Reply(status: 204)
        reply.response.headers[.contentLength] = nil
        reply.response.headers[.accessControlAllowMethods] = "GET, POST, OPTIONS"
        reply.response.headers[.accessControlAllowHeaders] = "Authorization, Content-Type, X-Request-Id"
        return reply
    }

    private func crossOrigin(_ exchange: Exchange, _ reply: inout Reply) {
        let allowed: [String] = state.settings.allowedOrigins
        guard !allowed.isEmpty, let origin = exchange.request.headers[.origin] else { return }
        guard allowed.contains("*") || allowed.contains(origin) else { return }
        reply.response.headers[.accessControlAllowOrigin] = allowed.contains("*") ? "*" : origin
        reply.response.headers[.vary] = "Origin"
    }
}

extension HTTPField.Name {
    /// `X-Request-Id`, in and out.
    static let xRequestID: HTTPField.Name = {
        guard let name = HTTPField.Name("X-Request-Id") else { preconditionFailure("a valid header name") }
        return name
    }()
}

extension Reply {
    /// HEAD is answered with the header fields of GET.
    mutating func dropBody() {
        let length: String? = response.headers[.contentLength]
        response.body = ResponseBody()
        response.headers[.contentLength] = length
    }
}

extension Exchange {
    /// Counts and logs the exchange, once its answer is complete.
    func answered(status: Int) {
        let seconds: Double = (Clock.now() - arrival).seconds
        let method: String = Exchange.methods.contains(request.method.rawValue) ? request.method.rawValue : "other"
        state.metrics.answered(handler: routeName, method: method, status: status, seconds: seconds)
        guard state.settings.accessLog else { return }
        state.logger.info(
            "\(method) \(routeName) \(status)",
            metadata: ["request_id": "\(id)", "ms": "\((seconds * 1e4).rounded() / 10)"])
    }

    private static let methods: Set<String> = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"]

    /// Logs a user's text, only where that was asked for.
    func logContent(_ what: String, _ texts: @autoclosure () -> [String]) {
        guard state.settings.logContent else { return }
        state.logger.info("\(what)", metadata: ["request_id": "\(id)", "text": "\(texts())"])
    }
}
