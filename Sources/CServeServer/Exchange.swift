// One HTTP request on its way through the server: what handlers read and how they answer.

import CServeCore
import Dispatch
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// Hummingbird's request; plain `Request` is the engine's.
typealias HTTPRequestIn = HummingbirdCore.Request
/// Hummingbird's response.
typealias HTTPResponseOut = HummingbirdCore.Response

/// Monotonic time for latencies.
enum Clock {
    static func now() -> Nanoseconds { Nanoseconds(DispatchTime.now().uptimeNanoseconds) }
}

/// What a handler is given.
struct Exchange: Sendable {
    let request: HTTPRequestIn
    let connection: Connection
    let state: ServerState
    /// The request's name in headers, logs and answers.
    let id: String
    let arrival: Nanoseconds
    /// The path without the server's root path, decoded.
    let path: String
    /// The route's path as metrics and logs name it: never what the client made up.
    let routeName: String

    /// The model, unless it is still loading or the server is on its way out.
    func readyModel() throws(APIError) -> ServedModel {
        guard let model = state.model else { throw .starting }
        guard !state.isDraining else { throw .draining }
        return model
    }

    /// Reads the whole body within the limit.
    func body() async throws -> [UInt8] {
        let limit: Int = state.settings.limits.bodyBytes
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
            throw APIError.bodyTooLarge(limit: limit)
        }
        var bytes: [UInt8] = []
        for try await buffer in request.body {
            guard bytes.count + buffer.readableBytes <= limit else { throw APIError.bodyTooLarge(limit: limit) }
            bytes.append(contentsOf: buffer.readableBytesView)
        }
        return bytes
    }

    /// Reads the body as a JSON object.
    func fields() async throws -> FieldReader {
        try FieldReader(body: try await body(), limits: state.settings.limits)
    }
}

/// A handler's answer.
struct Reply: Sendable {
    var response: HTTPResponseOut
    /// Whether the body is still being made when the handler returns; it then reports its own end.
    var isStream: Bool = false

    /// An answer that is complete.
    init(status: Int = 200, type: String, body: ByteBuffer) {
        response = HTTPResponseOut(
            status: .init(code: status), headers: [.contentType: type],
            body: ResponseBody(byteBuffer: body))
    }

    /// A JSON answer.
    init(_ json: JSONBytes, status: Int = 200) {
        self.init(status: status, type: "application/json", body: json.buffer)
    }

    /// An answer without a body.
    init(status: Int) {
        response = HTTPResponseOut(status: .init(code: status), headers: [.contentLength: "0"])
    }

    /// An answer that the closure writes while it is made.
    init(stream type: String, _ write: @escaping @Sendable (inout any ResponseBodyWriter) async throws -> Void) {
        response = HTTPResponseOut(
            status: .ok, headers: [.contentType: type, .cacheControl: "no-cache"], body: ResponseBody(write))
        isStream = true
    }

    /// An error.
    init(_ error: APIError) {
        var json: JSONBytes = JSONBytes()
        json.error(error)
        self.init(json, status: error.status)
        if let seconds = error.retryAfterSeconds { response.headers[.retryAfter] = "\(seconds)" }
        if case .methodNotAllowed(_, _, let allowed) = error {
            response.headers[.allow] = allowed.joined(separator: ", ")
        }
        if case .unauthorized = error { response.headers[.wwwAuthenticate] = "Bearer" }
        if case .bodyTooLarge = error { response.headers[.connection] = "close" }
    }
}
