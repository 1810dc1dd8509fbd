// The engine's logged steps as JSON lines: what `cserve calibrate --url` fits to.

import CServeCore
import HummingbirdCore
import NIOCore

/// Answers `GET /debug/steps?after=N`.
enum StepLog {
    /// Steps after the one of a number, one JSON object a line; 404 where the server logs none.
    static func steps(_ exchange: Exchange) async throws -> Reply {
        let model: ServedModel = try exchange.readyModel()
        let text: String? = exchange.request.uri.queryParameters["after"].map { String($0) }
        guard let after = UInt64(text ?? "0") else {
            throw APIError.invalidValue(field: "after", reason: "it is the number of a step, such as 0 or 1200.")
        }
        guard let steps = model.engine.steps(after: after) else {
            throw APIError.notFound(path: "/debug/steps (start cserve serve with --step-log 4096)")
        }
        var body: ByteBuffer = ByteBuffer()
        for step in steps {
            body.writeBytes(try JSONValue(encoding: step).serialized())
            body.writeInteger(UInt8(ascii: "\n"))
        }
        return Reply(type: "application/x-ndjson", body: body)
    }
}
